"""The direct door: botocore's clients ask the cloud itself, without requests, signatures or parsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patchgate.emulator.cloud import Scope
from patchgate.emulator.direct.session import DirectSession
from patchgate.emulator.door import Door
from patchgate.emulator.light import LightNeighbour
from patchgate.emulator.sdk_private import virtual_time

if TYPE_CHECKING:
    from contextlib import ExitStack


class DirectDoor(Door[DirectSession]):
    """While open, sessions of this door reach ``cloud``. Used like WireDoor, and with the same answers, errors, retries
    and virtual times; nothing else in this process is touched, but that waiters and retries wait virtually.

    A cloud without a neighbour gets a LightNeighbour.
    """

    def _set_up(self, stack: ExitStack) -> None:
        stack.enter_context(virtual_time(self))

    def _make_neighbour(self) -> LightNeighbour:
        return LightNeighbour(self.cloud)

    def _make_session(self, scope: Scope) -> DirectSession:
        return DirectSession(self, scope)

    def forget_clients(self) -> None:
        """Clients with their retry quotas are made anew: what a cloud that was restored begins with."""
        for session in self._sessions.values():
            session.forget_clients()

    def scope_in(self, scope: Scope, region: str | None) -> Scope:
        """The same account and principal in another Region."""
        return scope if region in (None, scope.region) else Scope(scope.account, str(region), scope.principal)

    # -- requests ------------------------------------------------------------------------------------------------

    def arrive(self, service: str) -> str:
        """One request on its way: takes its time, and gives its id. The neighbour counts its own requests."""
        cloud = self.cloud
        if self._open is None:
            raise RuntimeError("the direct door is shut")
        if cloud.kernel.current is not None:
            cloud.kernel.sleep(cloud.api_latency)
        if service in cloud.owned_services:
            cloud.requests += 1
            number = cloud.requests
        else:
            number = cloud.requests + 1
        return f"{number:08x}-0000-4000-8000-{number:012x}"
