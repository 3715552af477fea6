"""The calendar of lanes: everything that starts in a time, in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from patchgate.config import LaneConfig
from patchgate.domain.lane import Lane
from patchgate.operations.calendar import Entry, list_entries
from patchgate.operations.deployment import LaneSettings, settle_lanes
from patchgate.schedule import ScheduleError

START = datetime(2026, 7, 1, tzinfo=UTC)


def settle(region: str = "eu-central-1", **parameters: str) -> tuple[LaneSettings, ...]:
    return settle_lanes([LaneConfig(Lane("111111111111", region, "ubuntu", "prd"), parameters)], "o-a1b2c3d4e5")


def entries(settings: tuple[LaneSettings, ...], start: datetime = START, days: int = 7) -> list[Entry]:
    return list_entries(settings, start, start + timedelta(days=days))


def test_a_week_has_one_of_each_in_order_with_its_length() -> None:
    found = entries(settle(DisableMaintenanceWindow="cron(10 4 ? * 1 *)"))
    assert [(one.kind, one.start.isoformat(), one.end - one.start) for one in found] == [
        ("backup", "2026-07-04T17:00:00+00:00", timedelta(hours=3)),
        ("gate", "2026-07-04T20:30:00+00:00", timedelta()),
        ("window", "2026-07-04T21:00:00+00:00", timedelta(hours=3)),
        ("close", "2026-07-05T02:10:00+00:00", timedelta()),
    ]
    assert {one.lane for one in found} == {"111111111111/eu-central-1/ubuntu/prd"}
    assert {one.zone for one in found} == {"Europe/Berlin"}


def test_the_start_is_inside_and_the_end_is_not() -> None:
    window = datetime(2026, 7, 4, 21, tzinfo=UTC)
    lanes = settle()
    assert [one.kind for one in list_entries(lanes, window, window + timedelta(minutes=1))] == ["window"]
    assert list_entries(lanes, window - timedelta(minutes=1), window) == []


def test_only_the_kinds_that_are_asked_for() -> None:
    found = list_entries(settle(), START, START + timedelta(days=28), ("gate", "close"))
    assert {one.kind for one in found} == {"gate", "close"}
    assert len(found) == 8


def test_lanes_are_told_in_one_order_of_time() -> None:
    lanes = (*settle("us-east-1"), *settle("eu-central-1"))
    found = entries(lanes)
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert len(found) == 8


def test_a_window_that_may_be_skipped_is_shown_and_marked() -> None:
    lanes = settle(MaintenanceWindowCronSchedule="cron(30 2 ? * 1 *)")
    found = list_entries(lanes, datetime(2026, 3, 23, tzinfo=UTC), datetime(2026, 4, 6, tzinfo=UTC), ("window",))
    assert [(one.start.isoformat(), one.uncertain) for one in found] == [
        ("2026-03-29T01:00:00+00:00", True),
        ("2026-04-05T00:30:00+00:00", False),
    ]


def test_a_close_that_a_clock_change_skips_is_not_shown() -> None:
    lanes = settle(DisableMaintenanceWindow="cron(10 2 ? * 1 *)")
    found = list_entries(lanes, datetime(2026, 3, 23, tzinfo=UTC), datetime(2026, 4, 6, tzinfo=UTC), ("close",))
    assert [one.start.isoformat() for one in found] == ["2026-04-05T00:10:00+00:00"]


def test_a_rate_has_no_calendar() -> None:
    with pytest.raises(ScheduleError, match="anchor"):
        entries(settle(MaintenanceWindowCronSchedule="rate(7 days)"))
