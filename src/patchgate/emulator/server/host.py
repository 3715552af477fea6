"""One cloud and its wire door, kept by the one thread that may touch them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.utils import format_datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import uuid4

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.cloud import Cloud
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.organizations import Organizations
from patchgate.emulator.protocol import ClockReading
from patchgate.emulator.wire import WireDoor
from patchgate.emulator.wire.identity import DEFAULT_ACCOUNT, OpenKeyRing
from patchgate.emulator.wire.inbound import prepare_request
from patchgate.errors import InputError, PatchgateError

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from types import TracebackType
    from typing import Self

    from patchgate.emulator.history import Record
    from patchgate.emulator.organizations import Organization

_Answer = TypeVar("_Answer")
Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


class StoppingError(PatchgateError):
    """The server was told to stop while it was at work."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What a cloud starts as. ``default_account`` has the keys that name no account."""

    start: datetime
    seed: int = 0
    organization: Organization | None = None
    default_account: str = DEFAULT_ACCOUNT
    assumptions: Assumptions = field(default_factory=Assumptions)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a client asks a new beginning to be. ``organization`` is an id, "" for none.

    ``world`` is the content of a world file as JSON has it, None for an empty one; nobody has looked at it yet.
    """

    start: datetime
    seed: int = 0
    organization: str = ""
    assumptions: Assumptions = field(default_factory=Assumptions)
    world: object = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A beginning that was found good: what the cloud starts as, and what puts its machines into it."""

    settings: HostSettings
    populate: Callable[[Cloud], None]


class WorldSource(Protocol):
    """Where machines come from."""

    def settle(self, beginning: Beginning) -> Settled:
        """Look at a client's world. Raises InputError for one that is none, before anything is changed."""

    def populate(self, cloud: Cloud) -> None:
        """Put the world that the server was started with into a new cloud."""

    def load(self, cloud: Cloud, text: bytes) -> int:
        """Put the world of a file's text into the cloud, at its present instant, and return the number of machines.

        Raises InputError, before anything is put there, for a text that is no world or a machine that is there.
        """


class FunctionRuntime(Protocol):
    """How functions run: a context around an open door."""

    def __enter__(self) -> object:
        """Functions that start from now on run so."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """No function runs so any more."""

    def stop(self) -> None:
        """End what runs; for another thread, while the cloud's own waits for it."""


@dataclass(slots=True)
class _Running:
    cloud: Cloud
    door: WireDoor
    runtime: FunctionRuntime | None = None
    run: str = field(default_factory=lambda: uuid4().hex)
    shut: ExitStack = field(default_factory=ExitStack)


class CloudHost:
    """Answers one request after the other, whichever thread asks: the cloud and its greenlets live in one thread.

    A context: the cloud is there inside. The clock stands still but for ``advance_to`` and ``advance_by`` and while an
    operator waits for a function's result. One host at a time: the wire door of this process is its.
    """

    def __init__(
        self,
        settings: HostSettings,
        worlds: WorldSource,
        *,
        runtime: Callable[[WireDoor], FunctionRuntime] | None = None,
    ) -> None:
        """``runtime`` says how functions run; by default as programs of this process."""
        self._settings = settings
        self._worlds = worlds
        self._runtime = runtime
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cloud")
        self._stopping = threading.Event()
        self._running: _Running | None = None

    def __enter__(self) -> Self:
        self._do(self._start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        running = self._running
        if running is not None and running.runtime is not None:
            running.runtime.stop()
        self._thread.submit(self._stop).result()
        self._thread.shutdown()

    # -- what may be asked ---------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Response:
        """Answer a request of an AWS client."""
        return self._do(self._answer, method, target, headers, body)

    def read_clock(self) -> ClockReading:
        """What time it is there."""
        return self._do(self._read_clock)

    def advance_to(self, when: datetime) -> ClockReading:
        """Let everything happen that is due until ``when``. Raises InputError for an instant that has passed."""
        return self._do(self._advance_to, when)

    def advance_by(self, duration: timedelta) -> ClockReading:
        """Let everything happen that is due within ``duration``, which is not negative."""
        return self._do(self._advance_by, duration)

    def read_history(self, start: int = 0) -> list[Record]:
        """The records from the one with the number ``start`` on."""
        return self._do(lambda: list(islice(self._open.cloud.history, start, None)))

    def load_world(self, text: bytes) -> int:
        """Put a world file's machines there; see WorldSource."""
        return self._do(lambda: self._worlds.load(self._open.cloud, text))

    def reset(self, beginning: Beginning | None = None) -> ClockReading:
        """Forget everything and begin anew: as asked for, or as at the start. InputError changes nothing."""
        return self._do(self._reset, beginning)

    # -- in the cloud's thread -----------------------------------------------------------------------------------

    def _do(self, work: Callable[..., _Answer], *args: Any) -> _Answer:
        """Have the cloud's thread do it. Raises what ``work`` raises, StoppingError when the host is closing."""
        if self._stopping.is_set():
            raise StoppingError("the embedded AWS is stopping")
        return self._thread.submit(work, *args).result()

    @property
    def _open(self) -> _Running:
        if self._running is None:
            raise StoppingError("the embedded AWS is not running")
        return self._running

    def _start(self, settled: Settled | None = None) -> None:
        settings = self._settings if settled is None else settled.settings
        cloud = Cloud(COMPONENTS, start=settings.start, seed=settings.seed, assumptions=settings.assumptions)
        if settings.organization is not None:
            cloud.component(Organizations).establish(settings.organization)
        running = _Running(cloud, WireDoor(cloud, keys=OpenKeyRing(settings.default_account)))
        running.shut.enter_context(running.door)
        with running.shut:
            if self._runtime is not None:
                running.runtime = self._runtime(running.door)
                running.shut.enter_context(running.runtime)
            (self._worlds.populate if settled is None else settled.populate)(cloud)
            running.shut = running.shut.pop_all()
        self._running = running

    def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.shut.close()

    def _reset(self, beginning: Beginning | None) -> ClockReading:
        settled = None if beginning is None else self._worlds.settle(beginning)
        self._stop()
        self._start(settled)
        return self._read_clock()

    def _answer(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Response:
        running = self._open
        status, answered, content = running.door.answer(prepare_request(method, target, headers, body))
        text = {str(name): str(value) for name, value in answered.items()}
        text["Date"] = format_datetime(running.cloud.now, usegmt=True)
        return int(status), text, content.encode() if isinstance(content, str) else content

    def _read_clock(self) -> ClockReading:
        running = self._open
        cloud = running.cloud
        return ClockReading(cloud.now, cloud.kernel.next_event_at(), len(cloud.history), running.run)

    def _advance_by(self, duration: timedelta) -> ClockReading:
        try:
            when = self._open.cloud.now + duration
        except OverflowError as error:
            raise InputError(f"{duration} from now is no instant of the calendar") from error
        return self._advance_to(when)

    def _advance_to(self, when: datetime) -> ClockReading:
        """From event to event, so that the server can be stopped in between."""
        kernel = self._open.cloud.kernel
        if when < kernel.now:
            raise InputError(f"the clock is at {kernel.now.isoformat()} and never runs backwards")
        while (due := kernel.next_event_at()) is not None and due < when:
            if self._stopping.is_set():
                raise StoppingError("the embedded AWS is stopping")
            kernel.run_until(due)
        kernel.run_until(when)
        return self._read_clock()
