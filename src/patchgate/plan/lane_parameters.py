"""A lane's template parameters, with the schedules that are derived from ``schedule.patch``.

The close is the earliest that proves in the lane's own zone over fixed years, so that a fleet file means the same
parameters on every day. ``patchgate check`` proves them from today on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from patchgate.errors import InputError
from patchgate.plan.derivation import CycleTimes, DerivedCycle, derive_cycle
from patchgate.plan.freeze_calendar import freeze_calendar_name, needs_freeze_calendar

if TYPE_CHECKING:
    from patchgate.config import LaneConfig
    from patchgate.schedule.derivation import Statement

PROVED_FROM: Final = datetime(2026, 1, 1, tzinfo=UTC)
PROVED_UNTIL: Final = datetime(2046, 1, 1, tzinfo=UTC)

_CALENDARS = "FreezeCalendars"
_TIMES = {
    "duration_hours": "MaintenanceWindowDuration",
    "cutoff_hours": "MaintenanceWindowCutoff",
    "backup_start_minutes": "BackupStartWindowMinutes",
    "backup_completion_minutes": "BackupCompletionWindowMinutes",
}


def derive_lane(lane: LaneConfig) -> DerivedCycle | None:
    """The cycle that the lane's ``patch`` statement comes to; None where it has none.

    Raises InputError for a length that is not a whole number.
    """
    if lane.patch is None:
        return None
    given = {field: _whole(name, lane.parameters[name]) for field, name in _TIMES.items() if name in lane.parameters}
    times = CycleTimes(lead_minutes=lane.patch.lead_minutes, **given)
    return _derive(lane.patch.statement, times, lane.time_zone)


def lane_parameters(lane: LaneConfig) -> Mapping[str, str]:
    """Every template parameter that the fleet file gives the lane, for all templates; derived ones give way."""
    cycle = derive_lane(lane)
    values = {**(cycle.parameters() if cycle else {}), **lane.parameters}
    calendars = [*values.get(_CALENDARS, "").split(","), *(each.freeze.change_calendar or "" for each in lane.freezes)]
    calendars += [freeze_calendar_name(lane)] if needs_freeze_calendar(lane) else []
    if any(calendars):
        values[_CALENDARS] = ",".join(dict.fromkeys(name for name in calendars if name))
    return values


@lru_cache(maxsize=1024)
def _derive(statement: Statement, times: CycleTimes, zone: str) -> DerivedCycle:
    return derive_cycle(statement, times, (zone,) if zone else (), PROVED_FROM, PROVED_UNTIL)


def _whole(name: str, text: str) -> int:
    if not text.isdecimal():
        raise InputError(f"{name} is '{text}', not a whole number")
    return int(text)
