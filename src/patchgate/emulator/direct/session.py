"""Sessions of the direct door: they look like boto3's, and their clients ask the cloud itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import botocore.session

from patchgate.emulator.direct.clients import SECRET, prototype, settings_of, shared_loader
from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.sdk_private import isolated_session_variables

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Scope
    from patchgate.emulator.direct.door import DirectDoor

_DEFAULTS = {"use_ssl": True}
_CONFIG = frozenset({"config"})


class DirectSession:
    """One account, Region and principal. What is not here (``resource``, lists of Regions) is a boto3 session's.

    A client is made once per service, Region and configuration; who asks again gets the same one, as a warm Lambda
    sandbox would.
    """

    def __init__(self, door: DirectDoor, scope: Scope) -> None:
        self._door = door
        self._scope = scope
        self._ready: dict[tuple[str, str | None, str], Any] = {}
        self._whole: boto3.Session | None = None

    @property
    def region_name(self) -> str:
        """The Region."""
        return self._scope.region

    def client(self, service_name: str, region_name: str | None = None, **options: Any) -> Any:
        """As boto3's, with ``config`` as the only further option: others would lead elsewhere (NotEmulatedError)."""
        config = options.get("config")
        key = (service_name, region_name, "" if config is None else settings_of(config))
        client = self._ready.get(key)
        if client is not None and options.keys() <= _CONFIG:
            return client
        given = {name: value for name, value in options.items() if value is not None and value != _DEFAULTS.get(name)}
        given.pop("api_version", None)  # a resource names the one that there is
        if client is None:
            if given.keys() - _CONFIG:
                raise NotEmulatedError(f"a client with {', '.join(sorted(given))} through the direct door")
            scope = self._door.scope_in(self._scope, region_name)
            client = prototype(service_name, scope.region, given).copy_for(self._door, scope)
            self._ready[key] = client
        return client

    def forget_clients(self) -> None:
        """Who asks from now on gets new clients."""
        self._ready = {}
        self._whole = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if self._whole is None:
            core = botocore.session.Session(session_vars=isolated_session_variables())
            core.register_component("data_loader", shared_loader())
            core.set_credentials("AKIA0000000000000000", SECRET)
            self._whole = boto3.Session(botocore_session=core, region_name=self._scope.region)
            self._whole.client = self.client
        return getattr(self._whole, name)
