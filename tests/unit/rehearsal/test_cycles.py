"""When the windows of a lane fall due, by each reading of clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from patchgate.config import parse_fleet
from patchgate.emulator.assumptions import Assumptions, ClockReading
from patchgate.emulator.ssm_windows_model import WindowTimes
from patchgate.rehearsal.cycles import WindowSchedule
from patchgate.rehearsal.run import write_script

FRIDAY = datetime(2026, 10, 23, 10, tzinfo=UTC)
FLEET = """\
version: 1
organization: {id: o-a1b2c3d4e5, log_account: web}
accounts: [{id: "111111111111", name: web}]
targets:
  - accounts: [web]
    regions: [eu-central-1]
    environments: [prd]
    operating_systems: [amazonlinux]
    parameters:
      BackupSchedule: cron(0 21 * * ? *)
      CheckBackUpJobAndEnableMaintenanceWindow: cron(15 1 * * ? *)
      MaintenanceWindowCronSchedule: cron(30 2 * * ? *)
      DisableMaintenanceWindow: cron(45 5 * * ? *)
"""


def windows(schedule: WindowSchedule, clock: ClockReading, count: int = 3) -> list[str]:
    return [f"{start:%d %H:%M}-{end:%H:%M}" for start, end in islice(schedule.windows(FRIDAY, clock), count)]


def nightly(hours: int) -> WindowSchedule:
    return WindowSchedule(WindowTimes("cron(30 2 * * ? *)", "Europe/Berlin"), timedelta(hours=hours))


def test_a_window_that_runs_through_both_passes_is_one_until_the_end_of_the_second() -> None:
    both = ClockReading(repeated="both passes")
    assert windows(nightly(3), both) == ["24 00:30-03:30", "25 00:30-04:30", "26 01:30-04:30"]


def test_a_window_that_ends_between_both_passes_is_two() -> None:
    both = ClockReading(repeated="both passes")
    assert windows(nightly(1), both) == ["24 00:30-01:30", "25 00:30-01:30", "25 01:30-02:30"]


def test_windows_that_follow_each_other_before_they_end_stay_apart() -> None:
    crowded = WindowSchedule(WindowTimes("rate(2 hours)", "Europe/Berlin", created=FRIDAY), timedelta(hours=3))
    assert windows(crowded, ClockReading()) == ["23 12:00-15:00", "23 14:00-17:00", "23 16:00-19:00"]


def test_a_schedule_that_ends_has_a_last_window() -> None:
    once = WindowSchedule(WindowTimes("at(2026-10-24T02:30:00)", "Europe/Berlin"), timedelta(hours=3))
    assert windows(once, ClockReading()) == ["24 00:30-03:30"]


@pytest.mark.parametrize(("reading", "start", "close"), [
    ("first pass", "25 00:30", "25 05:15"),
    ("second pass", "25 01:30", "25 05:15"),
    ("both passes", "25 00:30", "25 05:15"),
])  # fmt: skip
def test_a_rehearsal_is_told_the_window_of_its_own_reading(reading: str, start: str, close: str) -> None:
    fleet, saturday = parse_fleet(FLEET.encode(), "fleet.yaml"), datetime(2026, 10, 24, 10, tzinfo=UTC)
    assumptions = Assumptions(window_at_repeated_time=reading)  # type: ignore[arg-type]
    script = write_script(fleet, saturday, 1, assumptions)
    (facts,) = script.facts()
    assert [f"{begin:%d %H:%M}" for begin, _ in facts.occurrences] == [start]
    assert f"{script.end:%d %H:%M}" == close
