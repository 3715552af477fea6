"""Maintenance windows: definition, schedule, targets and tasks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.emulator.ssm_lab import GROUP, SCOPE, Lab

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.errors import NotEmulatedError


def get(lab: Lab, window: str) -> dict[str, Any]:
    return lab.call("GetMaintenanceWindow", WindowId=window)


def test_a_new_window_is_enabled_and_names_its_next_start() -> None:
    lab = Lab()
    window = lab.window()
    shown = get(lab, window)
    assert (shown["Enabled"], shown["NextExecutionTime"]) == (True, "2026-07-04T23:00Z")
    assert "ScheduleTimezone" not in shown


def test_next_execution_time_is_absent_while_disabled() -> None:
    lab = Lab()
    window = lab.window()
    updated = lab.call("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    assert updated["Enabled"] is False
    assert "NextExecutionTime" not in get(lab, window)
    lab.call("UpdateMaintenanceWindow", WindowId=window, Enabled=True)
    assert get(lab, window)["NextExecutionTime"] == "2026-07-04T23:00Z"


def test_next_execution_time_moves_when_the_execution_starts() -> None:
    lab = Lab()
    window = lab.window()
    lab.cloud.kernel.run_until(datetime(2026, 7, 4, 22, 59, 59, tzinfo=UTC))
    assert get(lab, window)["NextExecutionTime"] == "2026-07-04T23:00Z"
    lab.run(seconds=1)
    assert get(lab, window)["NextExecutionTime"] == "2026-07-11T23:00Z"
    assert [item["at"] for item in lab.events("WindowExecutionStarted")] == ["2026-07-04T23:00:00.000Z"]


def test_a_disabled_window_does_not_start() -> None:
    lab = Lab()
    window = lab.window()
    lab.call("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    lab.run(days=8)
    assert lab.events("WindowExecutionStarted") == []
    lab.call("UpdateMaintenanceWindow", WindowId=window, Enabled=True)
    lab.run(days=7)
    assert [item["at"] for item in lab.events("WindowExecutionStarted")] == ["2026-07-18T23:00:00.000Z"]


@pytest.mark.parametrize(
    ("settings", "following"),
    [
        ({"ScheduleTimezone": "America/New_York"}, "2026-07-05T03:00Z"),
        ({"ScheduleTimezone": "Asia/Tokyo"}, "2026-07-11T14:00Z"),
        ({"Schedule": "cron(0 23 ? * TUE#2 *)", "ScheduleOffset": 4}, "2026-07-18T23:00Z"),
        ({"StartDate": "2026-07-05T00:00:00Z"}, "2026-07-11T23:00Z"),
        ({"EndDate": "2026-07-04T22:00:00Z"}, None),
        ({"Schedule": "rate(2 days)"}, "2026-07-06T20:00Z"),
        ({"Schedule": "at(2026-07-09T10:30:00)"}, "2026-07-09T10:30Z"),
    ],
)
def test_schedules(settings: dict[str, Any], following: str | None) -> None:
    lab = Lab()
    assert get(lab, lab.window(**settings)).get("NextExecutionTime") == following


@pytest.mark.parametrize(
    "settings",
    [
        {"Schedule": "cron(0 23 * * * *)"},
        {"Schedule": "every day"},
        {"ScheduleTimezone": "Mars/Olympus"},
        {"Duration": 25},
        {"Duration": 1, "Cutoff": 1},
        {"Cutoff": -1},
        {"Name": "no spaces here"},
        {"Schedule": "rate(2 days)", "ScheduleOffset": 2},
        {"ScheduleOffset": 7},
        {"StartDate": "tomorrow"},
        {"AllowUnassociatedTargets": None},
    ],
)
def test_malformed_windows_are_refused(settings: dict[str, Any]) -> None:
    lab = Lab()
    base = {"Name": "window", "Schedule": "cron(0 23 ? * 7 *)", "Duration": 3, "Cutoff": 1}
    given = base | {"AllowUnassociatedTargets": False} | settings
    assert lab.refused("CreateMaintenanceWindow", **given) == "ValidationException"


def test_update_keeps_what_is_not_given_and_replace_drops_it() -> None:
    lab = Lab()
    window = lab.window(Description="first", ScheduleTimezone="Asia/Tokyo")
    lab.call("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    assert lab.call("UpdateMaintenanceWindow", WindowId=window, Duration=4)["Description"] == "first"
    assert lab.refused("UpdateMaintenanceWindow", WindowId=window, Replace=True, Name="new") == "ValidationException"
    replaced = lab.call(
        "UpdateMaintenanceWindow",
        WindowId=window,
        Replace=True,
        Name="new",
        Schedule="cron(0 1 ? * 7 *)",
        Duration=2,
        Cutoff=0,
        AllowUnassociatedTargets=True,
    )
    assert "Description" not in replaced
    assert "ScheduleTimezone" not in replaced
    assert replaced["Enabled"] is False


def test_windows_are_listed_in_pages_and_filtered() -> None:
    lab = Lab()
    made = [lab.window(Name=f"window-{number}") for number in range(12)]
    lab.call("UpdateMaintenanceWindow", WindowId=made[3], Enabled=False)
    first = lab.call("DescribeMaintenanceWindows", MaxResults=10)
    rest = lab.call("DescribeMaintenanceWindows", MaxResults=10, NextToken=first["NextToken"])
    assert [item["WindowId"] for item in first["WindowIdentities"] + rest["WindowIdentities"]] == made
    assert "NextToken" not in rest
    named = lab.call("DescribeMaintenanceWindows", Filters=[{"Key": "Name", "Values": ["window-7"]}])
    assert [item["Name"] for item in named["WindowIdentities"]] == ["window-7"]
    closed = lab.call("DescribeMaintenanceWindows", Filters=[{"Key": "Enabled", "Values": ["False"]}])
    assert [item["WindowId"] for item in closed["WindowIdentities"]] == [made[3]]
    assert lab.refused("DescribeMaintenanceWindows", MaxResults=9) == "ValidationException"
    assert lab.refused("DescribeMaintenanceWindows", NextToken="guess") == "InvalidNextToken"
    unknown = [{"Key": "Owner", "Values": ["me"]}]
    assert lab.refused("DescribeMaintenanceWindows", Filters=unknown) == "ValidationException"


def test_fifty_windows_and_no_more() -> None:
    lab = Lab()
    for number in range(50):
        lab.window(Name=f"window-{number}")
    refused = lab.refused(
        "CreateMaintenanceWindow",
        Name="one-more",
        Schedule="cron(0 23 ? * 7 *)",
        Duration=3,
        Cutoff=1,
        AllowUnassociatedTargets=False,
    )
    assert refused == "ResourceLimitExceededException"


@pytest.mark.parametrize(("lists", "count"), [(True, 3), (False, 0)])
def test_whether_a_disabled_window_lists_its_schedule_is_an_assumption(lists: bool, count: int) -> None:
    lab = Lab(Assumptions(disabled_window_lists_schedule=lists))
    window = lab.window()
    listed = lab.call("DescribeMaintenanceWindowSchedule", WindowId=window, MaxResults=2)
    assert [item["ExecutionTime"] for item in listed["ScheduledWindowExecutions"]] == [
        "2026-07-04T23:00Z",
        "2026-07-11T23:00Z",
    ]
    lab.call("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    again = lab.call("DescribeMaintenanceWindowSchedule", WindowId=window, MaxResults=3)
    assert len(again["ScheduledWindowExecutions"]) == count


def test_a_deleted_window_never_starts_and_is_gone() -> None:
    lab = Lab()
    window = lab.window()
    assert lab.call("DeleteMaintenanceWindow", WindowId=window) == {"WindowId": window}
    assert lab.call("DeleteMaintenanceWindow", WindowId=window) == {"WindowId": window}
    assert lab.refused("GetMaintenanceWindow", WindowId=window) == "DoesNotExistException"
    lab.run(days=8)
    assert lab.events("WindowExecutionStarted") == []


def test_client_tokens_make_creation_idempotent() -> None:
    lab = Lab()
    assert lab.window(ClientToken="once") == lab.window(ClientToken="once")
    other = {"Name": "other", "Schedule": "rate(1 day)", "Duration": 1, "Cutoff": 0, "AllowUnassociatedTargets": True}
    assert lab.refused("CreateMaintenanceWindow", ClientToken="once", **other) == "IdempotentParameterMismatch"


def test_targets_are_registered_updated_and_deregistered() -> None:
    lab = Lab()
    window = lab.window()
    target = lab.target(window)
    task = lab.task(window, target)
    listed = lab.call("DescribeMaintenanceWindowTargets", WindowId=window)["Targets"]
    assert listed == [
        {
            "WindowId": window,
            "WindowTargetId": target,
            "ResourceType": "INSTANCE",
            "Targets": [{"Key": "tag:PatchGroup", "Values": [GROUP]}],
        }
    ]
    updated = lab.call("UpdateMaintenanceWindowTarget", WindowId=window, WindowTargetId=target, Name="servers")
    assert (updated["Name"], updated["Targets"][0]["Key"]) == ("servers", "tag:PatchGroup")
    gone = {"WindowId": window, "WindowTargetId": target}
    assert lab.refused("DeregisterTargetFromMaintenanceWindow", Safe=True, **gone) == "TargetInUseException"
    lab.call("DeregisterTaskFromMaintenanceWindow", WindowId=window, WindowTaskId=task)
    assert lab.call("DeregisterTargetFromMaintenanceWindow", Safe=True, **gone) == gone
    assert lab.refused("DeregisterTargetFromMaintenanceWindow", **gone) == "DoesNotExistException"


def test_tasks_are_described_and_updated() -> None:
    lab = Lab()
    window = lab.window()
    target = lab.target(window)
    task = lab.task(window, target, Name="scan")
    shown = lab.call("GetMaintenanceWindowTask", WindowId=window, WindowTaskId=task)
    assert (shown["TaskType"], shown["Priority"], shown["CutoffBehavior"]) == ("RUN_COMMAND", 1, "CANCEL_TASK")
    assert shown["TaskInvocationParameters"]["RunCommand"]["TimeoutSeconds"] == 60
    lab.call("UpdateMaintenanceWindowTask", WindowId=window, WindowTaskId=task, MaxErrors="5")
    (listed,) = lab.call("DescribeMaintenanceWindowTasks", WindowId=window)["Tasks"]
    assert (listed["MaxErrors"], listed["Name"], listed["Type"]) == ("5", "scan", "RUN_COMMAND")
    assert "TaskInvocationParameters" not in listed


@pytest.mark.parametrize(
    "task",
    [
        {"MaxConcurrency": None},
        {"MaxConcurrency": "0"},
        {"MaxErrors": "101%"},
        {"CutoffBehavior": "STOP"},
        {"TaskInvocationParameters": {"Automation": {"Parameters": {}, "DocumentVersion": "1"}}},
        {"TaskInvocationParameters": {"RunCommand": {"TimeoutSeconds": 29}}},
        {"TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": "Scan"}}}},
        {"Targets": []},
    ],
)
def test_malformed_tasks_are_refused(task: dict[str, Any]) -> None:
    lab = Lab()
    window = lab.window()
    given = {
        "WindowId": window,
        "Targets": [{"Key": "WindowTargetIds", "Values": [lab.target(window)]}],
        "TaskArn": "AWS-RunPatchBaseline",
        "TaskType": "RUN_COMMAND",
        "MaxConcurrency": "1",
        "MaxErrors": "0",
    }
    assert lab.refused("RegisterTaskWithMaintenanceWindow", **(given | task)) == "ValidationException"


def test_lambda_tasks_are_not_emulated() -> None:
    lab = Lab()
    window = lab.window()
    with pytest.raises(NotEmulatedError, match="LAMBDA"):
        lab.task(window, lab.target(window), TaskType="LAMBDA", TaskInvocationParameters={})


def test_a_task_names_targets_that_exist() -> None:
    lab = Lab()
    window = lab.window()
    refused = lab.refused(
        "RegisterTaskWithMaintenanceWindow",
        WindowId=window,
        Targets=[{"Key": "WindowTargetIds", "Values": ["nobody"]}],
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        MaxConcurrency="1",
        MaxErrors="0",
    )
    assert refused == "DoesNotExistException"


def test_updates_name_the_principal() -> None:
    lab = Lab()
    window = lab.window()
    role = "arn:aws:iam::111122223333:role/close"
    lab.cloud.call(
        SCOPE.account,
        SCOPE.region,
        "ssm",
        "UpdateMaintenanceWindow",
        {"WindowId": window, "Enabled": False},
        principal=role,
    )
    (update,) = lab.events("WindowUpdated")
    assert (update["principal"], update["enabled"], update["window"]) == (role, False, window)
    assert (update["duration"], update["cutoff"]) == (3, 1)
    lab.call("UpdateMaintenanceWindow", WindowId=window, Duration=4, Cutoff=2)
    terms = [(one["duration"], one["cutoff"]) for one in lab.events("WindowCreated", "WindowUpdated")]
    assert terms == [(3, 1), (3, 1), (4, 2)]
