"""When the cycles of a lane fall due, from its settings and its zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from patchgate.errors import InputError
from patchgate.plan.order_rules import LONGEST_OPEN_SECONDS
from patchgate.schedule import next_occurrence, parse

AFTERMATH = timedelta(minutes=30)
"""How long a run goes on after the last close: the close itself takes a moment."""

FIRST_START = datetime(2001, 9, 10, tzinfo=UTC)
LAST_START = datetime(2286, 11, 1, tzinfo=UTC)
"""Between these, an instant in epoch seconds has ten digits, as the runbook and its command document need it."""


def describe_refused_start(start: datetime) -> str:
    """Why no rehearsal can begin at that instant; "" when it can."""
    if FIRST_START <= start <= LAST_START:
        return ""
    return f"a rehearsal starts between {FIRST_START:%Y-%m-%d} and {LAST_START:%Y-%m-%d}"


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
    offset = int(settings["MaintenanceWindowScheduleOffset"])
    starts = schedule.occurrences(zone, start, offset_days=offset)
    begins = tuple(islice(starts, cycles + 1))
    windows = tuple((begin, begin + duration) for begin in begins[:cycles])
    if len(windows) < cycles:
        raise InputError(
            f"{name}: the window {settings['MaintenanceWindowCronSchedule']} opens {len(windows)} times after "
            f"{start:%Y-%m-%d}, not {cycles} times",
            remedy="rehearse fewer cycles, or an earlier start",
        )
    end = windows[-1][1]
    close = next_occurrence(settings["DisableMaintenanceWindow"], "scheduler", zone, end)
    latest = min([end + timedelta(seconds=LONGEST_OPEN_SECONDS), *begins[cycles:]])
    return LaneCalendar(zone, windows, (close if close and close < latest else end) + AFTERMATH)
