"""Schedules without a calendar: rates, and those that run once."""

from __future__ import annotations

from collections.abc import Iterator

from patchgate.schedule.dialects import Dialect
from patchgate.schedule.edges import certain_occurrence, occurrence_at
from patchgate.schedule.errors import Fault, Notice, ScheduleError
from patchgate.schedule.months import HORIZON
from patchgate.schedule.occurrences import Occurrence, Reading, Schedule
from patchgate.schedule.zones import Zone


class RateSchedule(Schedule):
    """``rate(7 days)``: every so many seconds from its anchor. A day is 24 hours, whatever the clocks do.

    EventBridge Scheduler documents that the first run is at the anchor (the start date, or at once). For EventBridge
    rules and Systems Manager AWS documents no first run: here it is one interval after the anchor.
    """

    kind = "rate"

    def __init__(
        self, expression: str, dialect: Dialect, undocumented: tuple[Notice, ...], interval_seconds: int
    ) -> None:
        super().__init__(expression, dialect, undocumented)
        self.interval_seconds = interval_seconds

    @property
    def can_fire(self) -> bool:
        """Always true."""
        return True

    def _epochs(self, zone: Zone, after: int, offset_days: int, anchor: int | None) -> Iterator[int]:  # noqa: ARG002
        if anchor is None:
            rule = "a rate counts from the moment at which its schedule was created or starts: give that anchor"
            raise ScheduleError(self.expression, Fault("anchor", "", 0, "no anchor", rule))
        first = anchor if self.rules.starts_at_anchor else anchor + self.interval_seconds
        missed = max(0, (after - first) // self.interval_seconds + 1)
        return iter(range(first + missed * self.interval_seconds, HORIZON, self.interval_seconds))

    def _readings(self, zone: Zone, after: int, offset_days: int, anchor: int | None) -> Iterator[Occurrence]:
        epochs = self._epochs(zone, after, offset_days, anchor)
        return (certain_occurrence(epoch + (offset := zone.offset_at(epoch)), offset) for epoch in epochs)


class AtSchedule(Schedule):
    """``at(2026-07-04T22:30:00)``: once, at a wall-clock time of the zone.

    Systems Manager's page calls the time stamp UTC, and combines it with a zone: another reading there.
    """

    kind = "at"

    def __init__(self, expression: str, dialect: Dialect, undocumented: tuple[Notice, ...], wall_epoch: int) -> None:
        super().__init__(expression, dialect, undocumented)
        self.wall_epoch = wall_epoch

    @property
    def can_fire(self) -> bool:
        """Always true: a date that does not exist is not accepted."""
        return True

    def _epochs(self, zone: Zone, after: int, offset_days: int, anchor: int | None) -> Iterator[int]:  # noqa: ARG002
        floor = after if anchor is None else max(after, anchor)
        return (epoch for epoch in zone.instants(self.wall_epoch)[:1] if epoch > floor)

    def _readings(self, zone: Zone, after: int, offset_days: int, anchor: int | None) -> Iterator[Occurrence]:  # noqa: ARG002
        floor = after if anchor is None else max(after, anchor)
        found = occurrence_at(zone, self.wall_epoch, documented=self.rules.documents_edges)
        if self.dialect == "ssm" and not zone.is_utc:
            readings = (*found.readings, Reading("as UTC", (self.wall_epoch,)))
            found = Occurrence(self.wall_epoch, found.edge, readings)
        if any(epoch > floor for reading in found.readings for epoch in reading.epochs):
            yield found
