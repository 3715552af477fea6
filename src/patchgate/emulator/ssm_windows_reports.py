"""What one can ask about the executions of maintenance windows, and cancelling one.

https://docs.aws.amazon.com/systems-manager/latest/userguide/mw-cli-tutorial-tasks.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from patchgate.emulator.cloud import Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError
from patchgate.emulator.ssm_constraints import instant, page, required, violation
from patchgate.emulator.ssm_windows import MaintenanceWindows
from patchgate.emulator.ssm_windows_executions import WindowExecutions
from patchgate.emulator.ssm_windows_model import Execution, TaskExecution


class WindowReports(Component):
    """Descriptions of executions, their tasks and invocations."""

    service: ClassVar[str] = "ssm"

    @operation("DescribeMaintenanceWindowExecutions")
    def describe_executions(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowExecutions.html

        Newest first.
        """
        required(params, "WindowId")
        window = self.cloud.component(MaintenanceWindows).window(scope, params["WindowId"])
        executions = reversed(self.cloud.component(WindowExecutions).executions(scope).values())
        found = [item for item in executions if item.window is window]
        for item in params.get("Filters") or ():
            found = [execution for execution in found if _executed(execution, item)]
        return page([item.shape() for item in found], params, "WindowExecutions", least=10, default=50, most=100)

    @operation("DescribeMaintenanceWindowExecutionTasks")
    def describe_tasks(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowExecutionTasks.html"""
        required(params, "WindowExecutionId")
        execution = self._execution(scope, params)
        shapes = _with_status([task.shape(execution) for task in execution.tasks], params)
        return page(shapes, params, "WindowExecutionTaskIdentities", least=10, default=50, most=100)

    @operation("DescribeMaintenanceWindowExecutionTaskInvocations")
    def describe_invocations(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowExecutionTaskInvocations.html"""
        required(params, "WindowExecutionId", "TaskId")
        execution = self._execution(scope, params)
        task = self._task(execution, params)
        shapes = _with_status([unit.shape(execution, task) for unit in task.units], params)
        return page(shapes, params, "WindowExecutionTaskInvocationIdentities", least=10, default=50, most=100)

    @operation("GetMaintenanceWindowExecution")
    def get_execution(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowExecution.html"""
        required(params, "WindowExecutionId")
        execution = self._execution(scope, params)
        shape = {key: value for key, value in execution.shape().items() if key != "WindowId"}
        return shape | {"TaskIds": [task.task_execution_id for task in execution.tasks]}

    @operation("GetMaintenanceWindowExecutionTask")
    def get_task(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowExecutionTask.html"""
        required(params, "WindowExecutionId", "TaskId")
        execution = self._execution(scope, params)
        task = self._task(execution, params)
        shape = task.shape(execution)
        shape["Type"] = shape.pop("TaskType")
        return shape | {
            "ServiceRole": str(task.settings.get("ServiceRoleArn") or ""),
            "TaskParameters": [],
            "Priority": task.priority,
            "MaxConcurrency": task.settings["MaxConcurrency"],
            "MaxErrors": task.settings["MaxErrors"],
        }

    @operation("GetMaintenanceWindowExecutionTaskInvocation")
    def get_invocation(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowExecutionTaskInvocation.html"""
        required(params, "WindowExecutionId", "TaskId", "InvocationId")
        execution = self._execution(scope, params)
        task = self._task(execution, params)
        for unit in task.units:
            if unit.invocation_id == params["InvocationId"]:
                return unit.shape(execution, task)
        raise AwsError("DoesNotExistException", f"Invocation {params['InvocationId']} does not exist")

    @operation("CancelMaintenanceWindowExecution")
    def cancel_execution(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelMaintenanceWindowExecution.html"""
        required(params, "WindowExecutionId")
        execution = self._execution(scope, params)
        self.cloud.component(WindowExecutions).cancel(execution)
        return {"WindowExecutionId": execution.execution_id}

    def _execution(self, scope: Scope, params: Params) -> Execution:
        wanted = params["WindowExecutionId"]
        found = self.cloud.component(WindowExecutions).executions(scope).get(str(wanted))
        if found is None:
            raise AwsError("DoesNotExistException", f"Maintenance window execution {wanted} does not exist")
        return found

    def _task(self, execution: Execution, params: Params) -> TaskExecution:
        for task in execution.tasks:
            if task.task_execution_id == params["TaskId"]:
                return task
        raise AwsError("DoesNotExistException", f"Task execution {params['TaskId']} does not exist")


def _executed(execution: Execution, item: Params) -> bool:
    key, values = item.get("Key"), [instant(str(value), "filters.values") for value in item.get("Values") or ()]
    if key == "ExecutedBefore":
        return all(execution.started <= value for value in values)
    if key == "ExecutedAfter":
        return all(execution.started >= value for value in values)
    raise violation("filters.key", key, "Member must satisfy enum value set: [ExecutedAfter, ExecutedBefore]")


def _with_status(shapes: list[dict[str, Any]], params: Params) -> list[dict[str, Any]]:
    for item in params.get("Filters") or ():
        if item.get("Key") != "STATUS":
            raise violation("filters.key", item.get("Key"), "Member must satisfy enum value set: [STATUS]")
        shapes = [shape for shape in shapes if shape["Status"] in (item.get("Values") or ())]
    return shapes
