"""When a schedule runs: what every kind of schedule can tell.

Inside, time is whole seconds since 1970-01-01T00:00:00: of UTC (an *instant*) or of a wall clock (a *wall* time).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import repeat, takewhile
from typing import Final, Literal

from patchgate.schedule.dialects import RULES, Dialect, DialectRules, Kind
from patchgate.schedule.errors import Fault, Notice, ScheduleError
from patchgate.schedule.zones import Zone, load_zone

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


class Outlook(StrEnum):
    """Whether a schedule still runs."""

    ACTIVE = "active"
    EXPIRED = "expired"
    """It has run, or could have, but never will again."""
    NEVER = "never"
    """No instant from 1970 to 2199 matches it: the 30th of February, a time that its only day skips where the service
    documents that it then leaves it out."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that the service may do at a wall-clock time: run at these instants (epoch seconds), or not at all."""

    name: str
    epochs: tuple[int, ...]

    @property
    def instants(self) -> tuple[datetime, ...]:
        """The instants as aware UTC datetimes."""
        return tuple(from_epoch(epoch) for epoch in self.epochs)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One wall-clock time that matches the expression, with everything that the service may make of it.

    The first reading is the one that ``occurrences`` follows. ``wall_epoch`` is the wall clock's time as seconds since
    1970-01-01T00:00:00 of that clock. ``edge`` says whether a clock change skips the time or repeats it.
    """

    wall_epoch: int
    edge: Literal["none", "gap", "overlap"]
    readings: tuple[Reading, ...]

    @property
    def wall(self) -> datetime:
        """The wall clock's time, naive because it is local."""
        return from_epoch(self.wall_epoch).replace(tzinfo=None)

    @property
    def is_certain(self) -> bool:
        """Whether there is only one reading."""
        return len(self.readings) == 1


