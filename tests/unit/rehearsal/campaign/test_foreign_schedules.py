"""When the cycles of other people's templates fall due: around each window, and between the dates that they name."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.errors import InputError

from .others import backups, broken, function, grounds_of, run, schedule, shapes, task, window, write

CLOSE = """
import boto3
def handler(event, context):
    boto3.client("ssm").update_maintenance_window(WindowId=event["window"], Enabled=False)
"""
GATE: dict[str, Any] = {"settings": {"WINDOW": "rare"}}
SUNDAYS = "cron(0 3 ? * SUN *)"
DAY = "%d %H:%M"


def rule(of: str, expression: str) -> dict[str, object]:
    """The resources of an EventBridge rule that runs a function."""
    target = {"Id": "one", "Arn": {"Fn::GetAtt": [of, "Arn"]}}
    permission = {"FunctionName": {"Ref": of}, "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    return {
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": "often", "ScheduleExpression": expression, "Targets": [target]},
        },
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": permission},
    }


def test_a_frequent_backup_of_a_rare_window_is_the_one_before_each(tmp_path: Path) -> None:
    found = window("rare", task(), Schedule=SUNDAYS, ScheduleTimezone="UTC") | backups("cron(0 0/4 * * ? *)")
    with grounds_of(write(tmp_path, patching=found)) as (_, (ground,)):
        told = [(f"{one.backup:{DAY}}", f"{one.start:{DAY}}") for one in ground.terrain.cycles]
        assert told == [("12 00:00", "12 03:00"), ("19 00:00", "19 03:00"), ("26 00:00", "26 03:00")]


@pytest.mark.parametrize("expression", ["rate(15 minutes)", "cron(0/15 * * * ? *)"])
@pytest.mark.parametrize("service", ["scheduler", "events"])
def test_a_gate_that_polls_is_due_just_before_each_window(tmp_path: Path, expression: str, service: str) -> None:
    runs = schedule("often", "Gate", expression) if service == "scheduler" else rule("Gate", expression)
    found = window("rare", task(), Schedule=SUNDAYS, ScheduleTimezone="UTC") | function("Gate", **GATE) | runs
    with grounds_of(write(tmp_path, patching=found)) as (grounds, (ground,)):
        terrain = ground.terrain
        assert terrain.schedules == {"open": "often"}
        assert [cycle.start - cycle.gate for cycle in terrain.cycles] == [terrain.facts.maximum_lead] * 3
        assert terrain.facts.maximum_lead == timedelta(minutes=15)
        cloud, first = grounds.begin(ground, 0, Assumptions()), terrain.cycles[0]
        cloud.kernel.run_until(first.start)
        times = [each["scheduled_time"] for each in cloud.history if each["event"] in ("ScheduleFired", "RuleFired")]
        assert datetime.fromisoformat(times[-1]) == first.gate


def test_a_daily_gate_of_a_monthly_window_is_that_of_its_day(tmp_path: Path) -> None:
    found = window("rare", task(), Schedule="cron(0 3 1 * ? *)", ScheduleTimezone="UTC") | backups()
    found |= function("Gate", **GATE) | schedule("daily", "Gate", "cron(30 2 * * ? *)")
    with grounds_of(write(tmp_path, patching=found)) as (_, (ground,)):
        told = [(f"{one.backup:{DAY}}", f"{one.gate:{DAY}}", f"{one.start:%b %d}") for one in ground.terrain.cycles]
        assert told == [
            ("31 18:00", "01 02:30", "Aug 01"),
            ("31 18:00", "01 02:30", "Sep 01"),
            ("30 18:00", "01 02:30", "Oct 01"),
        ]


def test_a_backup_may_be_older_than_a_day_and_serve_several_windows(tmp_path: Path) -> None:
    with grounds_of(write(tmp_path, patching=window("nightly", task()) | backups("cron(0 12 ? * MON *)"))) as (
        _,
        lanes,
    ):
        told = [f"{one.backup:{DAY}}" for one in lanes[0].terrain.cycles]
        assert told == ["10 17:00", "11 17:00", "12 17:00"]  # none is due before Monday: the usual time
    found = window("rare", task(), Schedule="cron(0 3 ? * WED,THU,FRI *)", ScheduleTimezone="UTC")
    with grounds_of(write(tmp_path, patching=found | backups("cron(0 12 ? * MON *)"))) as (_, lanes):
        assert [f"{one.backup:{DAY}}" for one in lanes[0].terrain.cycles] == ["13 12:00"] * 3


def test_a_gate_that_runs_once_belongs_to_one_window(tmp_path: Path) -> None:
    found = window("rare", task(), Schedule=SUNDAYS, ScheduleTimezone="UTC")
    found |= function("Gate", **GATE) | schedule("once", "Gate", "at(2026-07-19T02:00:00)")
    with grounds_of(write(tmp_path, patching=found)) as (_, (ground,)):
        assert ground.terrain.programs["open"] == "Gate"
        assert [f"{one.gate:{DAY}}" for one in ground.terrain.cycles] == ["12 02:30", "19 02:00", "26 02:30"]
        assert f"{ground.terrain.facts.maximum_lead}" == "1:00:00"


def test_a_function_that_runs_days_after_a_window_does_not_close_it(tmp_path: Path) -> None:
    found = window("rare", task(), Schedule=SUNDAYS, ScheduleTimezone="UTC")
    found |= function("Report", **GATE) | schedule("later", "Report", "cron(0 9 ? * WED *)")
    with grounds_of(write(tmp_path, patching=found)) as (_, (ground,)):
        assert ground.terrain.schedules == {}
        assert [one.close for one in ground.terrain.cycles] == [one.end for one in ground.terrain.cycles]


def test_windows_begin_with_their_start_date(tmp_path: Path) -> None:
    found = window("nightly", task(), StartDate="2026-07-20T00:00:00Z") | backups()
    found |= function("Close", CLOSE, "ssm:UpdateMaintenanceWindow")
    found |= schedule("close", "Close", "cron(30 1 * * ? *)")
    target = found["close"]["Properties"]["Target"]
    target["Input"] = {"Fn::Sub": '{"window": "${nightly}"}'}
    with grounds_of(write(tmp_path, patching=found)) as (grounds, (ground,)):
        assert [f"{one.start:{DAY}}" for one in ground.terrain.cycles] == ["20 21:00", "21 21:00", "22 21:00"]
        outcome = run(grounds, ground, "none", 0)
        assert "window" not in broken(outcome)
        assert all(one.at >= ground.terrain.cycles[0].start for one in outcome.violations)


def test_a_window_that_ends_within_a_run_is_refused(tmp_path: Path) -> None:
    found = window("nightly", task(), EndDate="2026-07-12T12:00:00Z")
    with pytest.raises(
        InputError, match=r"nightly has 2 of the 4 starts .* 2026-07-10 to the window's EndDate, 2026-07-12"
    ) as refused:
        shapes(write(tmp_path, patching=found))
    assert refused.value.remedy == "rehearse it with a later EndDate, or without"


def test_a_rate_counts_from_the_start_date(tmp_path: Path) -> None:
    found = window("often", task(), Schedule="rate(2 days)", StartDate="2026-07-20T05:00:00Z")
    with grounds_of(write(tmp_path, patching=found)) as (grounds, (ground,)):
        assert [f"{one.start:{DAY}}" for one in ground.terrain.cycles] == ["22 05:00", "24 05:00", "26 05:00"]
        run(grounds, ground, "none", 0)
        started = [each for each in grounds.stage.cloud.history if each["event"] == "WindowExecutionStarted"]
        assert [each["at"][:16] for each in started[:2]] == ["2026-07-22T05:00", "2026-07-24T05:00"]


def test_a_gate_begins_with_the_start_date_of_its_schedule(tmp_path: Path) -> None:
    found = window("rare", task(), Schedule=SUNDAYS, ScheduleTimezone="UTC") | function("Gate", **GATE)
    found |= schedule("gate", "Gate", "cron(30 2 * * ? *)", StartDate="2026-07-15T00:00:00Z")
    with grounds_of(write(tmp_path, patching=found)) as (grounds, (ground,)):
        assert ground.terrain.schedules == {"open": "gate"}
        run(grounds, ground, "none", 0)
        fired = [each for each in grounds.stage.cloud.history if each["event"] == "ScheduleFired"]
        assert fired[0]["scheduled_time"].startswith("2026-07-15T02:30")


def test_a_gate_that_begins_after_every_window_of_a_run_is_refused(tmp_path: Path) -> None:
    found = window("rare", task(), Schedule=SUNDAYS, ScheduleTimezone="UTC") | function("Gate", **GATE)
    found |= schedule("gate", "Gate", "cron(30 2 * * ? *)", StartDate="2026-09-01T00:00:00Z")
    with pytest.raises(InputError, match=r"schedule gate runs Gate from its StartDate, 2026-09-01 00:00, on: .*rare"):
        shapes(write(tmp_path, patching=found))
