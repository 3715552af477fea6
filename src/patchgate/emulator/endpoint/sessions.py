"""boto3 sessions of an engine that is only an endpoint: nothing they make reaches anything else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from patchgate.emulator.endpoint.client import is_loopback
from patchgate.emulator.sdk_private import isolated_session_variables

SECRET = "patchgate"  # noqa: S105 - an engine takes any
_PATIENCE_SECONDS = 600


class EndpointSession:
    """The SDK as the operator of one account in a Region, by the ordinary endpoint setting.

    The access key id is the account's 12 digits, as the protocol says. The machine's AWS settings, profiles and
    credentials are not read: no request can reach a real account. A client is made once per service and Region.
    """

    def __init__(self, url: str, account: str, region: str) -> None:
        if len(account) != 12 or not account.isdigit() or not region:
            raise ValueError(f"an account id has 12 digits and a Region has a name: {account}/{region}")
        core = botocore.session.Session(session_vars=isolated_session_variables())
        core.set_credentials(account, SECRET)
        self._session = boto3.Session(botocore_session=core, region_name=region)
        self._url = url
        self._config = Config(
            read_timeout=_PATIENCE_SECONDS,
            retries={"total_max_attempts": 1},  # a request that is sent twice is another run
            s3={"addressing_style": "path"},
            proxies={} if is_loopback(urlsplit(url).hostname or "") else None,
        )
        self._ready: dict[tuple[str, str | None], Any] = {}

    def client(self, service_name: str, region_name: str | None = None, **options: Any) -> Any:
        """As boto3's, but for ``endpoint_url``, which is the engine's."""
        if options:
            config = options.pop("config", None)
            merged = self._config if config is None else self._config.merge(config)
            options |= {"endpoint_url": self._url, "config": merged}
            return self._session.client(service_name, region_name, **options)
        key = (service_name, region_name)
        if key not in self._ready:
            self._ready[key] = self._session.client(
                service_name, region_name, endpoint_url=self._url, config=self._config
            )
        return self._ready[key]