class Schedule(ABC):
    """A parsed expression. Immutable and cheap to keep; equal expressions of one dialect are equal.

    All methods that take a zone raise ScheduleError when the database does not have it, when the dialect is UTC
    only and the zone is not, and when ``offset_days`` is not allowed. ``anchor`` is the moment at which the schedule
    was created or starts: a rate counts from it (and cannot do without); of the others nothing before it counts.
    """

    kind: Kind

    def __init__(self, expression: str, dialect: Dialect, undocumented: tuple[Notice, ...]) -> None:
        self.expression = expression
        self.dialect = dialect
        self.undocumented = undocumented
        """What the expression says that AWS documents nowhere, with the reading chosen."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schedule):
            return NotImplemented
        return (self.expression, self.dialect) == (other.expression, other.dialect)

    def __hash__(self) -> int:
        return hash((self.expression, self.dialect))

    def __repr__(self) -> str:
        return f"parse({self.expression!r}, {self.dialect!r})"

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        from patchgate.schedule.grammar import parse  # noqa: PLC0415 - the grammar builds schedules

        return parse, (self.expression, self.dialect)

    @property
    def rules(self) -> DialectRules:
        """What the expression's service takes."""
        return RULES[self.dialect]

    @property
    @abstractmethod
    def can_fire(self) -> bool:
        """False when the calendar itself rules it out (the 30th of February), whatever the zone."""

    @abstractmethod
    def _epochs(self, zone: Zone, after: int, offset_days: int, anchor: int | None) -> Iterator[int]:
        """The instants after ``after``, ascending."""

    def _between(self, zone: Zone, after: int, until: int, offset_days: int, anchor: int | None) -> list[int]:
        """The instants after ``after`` and up to ``until``, ascending."""
        return list(takewhile(until.__ge__, self._epochs(zone, after, offset_days, anchor)))

    @abstractmethod
    def _readings(self, zone: Zone, after: int, offset_days: int, anchor: int | None) -> Iterator[Occurrence]:
        """The occurrences of which any reading is after ``after``, by wall-clock time."""

    def occurrences(
        self, zone: str, after: datetime, *, offset_days: int = 0, anchor: datetime | None = None
    ) -> Iterator[datetime]:
        """When it runs after ``after`` (exclusive), as aware UTC datetimes, in order, up to the year 2199.

        Where a clock change skips or repeats a local time, this follows what EventBridge Scheduler documents: a time
        that does not exist is skipped, one that exists twice counts once, on its first pass. For AWS Backup and Systems
        Manager AWS documents nothing: see ``readings``. ``offset_days`` is Systems Manager's ScheduleOffset.
        """
        epochs = self.occurrences_epoch(
            zone, to_epoch(after), offset_days=offset_days, anchor=None if anchor is None else to_epoch(anchor)
        )
        return map(datetime.fromtimestamp, epochs, repeat(UTC))

    def occurrences_epoch(
        self, zone: str, after: int, *, offset_days: int = 0, anchor: int | None = None
    ) -> Iterator[int]:
        """The same as whole seconds since the Unix epoch: for work in bulk."""
        return self._epochs(self._zone(zone), after, self._offset(offset_days), anchor)

    def between_epoch(
        self, zone: str, after: int, until: int, *, offset_days: int = 0, anchor: int | None = None
    ) -> list[int]:
        """The instants after ``after`` and up to ``until`` (inclusive), in epoch seconds."""
        return self._between(self._zone(zone), after, until, self._offset(offset_days), anchor)

    def readings(
        self, zone: str, after: datetime, *, offset_days: int = 0, anchor: datetime | None = None
    ) -> Iterator[Occurrence]:
        """Every occurrence with all that the service may make of it, by wall-clock time.

        Away from clock changes there is one reading. Where AWS does not document what happens, a skipped time may be
        left out, run at the clock change, or run as much later as the clock jumps; a repeated one may run on the
        first pass, the second, or both. An occurrence is included when any of its readings is after ``after``.
        """
        start = None if anchor is None else to_epoch(anchor)
        return self._readings(self._zone(zone), to_epoch(after), self._offset(offset_days), start)

    def outlook(self, zone: str, now: datetime, *, offset_days: int = 0, anchor: datetime | None = None) -> Outlook:
        """Whether it runs after ``now``, or only did before, or never does, in any reading that AWS leaves open."""
        if self._runs_after(zone, now, offset_days, anchor):
            return Outlook.ACTIVE
        start = anchor if self.kind == "rate" else None
        return Outlook.EXPIRED if self._runs_after(zone, EPOCH - _SECOND, offset_days, start) else Outlook.NEVER

    def _runs_after(self, zone: str, after: datetime, offset_days: int, anchor: datetime | None) -> bool:
        """Whether any reading of any occurrence is after ``after``; those that ``occurrences`` follows are quicker."""
        if next(self.occurrences(zone, after, offset_days=offset_days, anchor=anchor), None) is not None:
            return True
        floor = to_epoch(after if anchor is None or self.kind == "rate" else max(after, anchor))
        found = self.readings(zone, after, offset_days=offset_days, anchor=anchor)
        return any(epoch > floor for one in found for reading in one.readings for epoch in reading.epochs)

    def _zone(self, name: str) -> Zone:
        zone = load_zone(name)
        if self.rules.utc_only and not zone.is_utc:
            fault = Fault("time zone", name, 0, f"zone {name} given", f"{self.rules.service}: UTC only")
            raise ScheduleError(self.expression, fault, remedy="use EventBridge Scheduler for local time")
        return zone

    def _offset(self, days: int) -> int:
        if days == 0:
            return 0
        if self.kind == "cron" and self.rules.offsets and 1 <= days <= 6:
            return days
        rule = "an offset is 1 to 6 days, for cron expressions of Systems Manager only"
        raise ScheduleError(self.expression, Fault("schedule offset", str(days), 0, f"{days} days", rule))


def to_epoch(instant: datetime) -> int:
    """Whole seconds since the Unix epoch, rounded down. Raises ValueError when ``instant`` is naive."""
    if instant.tzinfo is None:
        raise ValueError(f"an aware datetime is needed, not {instant!r}")
    return (instant - EPOCH) // _SECOND


def from_epoch(epoch: int) -> datetime:
    """The instant as an aware UTC datetime."""
    return datetime.fromtimestamp(epoch, UTC)
