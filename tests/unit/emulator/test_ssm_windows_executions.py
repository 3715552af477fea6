"""What happens while a maintenance window is open."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.emulator.ssm_lab import SCOPE, Lab

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.world import AgentBehaviour

SLEEP = {"name": "rest", "action": "aws:sleep", "inputs": {"Duration": "PT30M"}}
ASSERT_NAME = {
    "name": "check",
    "action": "aws:assertAwsResourceProperty",
    "inputs": {
        "Service": "ec2",
        "Api": "DescribeInstances",
        "InstanceIds": ["{{ InstanceId }}"],
        "PropertySelector": "$.Reservations[0].Instances[0].InstanceType",
        "DesiredValues": ["t3.nano"],
    },
}


def install(lab: Lab, machines: int, *steps: dict[str, Any], window: dict[str, Any] | None = None, **task: Any) -> str:
    """A window with one Automation task; returns the window's id."""
    for number in range(1, machines + 1):
        lab.machine(number)
    lab.runbook(*steps)
    made = lab.window(**(window or {}))
    lab.automation_task(made, lab.target(made), "runbook", **task)
    return made


def invocations(lab: Lab, window: str) -> list[dict[str, Any]]:
    """The invocations of the newest execution's only task."""
    execution = lab.call("DescribeMaintenanceWindowExecutions", WindowId=window)["WindowExecutions"][0]
    wanted = {"WindowExecutionId": execution["WindowExecutionId"]}
    (task,) = lab.call("DescribeMaintenanceWindowExecutionTasks", **wanted)["WindowExecutionTaskIdentities"]
    found = lab.call("DescribeMaintenanceWindowExecutionTaskInvocations", TaskId=task["TaskExecutionId"], **wanted)[
        "WindowExecutionTaskInvocationIdentities"
    ]
    return list(found)


def test_concurrency_is_kept() -> None:
    lab = Lab()
    install(lab, 5, SLEEP, MaxConcurrency="2")
    lab.run(hours=3, minutes=29)
    assert len(lab.events("AutomationStarted")) == 2
    lab.run(minutes=2)
    assert len(lab.events("AutomationStarted")) == 4


def test_a_percentage_of_the_targets_runs_at_once_and_at_least_one() -> None:
    lab = Lab()
    install(lab, 3, SLEEP, MaxConcurrency="10%")
    lab.run(hours=3, minutes=1)
    assert len(lab.events("AutomationStarted")) == 1


def test_the_cutoff_starts_nothing_more_and_lets_automations_end() -> None:
    lab = Lab()
    window = install(lab, 6, SLEEP, MaxConcurrency="1", window={"Cutoff": 1})
    lab.run(hours=7)
    found = invocations(lab, window)
    assert [item["Status"] for item in found] == ["SUCCESS"] * 4 + ["TIMED_OUT"] * 2
    assert lab.events("AutomationStarted")[-1]["at"] < "2026-07-05T01:00:00.000Z"
    assert lab.events("AutomationEnded")[-1]["at"] > "2026-07-05T01:00:00.000Z"
    assert [item["status"] for item in lab.events("WindowTaskEnded", "WindowExecutionEnded")] == ["TIMED_OUT"] * 2


def test_without_cancelling_the_task_goes_on_until_the_end_of_the_window() -> None:
    lab = Lab()
    window = install(lab, 8, SLEEP, MaxConcurrency="1", CutoffBehavior="CONTINUE_TASK")
    lab.run(hours=8)
    assert [item["Status"] for item in invocations(lab, window)] == ["SUCCESS"] * 6 + ["TIMED_OUT"] * 2
    assert lab.events("AutomationStarted")[-1]["at"] < "2026-07-05T02:00:00.000Z"


def test_the_error_budget_stops_at_one_error_more() -> None:
    lab = Lab()
    window = install(lab, 5, ASSERT_NAME, MaxConcurrency="1", MaxErrors="1")
    lab.run(hours=7)
    assert [item["Status"] for item in invocations(lab, window)] == ["FAILED", "FAILED"] + ["CANCELLED"] * 3
    assert len(lab.events("AutomationStarted")) == 2
    assert [item["status"] for item in lab.events("WindowExecutionEnded")] == ["FAILED"]


