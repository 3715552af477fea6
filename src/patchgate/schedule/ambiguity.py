"""Where AWS does not say when a schedule runs: the few occurrences that clock changes make uncertain.

A proof needs only these with all their readings, and can take the rest in bulk. Found around the zone's clock changes,
so that ten years cost no more than their changes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import product

from patchgate.schedule.months import DAY
from patchgate.schedule.occurrences import Occurrence, Schedule, from_epoch, to_epoch
from patchgate.schedule.zones import load_zone

_NEAR = 2 * DAY


def uncertain_occurrences(
    schedule: Schedule, zone: str, after: int, until: int, *, offset_days: int = 0
) -> list[Occurrence]:
    """The occurrences from ``after`` to ``until`` (epoch seconds) that have more than one reading, by wall-clock time.

    None for the services that document what they do, and for rates, which know no wall clock.
    Raises ScheduleError for a zone that the database does not have.
    """
    if schedule.kind == "rate" or (schedule.rules.documents_edges and schedule.kind != "at"):
        return []
    if schedule.kind == "at":
        return _within(schedule.readings(zone, from_epoch(after), offset_days=offset_days), until)
    starts = load_zone(zone).starts
    found: dict[int, Occurrence] = {}
    for change in starts[bisect_left(starts, after - _NEAR) : bisect_right(starts, until + _NEAR)]:
        near = schedule.readings(zone, from_epoch(max(change - _NEAR, after)), offset_days=offset_days)
        found |= {one.wall_epoch: one for one in _within(near, min(change + _NEAR, until))}
    return [found[wall] for wall in sorted(found)]


def skipped_occurrence(schedule: Schedule, zone: str, after: int, until: int) -> Occurrence | None:
    """The first wall-clock time between two instants at which it would run, had a clock change not skipped it."""
    if schedule.kind == "rate":
        return None
    starts = load_zone(zone).starts
    for change in starts[bisect_left(starts, after) : bisect_right(starts, until)]:
        for one in schedule.readings(zone, from_epoch(change - DAY)):
            if one.wall_epoch > change + _NEAR:
                break
            if one.edge == "gap" and load_zone(zone).gap_around(one.wall_epoch)[0] == change:
                return one
    return None


def reading_choices(occurrences: list[Occurrence]) -> Iterator[dict[str, str]]:
    """Every way in which one service may read them: edge -> name of the reading.

    Assumed: a service treats all times that a change skips alike, and all that one repeats alike.
    """
    names: dict[str, tuple[str, ...]] = {}
    for occurrence in occurrences:
        names.setdefault(occurrence.edge, tuple(reading.name for reading in occurrence.readings))
    for chosen in product(*names.values()):
        yield dict(zip(names, chosen, strict=True))


def wall_clock(instant: datetime, zone: str) -> datetime:
    """An instant on the zone's wall clock: an aware datetime with the offset from UTC in force."""
    offset = load_zone(zone).offset_at(to_epoch(instant))
    return instant.astimezone(timezone(timedelta(seconds=offset)))


def _within(occurrences: Iterator[Occurrence], until: int) -> list[Occurrence]:
    found: list[Occurrence] = []
    for one in occurrences:
        if one.wall_epoch > until + DAY:
            break
        if not one.is_certain:
            found.append(one)
    return found
