"""The virtual clock, and what runs on it.

Time moves only from one event to the next. Events are of two kinds: *timers* (a component's method with plain
arguments, so that a quiet kernel is plain data) and *processes* (greenlets that run code taken from a deployed
template, and sleep in virtual time). Events of one instant run in the order in which they were made.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import greenlet

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 24 * 60 * 60 * 1000


class ThrownByKernel(BaseException):
    """Thrown into a process by whoever drives it: never the error of the code that runs there. Not an Exception: no
    handler may swallow it.
    """


class ProcessKilled(ThrownByKernel):
    """Thrown into a process that must end now (a timeout, a crash)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True, eq=False)
class Event:
    """What happens at an entry of the agenda."""

    action: Callable[..., object] | Process | None
    args: tuple[Any, ...] = ()

    def cancel(self) -> None:
        """The event will not happen; harmless when it already has."""
        self.action = None


class Process:
    """Code that takes virtual time: it runs until it sleeps, and goes on when its time has come."""

    __slots__ = ("finished", "greenlet", "kernel", "killed", "name", "wake")

    def __init__(self, kernel: Kernel, name: str, body: Callable[[], None]) -> None:
        self.name = name
        self.kernel = kernel
        self.finished = False
        self.killed: ProcessKilled | None = None
        self.wake: Event | None = None

        def run() -> None:
            try:
                if self.killed is None:
                    body()
            finally:
                self.finished = True

        self.greenlet = greenlet.greenlet(run)

    def kill(self, reason: str) -> None:
        """End the process at its current scheduling point, at the present instant."""
        if self.finished:
            return
        self.killed = ProcessKilled(reason)
        if self.wake is not None:
            self.wake.cancel()
        self.kernel.resume_now(self)

    def proceed(self) -> None:
        """Run until the process sleeps or ends; only the kernel calls this."""
        if not self.finished:
            self.greenlet.parent = greenlet.getcurrent()
            self.greenlet.switch()


class Kernel:
    """The agenda and the present instant."""

    def __init__(self, start: datetime) -> None:
        self._now = _to_millis(start)
        self._instant: tuple[int, datetime] = (self._now, _from_millis(self._now))
        """The last instant that was asked for as a datetime: a clock is read far more often than it moves."""
        self._limit = self._now
        """How far the clock may move without coming back to ``run_until``."""
        self._agenda: list[tuple[int, int, Event]] = []
        """A heap: milliseconds since the Unix epoch, UTC; the number of the entry; what happens."""
        self._serial = 0
        self._current: Process | None = None

    @property
    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        millis, instant = self._instant
        if millis != self._now:
            instant = _from_millis(self._now)
            self._instant = (self._now, instant)
        return instant

    @property
    def now_millis(self) -> int:
        """The present instant in milliseconds since the Unix epoch."""
        return self._now

    @property
    def current(self) -> Process | None:
        """The process that is running, or None between processes."""
        return self._current

    def processes(self) -> list[str]:
        """The names of the processes that run, sleep or are about to start."""
        planned = [event.action for _, _, event in self._agenda if isinstance(event.action, Process)]
        return [p.name for p in (*planned, self._current) if p is not None and not p.finished]

    def at(self, when: datetime, action: Callable[..., object], *args: Any) -> Event:
        """Call ``action(*args)`` at ``when``, or now if that has passed. Give a bound method and plain arguments."""
        return self._push(max(_to_millis(when), self._now), action, args)

    def after(self, delay: timedelta, action: Callable[..., object], *args: Any) -> Event:
        """Call ``action(*args)`` after ``delay``."""
        if delay.microseconds % 1000:
            return self.at(self.now + delay, action, *args)
        millis = delay.days * _DAY + delay.seconds * 1000 + delay.microseconds // 1000
        return self._push(self._now + max(0, millis), action, args)

    def spawn(self, name: str, body: Callable[[], None]) -> Process:
        """Start a process at the present instant, behind whatever is already due."""
        process = Process(self, name, body)
        process.wake = self._push(self._now, process)
        return process

    def resume_now(self, process: Process) -> None:
        """Put a sleeping process at the end of the present instant's queue."""
        process.wake = self._push(self._now, process)

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass for the running process; other events happen meanwhile.

        Outside of a process there is nobody to switch to, so time cannot pass: raises RuntimeError.
        """
        process = self._current
        if process is None:
            raise RuntimeError("only a process can sleep; the clock is moved with run_until")
        if process.killed is not None:
            raise process.killed  # whatever it still tries to do on its way out does not happen
        wake = self._now + max(0, round(seconds * 1000))
        if wake <= self._limit and not (self._agenda and self._agenda[0][0] <= wake):
            self._serial += 1
            self._now = wake  # nothing else happens before: the clock is all that moves
            return
        process.wake = self._push(wake, process)
        parent = process.greenlet.parent
        self._current = None
        parent.switch()
        self._current = process
        if process.killed is not None:
            raise process.killed

    def next_event_at(self) -> datetime | None:
        """When the next event is due, or None when nothing is planned."""
        while self._agenda and self._agenda[0][2].action is None:
            heapq.heappop(self._agenda)
        return _from_millis(self._agenda[0][0]) if self._agenda else None

    def run_until(self, when: datetime) -> None:
        """Let everything happen that is due up to and including ``when``, and end there."""
        limit = _to_millis(when)
        if limit < self._now:
            raise ValueError(f"the clock is at {self.now.isoformat()} and never runs backwards")
        agenda, before, self._limit = self._agenda, self._limit, limit
        try:
            while agenda and agenda[0][0] <= limit:
                at, _, event = heapq.heappop(agenda)
                action = event.action
                if action is None:
                    continue
                self._now = max(self._now, at)
                if type(action) is Process:
                    self._run(action)
                else:
                    action(*event.args)  # type: ignore[operator]
        finally:
            self._limit = before
        self._now = limit

    def _run(self, process: Process) -> None:
        previous, self._current = self._current, process
        try:
            process.proceed()
        finally:
            self._current = previous

    def _push(self, at: int, action: Callable[..., object] | Process, args: tuple[Any, ...] = ()) -> Event:
        self._serial += 1
        event = Event(action, args)
        heapq.heappush(self._agenda, (at, self._serial, event))
        return event


def _to_millis(when: datetime) -> int:
    if when.tzinfo is None:
        raise ValueError("instants are aware datetimes")
    since = when - _EPOCH
    return since.days * _DAY + since.seconds * 1000 + round(since.microseconds / 1000)


def _from_millis(millis: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=millis)
