"""When the cycles of a lane fall due, from its settings and its zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from patchgate.errors import InputError
from patchgate.schedule import next_occurrence, parse

AFTERMATH = timedelta(minutes=30)
"""How long a run goes on after the last close: the close itself takes a moment."""


@dataclass(frozen=True, slots=True)
class LaneCalendar:
    """The windows of a lane that fall due in a run, and when the last close is through."""

    zone: str
    windows: tuple[tuple[datetime, datetime], ...]
    end: datetime


def read_calendar(name: str, settings: Mapping[str, str], zone: str, start: datetime, cycles: int) -> LaneCalendar:
    """The next ``cycles`` windows of a lane after ``start``; InputError when there are not so many."""
    schedule = parse(settings["MaintenanceWindowCronSchedule"], "ssm")
    duration = timedelta(hours=int(settings["MaintenanceWindowDuration"]))
    windows = tuple((begin, begin + duration) for begin in islice(schedule.occurrences(zone, start), cycles))
    if len(windows) < cycles:
        raise InputError(
            f"{name}: the window {settings['MaintenanceWindowCronSchedule']} opens {len(windows)} times after "
            f"{start:%Y-%m-%d}, not {cycles} times",
            remedy="rehearse fewer cycles, or an earlier start",
        )
    end = windows[-1][1]
    close = next_occurrence(settings["DisableMaintenanceWindow"], "scheduler", zone, end)
    return LaneCalendar(zone, windows, (close if close and close < end + duration else end) + AFTERMATH)
