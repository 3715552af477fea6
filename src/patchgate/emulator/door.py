"""What a door is: the way by which code with an AWS SDK reaches a cloud of this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from patchgate.emulator.cloud import Cloud, Neighbour, NoAuthority, NoNeighbour, Scope
from patchgate.emulator.errors import AwsError, EngineFailureError
from patchgate.emulator.functions import Functions
from patchgate.emulator.iam.authority import RoleAuthority
from patchgate.emulator.meddling import Call
from patchgate.emulator.sdk_private import replaced
from patchgate.emulator.short_pages import answer_in_short_pages, is_short, shortened_listing, smallest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self


class SdkSession(Protocol):
    """What everybody may ask of a session, whichever door it is of."""

    def client(self, service_name: str, region_name: str | None = None, **options: Any) -> Any:
        """As boto3's."""


Session_co = TypeVar("Session_co", bound=SdkSession, covariant=True)
_Answer = TypeVar("_Answer")


class Door(ABC, Generic[Session_co]):
    """What all doors of this engine have in common. What a rehearsal needs of an engine is less: rehearsal/engine.py.

    Open and close      ``with door:``. One door is open at a time; afterwards everything is as it was before.
    Sessions            ``session(account, region, principal)``: an SDK session whose clients act in that account and
                        Region, as the operator or as a role. The same arguments give the same session.
    Clock and history   ``door.cloud``: ``now``, ``kernel`` (``run_until``, ``at``) and ``history`` are what a rehearsal
                        reads and drives, and its components are what a world is put into.

    The same calls at the same virtual times leave the same history, whichever door they come through.

    The door is the cloud's ``sdk``: code taken from templates gets its sessions here. A cloud without a neighbour
    gets the door's own, and one without an authority a RoleAuthority.

    Outside of the kernel's processes is the operator: a synchronous lambda Invoke from there runs the clock until the
    function has ended, and ``pause`` is called with the seconds that botocore waits (a waiter): by default none pass.
    """

    def __init__(self, cloud: Cloud, *, pause: Callable[[float], None] | None = None) -> None:
        self.cloud = cloud
        self._pause = pause or _do_not_wait
        self._sessions: dict[Scope, Session_co] = {}
        self._open: ExitStack | None = None

    # -- what each door has of its own ---------------------------------------------------------------------------

    @abstractmethod
    def _set_up(self, stack: ExitStack) -> None:
        """Change of this process what the door needs, and leave on ``stack`` what undoes it."""

    @abstractmethod
    def _make_neighbour(self) -> Neighbour:
        """Who answers for the services that the cloud does not own, when the cloud has nobody."""

    @abstractmethod
    def _make_session(self, scope: Scope) -> Session_co:
        """A new session."""

    # -- open and shut -------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._open is not None:
            raise RuntimeError("the door is open already")
        with ExitStack() as stack:
            self._set_up(stack)
            stack.enter_context(replaced(self.cloud, "sdk", self))
            if type(self.cloud.neighbour) is NoNeighbour:
                stack.enter_context(replaced(self.cloud, "neighbour", self._make_neighbour()))
            if isinstance(self.cloud.authority, NoAuthority):
                stack.enter_context(replaced(self.cloud, "authority", RoleAuthority(self.cloud)))
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
    def session(self, account: Scope, /) -> Session_co: ...
    @overload
    def session(self, account: str, region: str, principal: str = "") -> Session_co: ...
    def session(self, account: Scope | str, region: str = "", principal: str = "") -> Session_co:
        """The session of an account (12 digits) in a Region, as the operator or as the role ``principal``.

        The same arguments give the same session. Also takes a Scope, as SdkProvider says.
        """
        scope = account if isinstance(account, Scope) else Scope(account, region, principal)
        session = self._sessions.get(scope)
        if session is None:
            if len(scope.account) != 12 or not scope.account.isdigit() or not scope.region:
                raise ValueError(f"an account id has 12 digits and a Region has a name: {scope}")
            session = self._sessions[scope] = self._make_session(scope)
        return session

    # -- waiting (sdk_private.Waiting) ---------------------------------------------------------------------------

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

    def meddled(
        self,
        scope: Scope,
        service: str,
        operation: str,
        params: dict[str, Any],
        work: Callable[[int | None], tuple[_Answer, bool]],
    ) -> _Answer:
        """The answer of ``work``; a program's calls may go wrong before and after it.

        ``work`` is given the most items that a list's page may hold (None: as many as are asked for), and says whether
        there were more.
        """
        meddler, process = self.cloud.meddler, self.cloud.kernel.current
        if meddler is None or process is None or not scope.principal:
            return work(None)[0]
        call = Call(process.name, scope, service, operation, params)
        meddler.before(call)
        size = meddler.page_size(call) if is_short(service, operation, params) else None
        answer, was_cut = work(None if size is None else smallest(service, operation, size))
        if was_cut:
            meddler.was_cut(call)
        meddler.after(call)
        return answer

    def carry_out(self, scope: Scope, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """The cloud's own answer, or AwsError. What a process's call did not foresee is that call's EngineFailureError;
        outside of processes it is raised as it is.
        """
        try:
            if self.cloud.meddler is None:
                return self._carry_out(scope, service, operation, params)
            work = partial(self._carry_out_paged, scope, service, operation, params)
            return self.meddled(scope, service, operation, params, work)
        except AwsError:
            raise
        except Exception as error:
            if self.cloud.kernel.current is None:
                raise
            raise EngineFailureError(f"{service}:{operation}", error) from error

    def _carry_out_paged(
        self, scope: Scope, service: str, operation: str, params: dict[str, Any], size: int | None
    ) -> tuple[dict[str, Any], bool]:
        """(the answer, whether it was cut short)."""
        if not is_short(service, operation, params):
            return self._carry_out(scope, service, operation, params), False
        if service == "s3":
            answer = self._carry_out(scope, service, operation, shortened_listing(params, size))
            return answer, size is not None and bool(answer["IsTruncated"])
        ask = partial(self._carry_out, scope, service, operation)
        return answer_in_short_pages(service, operation, params, size, ask)

    def _carry_out(self, scope: Scope, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        cloud = self.cloud
        if service == "lambda" and operation == "Invoke" and cloud.kernel.current is None:
            kind = params.get("InvocationType", "RequestResponse")
            if kind == "RequestResponse" and cloud.has_component(Functions):
                if scope.principal:
                    cloud.authority.check(scope, service, operation, params)
                name, payload = params["FunctionName"], params.get("Payload", b"")
                return cloud.component(Functions).invoke_and_wait(scope, name, payload)
        return cloud.invoke(scope, service, operation, params)


def _do_not_wait(seconds: float) -> None:
    """Outside of processes the clock stands still."""
