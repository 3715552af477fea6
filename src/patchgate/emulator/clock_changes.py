"""Schedules of the services that do not say what they do at a clock change: AWS Backup and maintenance windows.

Away from clock changes this is the schedule's own ``occurrences``; near them a ``ClockReading`` decides, and each of
the two services has its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from patchgate.emulator.assumptions import ClockReading
from patchgate.schedule.occurrences import from_epoch, to_epoch
from patchgate.schedule.zones import load_zone

if TYPE_CHECKING:
    from patchgate.schedule import Schedule

NEAR = timedelta(days=2)


def read_occurrences(
    schedule: Schedule,
    zone: str,
    after: datetime,
    clock: ClockReading,
    *,
    offset_days: int = 0,
    anchor: datetime | None = None,
) -> Iterator[datetime]:
    """When a schedule runs after ``after`` (exclusive), ascending, by that reading of clock changes.

    Raises ScheduleError as ``Schedule.occurrences`` does.
    """
    plain = schedule.occurrences(zone, after, offset_days=offset_days, anchor=anchor)
    if clock == ClockReading() or schedule.kind == "rate" or load_zone(zone).is_utc:
        yield from plain
        return
    cursor = after
    while True:
        upcoming = next(plain, None)
        if _is_calm(zone, cursor, upcoming):
            if upcoming is None:
                return
            cursor = upcoming
        else:
            found = _next_reading(schedule, zone, cursor, clock, offset_days, anchor)
            if found is None:
                return
            cursor = found
            plain = schedule.occurrences(zone, cursor, offset_days=offset_days, anchor=anchor)
        yield cursor


def shows_alike(zone: str, one: datetime, other: datetime) -> bool:
    """Whether the zone's clock shows the same date and time at two instants."""
    table = load_zone(zone)
    epochs = to_epoch(one), to_epoch(other)
    return len({epoch + table.offset_at(epoch) for epoch in epochs}) == 1


def _is_calm(zone: str, begin: datetime, end: datetime | None) -> bool:
    """Whether no clock change is near: between the instants or within two days of one of them."""
    starts = load_zone(zone).starts
    upcoming = bisect_left(starts, to_epoch(begin - NEAR))
    return upcoming == len(starts) or (end is not None and starts[upcoming] > to_epoch(end + NEAR))


def _next_reading(
    schedule: Schedule,
    zone: str,
    after: datetime,
    clock: ClockReading,
    offset_days: int,
    anchor: datetime | None,
) -> datetime | None:
    """The first instant after ``after``; of local times close to each other, the later one may come first."""
    wanted = {"none": "exact", "gap": clock.skipped, "overlap": clock.repeated}
    earliest = to_epoch(after)
    best: int | None = None
    for one in schedule.readings(zone, after - NEAR, offset_days=offset_days, anchor=anchor):
        if best is not None and one.wall_epoch > best + NEAR // timedelta(seconds=1):
            break
        for reading in one.readings:
            if reading.name == wanted[one.edge]:
                later = [instant for instant in reading.epochs if instant > earliest]
                best = min([best, *later] if best is not None else later, default=None)
    return None if best is None else from_epoch(best)
