"""boto3 sessions whose clients reach the cloud, made once and cheap to ask again."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import boto3
import botocore.loaders
import botocore.session

from patchgate.emulator.sdk_private import isolated_session_variables
from patchgate.emulator.wire import private
from patchgate.emulator.wire.identity import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

_DEFAULTS = {"use_ssl": True}


class DoorSession(boto3.Session):  # type: ignore[misc]
    """A boto3 session of one account, Region and principal.

    A client is made once per service, Region and configuration; who asks again gets the same one, as a warm Lambda
    sandbox would. Its event handlers and its retry quota are therefore shared.
    """

    def __init__(self, core: Any, region: str) -> None:
        super().__init__(botocore_session=core, region_name=region)
        self._ready: dict[tuple[str, str | None, str], Any] = {}

    def client(self, service_name: str, region_name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """As boto3's. Anything beside Region and ``config`` makes a client of its own."""
        given = {name: value for name, value in kwargs.items() if value != _DEFAULTS.get(name)}
        if args or set(given) - {"config"}:
            return super().client(service_name, region_name, *args, **kwargs)
        config = given.get("config")
        key = (service_name, region_name, repr(vars(config)) if config is not None else "")
        client = self._ready.get(key)
        if client is None:
            client = self._ready[key] = super().client(service_name, region_name, **kwargs)
        return client


@functools.cache
def _shared_loader() -> Any:
    """One for the process: it parses a service's model, which never changes, the first time it is asked for."""
    return botocore.loaders.create_loader()


class SessionFactory:
    """Makes sessions that share one loader of service models and read nothing of the machine's AWS settings."""

    def __init__(self, draw_token: Callable[[], str], guard: Callable[..., None]) -> None:
        """``draw_token`` makes client tokens; ``guard`` sees every request before it is sent and may refuse it."""
        self._variables = isolated_session_variables()
        self._draw_token = draw_token
        self._guard = guard

    def make(self, access_key: str, region: str) -> DoorSession:
        """A session that signs with ``access_key``."""
        core = botocore.session.Session(session_vars=self._variables)
        core.register_component("data_loader", _shared_loader())
        core.set_credentials(access_key, SECRET)
        private.draw_client_tokens_from(core, self._draw_token)
        core.register("before-send", self._guard)
        return DoorSession(core, region)