def test_work_in_flight_goes_on_when_the_budget_is_spent() -> None:
    lab = Lab()
    window = install(lab, 4, ASSERT_NAME, MaxConcurrency="3", MaxErrors="0")
    lab.run(hours=7)
    assert [item["Status"] for item in invocations(lab, window)] == ["FAILED"] * 3 + ["CANCELLED"]


def test_a_silent_node_keeps_the_next_priority_waiting_for_the_total_timeout() -> None:
    lab = Lab(Assumptions(delivery_ends_with_total_timeout=True))
    lab.machine(1, agent=AgentBehaviour(ping="ConnectionLost"))
    lab.runbook(SLEEP)
    window = lab.window()
    target = lab.target(window)
    lab.automation_task(window, target, "runbook")
    lab.task(window, target)
    lab.run(hours=7)
    assert lab.events("AutomationStarted") == []


def test_tasks_run_by_priority_and_not_by_outcome() -> None:
    lab = Lab(Assumptions(delivery_ends_with_total_timeout=False))
    lab.machine(1, agent=AgentBehaviour(ping="ConnectionLost"))
    lab.runbook(SLEEP)
    window = lab.window()
    target = lab.target(window)
    lab.automation_task(window, target, "runbook")
    lab.task(window, target)
    lab.run(hours=7)
    started = [(item["event"], item["at"]) for item in lab.events("CommandSent", "AutomationStarted")]
    assert started == [
        ("CommandSent", "2026-07-04T23:00:00.000Z"),
        ("AutomationStarted", "2026-07-04T23:01:00.000Z"),
    ]
    assert [item["status"] for item in lab.events("WindowTaskEnded")] == ["TIMED_OUT", "SUCCESS"]


def test_a_scan_that_reaches_the_cutoff_is_cancelled_where_it_has_not_begun() -> None:
    lab = Lab()
    machines = [lab.machine(number, scan_minutes=90) for number in range(1, 4)]
    window = lab.window()
    lab.task(window, lab.target(window), MaxConcurrency="1")
    lab.run(hours=8)
    ended = {item["instance"]: item["status"] for item in lab.events("CommandEnded")}
    assert ended == dict(zip(machines, ["Success", "Success", "Cancelled"], strict=True))
    assert [item["status"] for item in lab.events("WindowTaskEnded")] == ["TIMED_OUT"]


def test_tasks_of_one_priority_run_together() -> None:
    lab = Lab()
    lab.machine(1)
    lab.runbook(SLEEP)
    window = lab.window()
    target = lab.target(window)
    lab.automation_task(window, target, "runbook", Priority=3)
    lab.automation_task(window, target, "runbook", Priority=3)
    lab.run(hours=3, minutes=1)
    assert [item["at"] for item in lab.events("AutomationStarted")] == ["2026-07-04T23:00:00.000Z"] * 2


def test_only_running_machines_are_targets() -> None:
    lab = Lab()
    install(lab, 2, SLEEP)
    lab.cloud.component(Ec2).set_state(SCOPE, f"i-{2:017x}", "stopped")
    lab.run(hours=7)
    (task,) = lab.events("WindowTaskStarted")
    assert task["targets"] == [f"i-{1:017x}"]


def test_an_unassociated_machine_needs_the_window_to_allow_it() -> None:
    for allowed, count in ((False, 0), (True, 1)):
        lab = Lab()
        stranger = lab.machine(7, tags={})
        lab.runbook(SLEEP)
        window = lab.window(AllowUnassociatedTargets=allowed)
        named = [{"Key": "InstanceIds", "Values": [stranger]}]
        lab.automation_task(window, lab.target(window), "runbook", Targets=named)
        lab.run(hours=7)
        assert len(lab.events("AutomationStarted")) == count


