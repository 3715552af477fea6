"""What runs when, lane by lane: the calendar of backups, gates, windows and closes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from patchgate.operations.check import lane_zone
from patchgate.operations.deployment import LaneSettings
from patchgate.plan.order_timeline import LaneSchedules, ParsedSchedules
from patchgate.schedule import Schedule

Kind = Literal["backup", "gate", "window", "close"]
KINDS: tuple[Kind, ...] = ("backup", "gate", "window", "close")


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One run in a lane: ``start`` and ``end`` are aware UTC datetimes, equal for gates and closes.

    A backup ends at its worst: start window and completion window together. ``uncertain``: a clock change is near, and
    AWS does not document what happens: it may run then, at another time, or not at all. ``offset_days`` is a window's
    ScheduleOffset: it starts that many days after the expression's day.
    """

    start: datetime
    end: datetime
    lane: str
    kind: Kind
    zone: str
    expression: str
    uncertain: bool = False
    offset_days: int = 0


def list_entries(
    lanes: Sequence[LaneSettings], start: datetime, until: datetime, kinds: Sequence[Kind] = KINDS
) -> list[Entry]:
    """Everything that starts from ``start`` (inclusive) to ``until`` (exclusive) in the lanes, in order of time.

    Raises ScheduleError for an expression that AWS refuses, a rate among them (nobody knows where it counts from), and
    InputError for a lane whose zone is not known.
    """
    return sorted(entry for lane in lanes for entry in _lane_entries(lane, start, until, kinds))


def _lane_entries(settings: LaneSettings, start: datetime, until: datetime, kinds: Sequence[Kind]) -> Iterator[Entry]:
    zone = lane_zone(settings)
    lane = LaneSchedules.from_parameters(settings.values, zone)
    schedules = lane.parsed()
    for kind in kinds:
        schedule, length = _schedule(kind, lane, schedules)
        offset = lane.window_offset_days if kind == "window" else 0
        for occurrence in schedule.readings(zone, start - timedelta(seconds=1), offset_days=offset):
            if occurrence.wall.replace(tzinfo=UTC) - timedelta(days=2) > until:
                break
            possible = (reading.instants for reading in occurrence.readings if reading.instants)
            for instant in next(possible, ()):
                if start <= instant < until:
                    yield Entry(
                        start=instant,
                        end=instant + length,
                        lane=settings.lane.name,
                        kind=kind,
                        zone=zone,
                        expression=schedule.expression,
                        uncertain=not occurrence.is_certain,
                        offset_days=offset,
                    )


def _schedule(kind: Kind, lane: LaneSchedules, schedules: ParsedSchedules) -> tuple[Schedule, timedelta]:
    match kind:
        case "backup":
            return schedules.backup, timedelta(minutes=lane.backup_start_minutes + lane.backup_completion_minutes)
        case "window":
            return schedules.window, timedelta(hours=lane.duration_hours)
        case "gate":
            return schedules.gate, timedelta()
        case "close":
            return schedules.close, timedelta()
