"""The targets and tasks that are registered with maintenance windows.

https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows-assign-tasks.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_constraints import (
    CONCURRENCY,
    ERRORS,
    matching,
    one_of,
    page,
    required,
    unsupported,
    violation,
    within,
)
from patchgate.emulator.ssm_targets import check_targets
from patchgate.emulator.ssm_windows import MaintenanceWindows
from patchgate.emulator.ssm_windows_model import Window, WindowTarget, WindowTask

MAXIMUM_TARGETS = 100
MAXIMUM_TASKS = 20
MAXIMUM_TASK_TARGETS = 10
_NAME = r"[a-zA-Z0-9_\-.]{3,128}"
_TARGET_MEMBERS = ("ResourceType", "Targets", "OwnerInformation", "Name", "Description")
_TASK_MEMBERS = (
    "Targets",
    "TaskArn",
    "ServiceRoleArn",
    "TaskType",
    "TaskParameters",
    "TaskInvocationParameters",
    "Priority",
    "MaxConcurrency",
    "MaxErrors",
    "LoggingInfo",
    "Name",
    "Description",
    "CutoffBehavior",
)
_INVOCATION = {"RUN_COMMAND": "RunCommand", "AUTOMATION": "Automation"}
_RUN_COMMAND_MEMBERS = frozenset(
    {
        "Comment",
        "CloudWatchOutputConfig",
        "DocumentHash",
        "DocumentHashType",
        "DocumentVersion",
        "NotificationConfig",
        "OutputS3BucketName",
        "OutputS3KeyPrefix",
        "Parameters",
        "ServiceRoleArn",
        "TimeoutSeconds",
    }
)


class WindowRegistrations(Component):
    """Register, update, deregister and describe; the state belongs to the windows."""

    service: ClassVar[str] = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._tokens: dict[tuple[tuple[str, str], str, str], tuple[dict[str, Any], str]] = {}

    # Targets

    @operation("RegisterTargetWithMaintenanceWindow")
    def register_target(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTargetWithMaintenanceWindow.html"""
        required(params, "WindowId", "ResourceType", "Targets")
        window = self._window(scope, params)
        known = self._known(scope, params, "target")
        if known:
            return {"WindowTargetId": known}
        settings = _target_settings(params)
        if len(window.targets) >= MAXIMUM_TARGETS:
            raise AwsError("ResourceLimitExceededException", f"A window has at most {MAXIMUM_TARGETS} targets.")
        target = WindowTarget(self.cloud.uuid(), settings)
        window.targets[target.target_id] = target
        self._remember(scope, params, "target", target.target_id)
        return {"WindowTargetId": target.target_id}

    @operation("UpdateMaintenanceWindowTarget")
    def update_target(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateMaintenanceWindowTarget.html"""
        required(params, "WindowId", "WindowTargetId")
        window = self._window(scope, params)
        target = self._target(window, params["WindowTargetId"])
        if params.get("Replace"):
            required(params, "Targets")
        kept = {"ResourceType": target.settings["ResourceType"]} if params.get("Replace") else dict(target.settings)
        target.settings = _target_settings(kept | _given(params, _TARGET_MEMBERS))
        shape = target.shape(window.window_id)
        del shape["ResourceType"]
        return shape

    @operation("DeregisterTargetFromMaintenanceWindow")
    def deregister_target(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeregisterTargetFromMaintenanceWindow.html"""
        required(params, "WindowId", "WindowTargetId")
        window = self._window(scope, params)
        target = self._target(window, params["WindowTargetId"])
        used = [
            value
            for task in window.tasks.values()
            for item in task.settings.get("Targets") or ()
            for value in item["Values"]
        ]
        if params.get("Safe") and target.target_id in used:
            raise AwsError("TargetInUseException", "You specified the Safe option, but a task uses the target.")
        del window.targets[target.target_id]
        return {"WindowId": window.window_id, "WindowTargetId": target.target_id}

    @operation("DescribeMaintenanceWindowTargets")
    def describe_targets(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowTargets.html"""
        required(params, "WindowId")
        window = self._window(scope, params)
        members = {"Type": "ResourceType", "WindowTargetId": "WindowTargetId", "OwnerInformation": "OwnerInformation"}
        shapes = [target.shape(window.window_id) for target in window.targets.values()]
        return page(_filtered(shapes, params, members), params, "Targets", least=10, default=50, most=100)

    # Tasks

    @operation("RegisterTaskWithMaintenanceWindow")
    def register_task(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTaskWithMaintenanceWindow.html

        Assumption: whether Systems Manager can assume the service role is not tried before the task runs.
        """
        required(params, "WindowId", "TaskArn", "TaskType")
        window = self._window(scope, params)
        known = self._known(scope, params, "task")
        if known:
            return {"WindowTaskId": known}
        settings = self._task_settings(window, params)
        if len(window.tasks) >= MAXIMUM_TASKS:
            raise AwsError("ResourceLimitExceededException", f"A window has at most {MAXIMUM_TASKS} tasks.")
        task = WindowTask(self.cloud.uuid(), settings)
        window.tasks[task.task_id] = task
        self._remember(scope, params, "task", task.task_id)
        return {"WindowTaskId": task.task_id}

    @operation("UpdateMaintenanceWindowTask")
    def update_task(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateMaintenanceWindowTask.html"""
        required(params, "WindowId", "WindowTaskId")
        window = self._window(scope, params)
        task = self._task(window, params["WindowTaskId"])
        if params.get("Replace"):
            required(params, "TaskArn")
        kept = {"TaskType": task.kind} if params.get("Replace") else dict(task.settings)
        task.settings = self._task_settings(window, kept | _given(params, _TASK_MEMBERS))
        shape = {key: value for key, value in task.settings.items() if key != "TaskType"}
        return {"WindowId": window.window_id, "WindowTaskId": task.task_id, **shape}

    @operation("DeregisterTaskFromMaintenanceWindow")
    def deregister_task(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeregisterTaskFromMaintenanceWindow.html"""
        required(params, "WindowId", "WindowTaskId")
        window = self._window(scope, params)
        task = self._task(window, params["WindowTaskId"])
        del window.tasks[task.task_id]
        return {"WindowId": window.window_id, "WindowTaskId": task.task_id}

    @operation("GetMaintenanceWindowTask")
    def get_task(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowTask.html"""
        required(params, "WindowId", "WindowTaskId")
        window = self._window(scope, params)
        task = self._task(window, params["WindowTaskId"])
        return {"WindowId": window.window_id, "WindowTaskId": task.task_id, **task.settings}

    @operation("DescribeMaintenanceWindowTasks")
    def describe_tasks(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowTasks.html"""
        required(params, "WindowId")
        window = self._window(scope, params)
        shapes = []
        for task in window.tasks.values():
            shape = {key: value for key, value in task.settings.items() if key != "TaskInvocationParameters"}
            shape["Type"] = shape.pop("TaskType")
            shapes.append({"WindowId": window.window_id, "WindowTaskId": task.task_id, **shape})
        members = {"WindowTaskId": "WindowTaskId", "TaskArn": "TaskArn", "Priority": "Priority", "TaskType": "Type"}
        return page(_filtered(shapes, params, members), params, "Tasks", least=10, default=50, most=100)

    # Inside

    def _window(self, scope: Scope, params: Params) -> Window:
        return self.cloud.component(MaintenanceWindows).window(scope, params["WindowId"])

    def _target(self, window: Window, target_id: Any) -> WindowTarget:
        if target_id not in window.targets:
            raise AwsError("DoesNotExistException", f"Target {target_id} does not exist in {window.window_id}")
        return window.targets[target_id]

    def _task(self, window: Window, task_id: Any) -> WindowTask:
        if task_id not in window.tasks:
            raise AwsError("DoesNotExistException", f"Task {task_id} does not exist in {window.window_id}")
        return window.tasks[task_id]

    def _task_settings(self, window: Window, params: Mapping[str, Any]) -> dict[str, Any]:
        """A task's members out of a request, checked; raises ValidationException or NotEmulatedError."""
        unsupported(params, "maintenance window tasks", "AlarmConfiguration", "TaskParameters")
        settings = _given(params, _TASK_MEMBERS)
        kind = one_of(settings, "TaskType", ("RUN_COMMAND", "AUTOMATION", "STEP_FUNCTIONS", "LAMBDA"))
        if kind not in _INVOCATION:
            raise NotEmulatedError(f"maintenance window tasks of type {kind}")
        matching(settings, "Name", _NAME)
        matching(settings, "TaskArn", r".+", longest=1600)
        within(settings, "Priority", 0, 2**31 - 1)
        one_of(settings, "CutoffBehavior", ("CONTINUE_TASK", "CANCEL_TASK"))
        settings.setdefault("Priority", 0)
        targets = settings.get("Targets") or []
        if len(targets) > MAXIMUM_TASK_TARGETS:
            raise violation("targets", "...", f"Member must have length less than or equal to {MAXIMUM_TASK_TARGETS}")
        self._check_task_targets(window, targets)
        if targets:
            required(settings, "MaxConcurrency", "MaxErrors")
        elif kind == "RUN_COMMAND":
            raise AwsError("ValidationException", "Run Command tasks need targets.")
        else:
            settings |= {"MaxConcurrency": "1", "MaxErrors": "1"}
        matching(settings, "MaxConcurrency", CONCURRENCY)
        matching(settings, "MaxErrors", ERRORS)
        _check_invocation(str(kind), settings.get("TaskInvocationParameters") or {})
        return settings

    def _check_task_targets(self, window: Window, targets: list[Mapping[str, Any]]) -> None:
        for target in targets:
            check_targets([target], ("WindowTargetIds", "InstanceIds"))
            if target["Key"] == "WindowTargetIds":
                for target_id in target["Values"]:
                    self._target(window, target_id)

    def _known(self, scope: Scope, params: Params, kind: str) -> str:
        """The id that an earlier request with the same token made, or ""."""
        token = params.get("ClientToken")
        if not token or (scope.key, kind, token) not in self._tokens:
            return ""
        given, made = self._tokens[scope.key, kind, token]
        if given != dict(params):
            raise AwsError("IdempotentParameterMismatch", "The client token was used with other parameters.")
        return made

    def _remember(self, scope: Scope, params: Params, kind: str, made: str) -> None:
        if params.get("ClientToken"):
            self._tokens[scope.key, kind, str(params["ClientToken"])] = (dict(params), made)


def _given(params: Mapping[str, Any], members: tuple[str, ...]) -> dict[str, Any]:
    return {key: params[key] for key in members if params.get(key) is not None}


def _target_settings(params: Mapping[str, Any]) -> dict[str, Any]:
    settings = _given(params, _TARGET_MEMBERS)
    if one_of(settings, "ResourceType", ("INSTANCE", "RESOURCE_GROUP")) != "INSTANCE":
        raise NotEmulatedError("maintenance window targets of type RESOURCE_GROUP")
    if not settings.get("Targets"):
        raise violation("targets", "[]", "Member must have length greater than or equal to 1")
    check_targets(settings["Targets"], ("InstanceIds", "tag:", "tag-key"))
    matching(settings, "Name", _NAME)
    matching(settings, "OwnerInformation", r".*", shortest=1, longest=128)
    return settings


def _check_invocation(kind: str, invocation: Mapping[str, Any]) -> None:
    """TaskInvocationParameters hold the task type's own structure and nothing else."""
    wanted = _INVOCATION[kind]
    others = sorted(key for key, value in invocation.items() if key != wanted and value)
    if others:
        raise AwsError("ValidationException", f"A {kind} task does not take {', '.join(others)} parameters.")
    given = invocation.get(wanted) or {}
    known = _RUN_COMMAND_MEMBERS if kind == "RUN_COMMAND" else frozenset({"DocumentVersion", "Parameters"})
    unknown = sorted(set(given) - known)
    if unknown:
        raise AwsError("ValidationException", f"Unknown {wanted} parameters: {', '.join(unknown)}")
    matching(given, "DocumentVersion", r"[$]LATEST|[$]DEFAULT|[1-9][0-9]*")
    within(given, "TimeoutSeconds", 30, 2592000)
    for name, values in (given.get("Parameters") or {}).items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise violation(f"parameters.{name}", values, "Member must be a list of strings")


def _filtered(shapes: list[dict[str, Any]], params: Params, members: Mapping[str, str]) -> list[dict[str, Any]]:
    for item in params.get("Filters") or ():
        key, values = str(item.get("Key")), [str(value) for value in item.get("Values") or ()]
        if key not in members:
            raise violation("filters.key", key, f"Member must satisfy enum value set: [{', '.join(sorted(members))}]")
        shapes = [shape for shape in shapes if str(shape.get(members[key])) in values]
    return shapes