def test_cancelling_lets_what_runs_end() -> None:
    lab = Lab()
    window = install(lab, 3, SLEEP, MaxConcurrency="1")
    lab.run(hours=3, minutes=10)
    (execution,) = lab.call("DescribeMaintenanceWindowExecutions", WindowId=window)["WindowExecutions"]
    wanted = {"WindowExecutionId": execution["WindowExecutionId"]}
    lab.call("CancelMaintenanceWindowExecution", **wanted)
    assert lab.call("GetMaintenanceWindowExecution", **wanted)["Status"] == "CANCELLING"
    lab.run(hours=3)
    assert [item["Status"] for item in invocations(lab, window)] == ["SUCCESS", "CANCELLED", "CANCELLED"]
    assert lab.call("GetMaintenanceWindowExecution", **wanted)["Status"] == "CANCELLED"


@pytest.mark.parametrize(("stops", "started"), [(False, 3), (True, 1)])
def test_what_disabling_does_to_an_execution_is_an_assumption(stops: bool, started: int) -> None:
    lab = Lab(Assumptions(disabling_stops_executions=stops))
    window = install(lab, 3, SLEEP, MaxConcurrency="1")
    lab.run(hours=3, minutes=10)
    lab.call("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    lab.run(hours=4)
    assert len(lab.events("AutomationStarted")) == started


def test_five_windows_at_once() -> None:
    lab = Lab()
    install(lab, 1, SLEEP)
    for number in range(5):
        window = lab.window(Name=f"window-{number}")
        lab.automation_task(window, lab.target(window), "runbook")
    lab.run(hours=7)
    assert len(lab.events("AutomationStarted")) == 5
    assert sorted(item["status"] for item in lab.events("WindowExecutionEnded")) == ["FAILED"] + ["SUCCESS"] * 5


def test_a_window_that_is_still_running_is_skipped() -> None:
    lab = Lab()
    long = SLEEP | {"inputs": {"Duration": "PT3H"}}
    install(lab, 1, long, window={"Schedule": "rate(1 hour)", "Duration": 1, "Cutoff": 0})
    lab.run(hours=2, minutes=30)
    assert [item["status"] for item in lab.events("WindowExecutionEnded")] == ["SKIPPED_OVERLAPPING"]


def test_pseudo_parameters_reach_the_runbook() -> None:
    lab = Lab()
    machine = lab.machine(1)
    names = ("WINDOW_ID", "WINDOW_EXECUTION_ID", "TARGET_ID", "RESOURCE_ID")
    declared = {name: {"type": "String"} for name in names}
    lab.document("seen", {"schemaVersion": "0.3", "parameters": declared, "mainSteps": [SLEEP]}, "Automation")
    window = lab.window()
    target = lab.target(window)
    given = {"Automation": {"Parameters": {name: ["{{" + name + "}}"] for name in names}}}
    lab.automation_task(window, target, "seen", TaskInvocationParameters=given)
    lab.run(hours=7)
    (started,) = lab.events("AutomationStarted")
    found = lab.execution(started["execution"])["Parameters"]
    assert found == {
        "WINDOW_ID": [window],
        "WINDOW_EXECUTION_ID": [started["window_execution"]],
        "TARGET_ID": [target],
        "RESOURCE_ID": [machine],
    }


def test_a_runbook_that_is_not_there_fails_each_invocation() -> None:
    lab = Lab()
    window = install(lab, 2, SLEEP, TaskArn="missing", MaxErrors="100%")
    lab.run(hours=7)
    found = invocations(lab, window)
    assert [item["Status"] for item in found] == ["FAILED", "FAILED"]
    assert found[0]["StatusDetails"].startswith("AutomationDefinitionNotFoundException")


def test_a_window_without_machines_has_nothing_to_do() -> None:
    lab = Lab()
    install(lab, 0, SLEEP)
    lab.run(hours=7)
    assert [item["status"] for item in lab.events("WindowTaskEnded")] == ["SUCCESS"]
    assert lab.events("WindowTaskStarted")[0]["targets"] == []
