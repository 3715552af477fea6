"""The direct door: botocore's clients ask the cloud itself, without requests, signatures or parsers."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, overload

from patchgate.emulator.cloud import Cloud, NoAuthority, NoNeighbour, Scope
from patchgate.emulator.direct.session import DirectSession
from patchgate.emulator.functions import Functions
from patchgate.emulator.iam.authority import RoleAuthority
from patchgate.emulator.light import LightNeighbour
from patchgate.emulator.sdk_private import virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from patchgate.emulator.direct.clients import Operation


class DirectDoor:
    """While open, sessions of this door reach ``cloud``. Used like WireDoor, and with the same answers, errors, retries
    and virtual times; nothing else in this process is touched, but that waiters and retries wait virtually.

    The door is the cloud's ``sdk``: code taken from templates gets its sessions here. A cloud without a neighbour
    gets a LightNeighbour. One door is open at a time.

    Outside of the kernel's processes is the operator: a synchronous lambda Invoke from there runs the clock until the
    function has ended, and ``pause`` is called with the seconds that botocore waits (a waiter): by default none pass.
    """

    def __init__(self, cloud: Cloud, *, pause: Callable[[float], None] | None = None) -> None:
        self.cloud = cloud
        self._pause = pause or _do_not_wait
        self._sessions: dict[Scope, DirectSession] = {}
        self._open: ExitStack | None = None

    # -- open and shut -------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._open is not None:
            raise RuntimeError("the door is open already")
        with ExitStack() as stack:
            stack.enter_context(virtual_time(self))
            self.cloud.sdk, before = self, self.cloud.sdk
            stack.callback(setattr, self.cloud, "sdk", before)
            if isinstance(self.cloud.neighbour, NoNeighbour):
                stack.callback(setattr, self.cloud, "neighbour", self.cloud.neighbour)
                self.cloud.neighbour = LightNeighbour(self.cloud)
            if isinstance(self.cloud.authority, NoAuthority):
                stack.callback(setattr, self.cloud, "authority", self.cloud.authority)
                self.cloud.authority = RoleAuthority(self.cloud)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stack, self._open = self._open, None
        if stack is not None:
            stack.__exit__(kind, error, trace)

    # -- sessions ------------------------------------------------------------------------------------------------

    @overload
    def session(self, account: Scope, /) -> DirectSession: ...
    @overload
    def session(self, account: str, region: str, principal: str = "") -> DirectSession: ...
    def session(self, account: Scope | str, region: str = "", principal: str = "") -> DirectSession:
        """The session of an account (12 digits) in a Region, as the operator or as the role ``principal``.

        The same arguments give the same session. Also takes a Scope, as SdkProvider says.
        """
        scope = account if isinstance(account, Scope) else Scope(account, region, principal)
        session = self._sessions.get(scope)
        if session is None:
            if len(scope.account) != 12 or not scope.account.isdigit() or not scope.region:
                raise ValueError(f"an account id has 12 digits and a Region has a name: {scope}")
            session = self._sessions[scope] = DirectSession(self, scope)
        return session

    def forget_clients(self) -> None:
        """Clients with their retry quotas are made anew: what a cloud that was restored begins with."""
        for session in self._sessions.values():
            session.forget_clients()

    def scope_in(self, scope: Scope, region: str | None) -> Scope:
        """The same account and principal in another Region."""
        return scope if region in (None, scope.region) else Scope(scope.account, str(region), scope.principal)

    # -- waiting (Waiting) ---------------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass for the running process; outside of one, as ``pause`` says."""
        if self.cloud.kernel.current is not None:
            self.cloud.kernel.sleep(seconds)
        else:
            self._pause(seconds)

    def time(self) -> float:
        """The virtual clock in seconds since the Unix epoch."""
        return self.cloud.kernel.now_millis / 1000

    def random(self) -> float:
        """A number in [0, 1) of the run's seed."""
        return self.cloud.random.random()

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

    def carry_out(self, scope: Scope, operation: Operation, params: dict[str, Any]) -> dict[str, Any]:
        """The cloud's own answer, or AwsError."""
        cloud = self.cloud
        if operation.service == "lambda" and operation.name == "Invoke" and cloud.kernel.current is None:
            kind = params.get("InvocationType", "RequestResponse")
            if kind == "RequestResponse" and cloud.has_component(Functions):
                if scope.principal:
                    cloud.authority.check(scope, "lambda", "Invoke", params)
                name, payload = params["FunctionName"], params.get("Payload", b"")
                return cloud.component(Functions).invoke_and_wait(scope, name, payload)
        return cloud.invoke(scope, operation.service, operation.name, params)


def _do_not_wait(seconds: float) -> None:
    """Outside of processes the clock stands still."""
