"""From a fleet file's settings to template parameters: derived schedules, and freezes as change calendars."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from patchgate.config import FreezePeriod, LaneConfig, parse_fleet
from patchgate.domain.lane import Lane
from patchgate.emulator.ssm_calendar import parse_calendar
from patchgate.errors import InputError
from patchgate.plan.freeze_calendar import build_freeze_calendar, render_freeze_calendar
from patchgate.plan.lane_parameters import derive_lane, lane_parameters

FLEET = """\
version: 1
organization: {id: o-a1b2c3d4e5, log_account: web}
accounts: [{id: "111111111111", name: web}]
defaults: {%s}
targets:
  - {accounts: [web], regions: [eu-central-1], operating_systems: [ubuntu], environments: [prd]}
"""
TODAY = date(2026, 11, 1)


def lane_with(defaults: str, today: date | None = TODAY) -> LaneConfig:
    (lane,) = parse_fleet((FLEET % defaults).encode(), "f.yaml").lanes(today=today)
    return lane


def test_one_statement_becomes_the_four_schedules() -> None:
    values = lane_parameters(lane_with("schedule: {patch: {weekday: SAT, at: '22:00'}, lead_minutes: 45}"))
    assert values["MaintenanceWindowCronSchedule"] == "cron(0 22 ? * SAT *)"
    assert values["CheckBackUpJobAndEnableMaintenanceWindow"] == "cron(15 21 ? * SAT *)"
    assert values["BackupSchedule"] == "cron(45 17 ? * SAT *)"
    assert values["DisableMaintenanceWindow"] == "cron(10 3 ? * SUN *)"  # 02:10 is skipped when summer time begins


def test_the_statement_is_proved_in_the_lanes_own_zone() -> None:
    cycle = derive_lane(lane_with("schedule: {patch: 'cron(0 22 ? * SAT *)'}, time_zone: Pacific/Auckland"))
    assert cycle is not None
    assert cycle.holds
    assert [proof.schedules.zone for proof in cycle.proofs] == ["Pacific/Auckland"]


def test_lengths_are_those_of_the_lane_however_they_are_given() -> None:
    values = lane_parameters(
        lane_with(
            "schedule: {patch: {weekday: SAT, at: '20:00'}, duration_hours: 6},"
            " parameters: {BackupCompletionWindowMinutes: 240}"
        )
    )
    assert values["BackupSchedule"] == "cron(0 14 ? * SAT *)"
    assert values["DisableMaintenanceWindow"] == "cron(10 3 ? * SUN *)"


def test_a_later_parameter_wins_over_a_derived_one() -> None:
    fleet = parse_fleet((FLEET % "schedule: {patch: {at: '22:00'}}").encode(), "f.yaml")
    lane = LaneConfig(
        fleet.lanes()[0].lane, {"DisableMaintenanceWindow": "cron(0 5 * * ? *)"}, patch=fleet.lanes()[0].patch
    )
    assert lane_parameters(lane)["DisableMaintenanceWindow"] == "cron(0 5 * * ? *)"


def test_without_a_statement_nothing_is_derived() -> None:
    assert derive_lane(lane_with("approval_days: 3")) is None
    assert lane_parameters(lane_with("approval_days: 3")) == {"ApproveAfterDays": "3"}


def test_a_length_that_is_no_number_is_refused() -> None:
    lane = lane_with("schedule: {patch: {at: '22:00'}}, parameters: {MaintenanceWindowDuration: long}")
    with pytest.raises(InputError, match="MaintenanceWindowDuration is 'long', not a whole number"):
        lane_parameters(lane)


def test_change_calendars_are_handed_on_and_other_freezes_become_one() -> None:
    lane = lane_with(
        "parameters: {FreezeCalendars: mine}, freezes: [{reason: a, change_calendar: theirs},"
        " {reason: b, change_calendar: mine}, {reason: c, first_day: 12-18, last_day: 01-04}]"
    )
    assert lane_parameters(lane)["FreezeCalendars"] == "mine,theirs,patchgate-freezes-ubuntu-prd"


def test_freezes_of_the_past_need_no_calendar_but_while_the_day_is_not_known_any_may_hold() -> None:
    past = "freezes: [{reason: c, first_day: 2020-12-18, last_day: 2021-01-04}]"
    assert "FreezeCalendars" not in lane_parameters(lane_with(past))
    assert build_freeze_calendar(lane_with(past)) is None
    assert lane_parameters(lane_with(past, today=None))["FreezeCalendars"] == "patchgate-freezes-ubuntu-prd"
    assert build_freeze_calendar(lane_with(past, today=None)) is None


def test_the_calendar_is_closed_exactly_in_its_periods() -> None:
    calendar = build_freeze_calendar(lane_with("freezes: [{reason: closing, first_day: 12-18, last_day: 01-04}]"))
    assert calendar is not None
    assert calendar.name == "patchgate-freezes-ubuntu-prd"
    assert calendar.until == datetime(2029, 1, 4, 23, tzinfo=UTC)
    read = parse_calendar(calendar.text)
    closed = [
        at
        for at in (
            datetime(2026, 12, 17, 22, 59, tzinfo=UTC),
            datetime(2026, 12, 17, 23, 0, tzinfo=UTC),
            datetime(2027, 1, 4, 22, 59, tzinfo=UTC),
            datetime(2027, 1, 4, 23, 0, tzinfo=UTC),
        )
        if read.state(at)[0] == "CLOSED"
    ]
    assert closed == [datetime(2026, 12, 17, 23, 0, tzinfo=UTC), datetime(2027, 1, 4, 22, 59, tzinfo=UTC)]


def test_its_text_is_the_same_all_year_and_is_an_event_for_every_period() -> None:
    text = "freezes: [{reason: 'a, b; c', first_day: 12-18, last_day: 01-04}]"
    early, late = (build_freeze_calendar(lane_with(text, day)) for day in (date(2026, 1, 1), date(2026, 12, 31)))
    assert early == late
    assert early is not None
    assert early.text.splitlines()[:4] == [
        "BEGIN:VCALENDAR",
        "PRODID:-//AWS//Change Calendar 1.0//EN",
        "VERSION:2.0",
        "X-CALENDAR-TYPE:DEFAULT_OPEN",
    ]
    assert early.text.count("SUMMARY:a\\, b\\; c\r\n") == early.text.count("BEGIN:VEVENT") == 4


def test_its_stack_holds_the_document_and_changes_it_in_place() -> None:
    calendar = build_freeze_calendar(lane_with("freezes: [{reason: a, first_day: 12-18, last_day: 01-04}]"))
    assert calendar is not None
    (resource,) = json.loads(calendar.template())["Resources"].values()
    assert resource["Type"] == "AWS::SSM::Document"
    assert resource["Properties"]["Content"] == calendar.text
    assert resource["Properties"]["UpdateMethod"] == "NewVersion"


def test_more_freezes_than_cloudformation_takes_are_refused_with_a_way_on() -> None:
    days = [
        datetime(2026, 1, 1, tzinfo=UTC).replace(month=month, day=day) for month in range(1, 13) for day in range(1, 28)
    ]
    periods = tuple(FreezePeriod(day, day.replace(hour=1), ("x" * 150,)) for day in days)
    lane = LaneConfig(Lane("111111111111", "eu-central-1", "ubuntu", "prd"), freeze_periods=periods)
    calendar = build_freeze_calendar(lane)
    assert calendar is not None
    with pytest.raises(InputError, match="more than CloudFormation's 50 KB") as refused:
        calendar.template()
    assert "change_calendar" in refused.value.remedy
    assert max(map(len, render_freeze_calendar(periods).splitlines())) <= 75
