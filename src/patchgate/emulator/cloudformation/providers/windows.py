"""AWS::SSM::MaintenanceWindow and what is registered with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patchgate.emulator.cloudformation.parameters import as_text
from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    Request,
    pick,
    renamed,
)
from patchgate.emulator.cloudformation.providers.ssm import update_tags
from patchgate.emulator.errors import AwsError

_GONE = frozenset({"DoesNotExistException"})


class MaintenanceWindow(Provider):
    """AWS::SSM::MaintenanceWindow; Ref is its id. The type has no Enabled: a new window is enabled.

    Whether an update enables a window that was disabled since is not documented:
    ``Assumptions.stack_update_enables_window`` decides. An update touches the window when any of its properties
    differs, the stack's tags included.
    """

    type = "AWS::SSM::MaintenanceWindow"
    gone = _GONE
    _settings = (
        "Name", "Description", "StartDate", "EndDate", "Schedule", "ScheduleTimezone", "ScheduleOffset", "Duration",
        "Cutoff", "AllowUnassociatedTargets",
    )  # fmt: skip
    supported = frozenset({*_settings, "Tags"})
    compared = frozenset(_settings)
    attributes = frozenset({"WindowId"})

    def read(self, request: Request) -> Properties:
        """Whether the window is enabled is no property of the type: AWS does not report it as drift either."""
        return pick(request.call("ssm", "GetMaintenanceWindow", {"WindowId": request.physical_id}), *self._settings)

    def create(self, request: Request) -> Physical:
        settings = pick(request.properties, *self._settings, "Tags")
        window = request.call("ssm", "CreateMaintenanceWindow", settings)["WindowId"]
        return Physical(window, {"WindowId": window})

    def update(self, request: Request) -> Physical:
        window = request.physical_id
        enabled = True
        if not request.cloud.assumptions.stack_update_enables_window:
            enabled = request.call("ssm", "GetMaintenanceWindow", {"WindowId": window})["Enabled"]
        settings = pick(request.properties, *self._settings)
        params = {"WindowId": window, **settings, "Enabled": enabled, "Replace": True}
        request.call("ssm", "UpdateMaintenanceWindow", params)
        update_tags(request, "MaintenanceWindow", window)
        return Physical(window, request.attributes)

    def delete(self, request: Request) -> None:
        request.call("ssm", "DeleteMaintenanceWindow", {"WindowId": request.physical_id})


class MaintenanceWindowTarget(Provider):
    """AWS::SSM::MaintenanceWindowTarget; Ref is its id."""

    type = "AWS::SSM::MaintenanceWindowTarget"
    gone = _GONE
    _settings = ("Targets", "OwnerInformation", "Name", "Description")
    supported = frozenset({*_settings, "WindowId", "ResourceType"})
    compared = frozenset({*_settings, "ResourceType"})
    attributes = frozenset({"WindowTargetId"})

    def read(self, request: Request) -> Properties:
        window, chosen = request.properties["WindowId"], [{"Key": "WindowTargetId", "Values": [request.physical_id]}]
        found = request.call("ssm", "DescribeMaintenanceWindowTargets", {"WindowId": window, "Filters": chosen})
        if not found["Targets"]:
            raise AwsError("DoesNotExistException", f"{request.physical_id} is no target of {window}.")
        return pick(found["Targets"][0], *self.compared)

    def create(self, request: Request) -> Physical:
        params = pick(request.properties, *self._settings, "WindowId", "ResourceType")
        target = request.call("ssm", "RegisterTargetWithMaintenanceWindow", params)["WindowTargetId"]
        return Physical(target, {"WindowTargetId": target})

    def update(self, request: Request) -> Physical:
        if request.changed("ResourceType"):
            raise AwsError("ValidationException", "ResourceType of a registered target cannot change.")
        settings = pick(request.properties, *self._settings, "WindowId")
        params = settings | {"WindowTargetId": request.physical_id, "Replace": True}
        request.call("ssm", "UpdateMaintenanceWindowTarget", params)
        return Physical(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        params = {"WindowId": request.properties["WindowId"], "WindowTargetId": request.physical_id}
        request.call("ssm", "DeregisterTargetFromMaintenanceWindow", params)


class MaintenanceWindowTask(Provider):
    """AWS::SSM::MaintenanceWindowTask; Ref is its id."""

    type = "AWS::SSM::MaintenanceWindowTask"
    gone = _GONE
    _settings = (
        "TaskArn", "ServiceRoleArn", "Targets", "TaskParameters", "Priority", "MaxConcurrency", "MaxErrors", "Name",
        "Description", "CutoffBehavior",
    )  # fmt: skip
    supported = frozenset({*_settings, "WindowId", "TaskType", "TaskInvocationParameters", "LoggingInfo"})
    compared = frozenset(_settings) - {"TaskParameters"}
    attributes = frozenset({"WindowTaskId"})

    def read(self, request: Request) -> Properties:
        params = {"WindowId": request.properties["WindowId"], "WindowTaskId": request.physical_id}
        return pick(request.call("ssm", "GetMaintenanceWindowTask", params), *self.compared)

    def create(self, request: Request) -> Physical:
        params = {**self._shaped(request.properties), "TaskType": request.properties["TaskType"]}
        task = request.call("ssm", "RegisterTaskWithMaintenanceWindow", params)["WindowTaskId"]
        return Physical(task, {"WindowTaskId": task})

    def update(self, request: Request) -> Physical:
        params = {**self._shaped(request.properties), "WindowTaskId": request.physical_id, "Replace": True}
        request.call("ssm", "UpdateMaintenanceWindowTask", params)
        return Physical(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        params = {"WindowId": request.properties["WindowId"], "WindowTaskId": request.physical_id}
        request.call("ssm", "DeregisterTaskFromMaintenanceWindow", params)

    def _shaped(self, properties: Properties) -> dict[str, Any]:
        params = pick(properties, *self._settings, "WindowId")
        if "LoggingInfo" in properties:
            names = {"S3Bucket": "S3BucketName", "S3Prefix": "S3KeyPrefix", "Region": "S3Region"}
            params["LoggingInfo"] = renamed(properties["LoggingInfo"], names, f"{self.type} LoggingInfo")
        if "TaskInvocationParameters" in properties:
            params["TaskInvocationParameters"] = _invocation(properties["TaskInvocationParameters"])
        return params


_INVOCATIONS: Mapping[str, str] = {
    "MaintenanceWindowRunCommandParameters": "RunCommand",
    "MaintenanceWindowAutomationParameters": "Automation",
    "MaintenanceWindowStepFunctionsParameters": "StepFunctions",
    "MaintenanceWindowLambdaParameters": "Lambda",
}


def _invocation(given: Properties) -> dict[str, Any]:
    shaped = renamed(given, _INVOCATIONS, "AWS::SSM::MaintenanceWindowTask TaskInvocationParameters")
    for kind in ("RunCommand", "Automation"):
        if "Parameters" in shaped.get(kind, {}):
            shaped[kind] = shaped[kind] | {"Parameters": _document_parameters(shaped[kind]["Parameters"])}
    if "Payload" in shaped.get("Lambda", {}):
        shaped["Lambda"] = shaped["Lambda"] | {"Payload": shaped["Lambda"]["Payload"].encode()}
    return shaped


def _document_parameters(given: Any) -> dict[str, list[str]]:
    """A document's parameters: a map of lists of strings, scalars in the lists written as text."""
    if not isinstance(given, Mapping):
        raise AwsError("ValidationException", "Parameters must be a map of lists of strings.")
    for name, values in given.items():
        if not isinstance(values, list) or any(isinstance(item, dict | list) for item in values):
            raise AwsError("ValidationException", f"Parameter {name} must be a list of strings.")
    return {name: [as_text(item) for item in values] for name, values in given.items()}


PROVIDERS = (MaintenanceWindow(), MaintenanceWindowTarget(), MaintenanceWindowTask())
