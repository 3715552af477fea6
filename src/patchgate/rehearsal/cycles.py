"""When the cycles of a lane fall due, from its settings and its zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from patchgate.emulator.assumptions import ClockReading
from patchgate.emulator.clock_changes import shows_alike
from patchgate.emulator.ssm_windows_model import WindowTimes
from patchgate.errors import InputError
from patchgate.plan.order_rules import LONGEST_OPEN_SECONDS
from patchgate.schedule import next_occurrence

AS_SCHEDULER = ClockReading()
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


@dataclass(frozen=True, slots=True)
class WindowSchedule:
    """When a maintenance window starts, and for how long."""

    times: WindowTimes
    duration: timedelta

    def windows(self, after: datetime, clock: ClockReading = AS_SCHEDULER) -> Iterator[tuple[datetime, datetime]]:
        """The (start, end) of every window after ``after``, by that reading of clock changes.

        One that starts on both passes of a repeated hour, the second time before its end, is one window until the end
        of the second, as in ``patchgate check``: Systems Manager may skip the second start, or run it.
        """
        current: tuple[datetime, datetime] | None = None
        for start in self.times.after(after, clock):
            if current is not None and start < current[1] and shows_alike(self.times.zone, current[0], start):
                current = current[0], start + self.duration
                continue
            if current is not None:
                yield current
            current = start, start + self.duration
        if current is not None:
            yield current


def window_schedule(settings: Mapping[str, str], zone: str) -> WindowSchedule:
    """The schedule of the window of a lane with those settings."""
    duration = timedelta(hours=int(settings["MaintenanceWindowDuration"]))
    offset = int(settings["MaintenanceWindowScheduleOffset"])
    return WindowSchedule(WindowTimes(settings["MaintenanceWindowCronSchedule"], zone, offset), duration)


def read_calendar(
    name: str,
    settings: Mapping[str, str],
    zone: str,
    start: datetime,
    cycles: int,
    clock: ClockReading = AS_SCHEDULER,
) -> LaneCalendar:
    """The next ``cycles`` windows of a lane after ``start``, by that reading of clock changes; InputError when there
    are not so many.
    """
    upcoming = tuple(islice(window_schedule(settings, zone).windows(start, clock), cycles + 1))
    windows = upcoming[:cycles]
    if len(windows) < cycles:
        raise InputError(
            f"{name}: the window {settings['MaintenanceWindowCronSchedule']} opens {len(windows)} times after "
            f"{start:%Y-%m-%d}, not {cycles} times",
            remedy="rehearse fewer cycles, or an earlier start",
        )
    end = windows[-1][1]
    close = next_occurrence(settings["DisableMaintenanceWindow"], "scheduler", zone, end)
    latest = min([end + timedelta(seconds=LONGEST_OPEN_SECONDS), *(begin for begin, _ in upcoming[cycles:])])
    return LaneCalendar(zone, windows, (close if close and close < latest else end) + AFTERMATH)
