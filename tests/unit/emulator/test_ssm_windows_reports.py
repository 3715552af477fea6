"""What one can ask about the executions of maintenance windows."""

from __future__ import annotations

from typing import Any

from tests.unit.emulator.ssm_lab import ROLE, Lab


def executed() -> tuple[Lab, str, str]:
    """A window that scanned one machine a week ago and again now; its id and the newest execution's."""
    lab = Lab()
    lab.machine(1)
    window = lab.window()
    lab.task(window, lab.target(window), ServiceRoleArn=ROLE)
    lab.run(days=8)
    found = lab.call("DescribeMaintenanceWindowExecutions", WindowId=window)["WindowExecutions"]
    assert len(found) == 2
    return lab, window, str(found[0]["WindowExecutionId"])


def ids(lab: Lab, window: str, **filters: str) -> list[str]:
    wanted = [{"Key": key, "Values": [value]} for key, value in filters.items()]
    found = lab.call("DescribeMaintenanceWindowExecutions", WindowId=window, Filters=wanted)["WindowExecutions"]
    return [item["WindowExecutionId"] for item in found]


def test_executions_are_filtered_by_time() -> None:
    lab, window, newest = executed()
    assert ids(lab, window, ExecutedAfter="2026-07-05T00:00:00Z") == [newest]
    assert len(ids(lab, window, ExecutedBefore="2026-07-05T00:00:00Z")) == 1
    assert ids(lab, window, ExecutedBefore="2026-07-04T22:00:00Z") == []
    wrong = {"WindowId": window, "Filters": [{"Key": "Colour", "Values": ["2026-07-05T00:00:00Z"]}]}
    assert lab.refused("DescribeMaintenanceWindowExecutions", **wrong) == "ValidationException"


def test_an_execution_its_task_and_its_invocation_are_described() -> None:
    lab, _, execution = executed()
    named: dict[str, Any] = {"WindowExecutionId": execution}
    shown = lab.call("GetMaintenanceWindowExecution", **named)
    assert shown["Status"] == "SUCCESS"
    (task_id,) = shown["TaskIds"]
    task = lab.call("GetMaintenanceWindowExecutionTask", TaskId=task_id, **named)
    assert (task["Type"], task["ServiceRole"], task["MaxErrors"]) == ("RUN_COMMAND", ROLE, "100%")
    listed = lab.call("DescribeMaintenanceWindowExecutionTaskInvocations", TaskId=task_id, **named)
    (invocation,) = listed["WindowExecutionTaskInvocationIdentities"]
    one = lab.call(
        "GetMaintenanceWindowExecutionTaskInvocation", TaskId=task_id, InvocationId=invocation["InvocationId"], **named
    )
    assert one == invocation
    assert one["Parameters"] == '{"Operation": ["Scan"]}'
    sent = lab.events("CommandSent")[-1]
    assert (one["ExecutionId"], sent["principal"]) == (sent["command"], ROLE)


def test_tasks_are_filtered_by_status() -> None:
    lab, _, execution = executed()
    for status, count in (("SUCCESS", 1), ("FAILED", 0)):
        filters = [{"Key": "STATUS", "Values": [status]}]
        found = lab.call("DescribeMaintenanceWindowExecutionTasks", WindowExecutionId=execution, Filters=filters)
        assert len(found["WindowExecutionTaskIdentities"]) == count
    wrong = {"WindowExecutionId": execution, "Filters": [{"Key": "Colour", "Values": ["red"]}]}
    assert lab.refused("DescribeMaintenanceWindowExecutionTasks", **wrong) == "ValidationException"


def test_what_does_not_exist() -> None:
    lab, window, execution = executed()
    nowhere = "0" * 36
    code = "DoesNotExistException"
    named = {"WindowExecutionId": execution}
    assert lab.refused("GetMaintenanceWindowExecution", WindowExecutionId=nowhere) == code
    assert lab.refused("CancelMaintenanceWindowExecution", WindowExecutionId=nowhere) == code
    assert lab.refused("GetMaintenanceWindowExecutionTask", TaskId=nowhere, **named) == code
    assert lab.refused("GetMaintenanceWindowTask", WindowId=window, WindowTaskId=nowhere) == code
    assert lab.refused("DescribeMaintenanceWindowExecutions", WindowId="mw-" + "0" * 17) == code
    assert lab.refused("DescribeMaintenanceWindowExecutions", WindowId="window") == "ValidationException"
