"""Drift: what of a stack's resources is no longer as the stack made it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html: properties that a template
does not set are not compared. Detection is over when the call that starts it returns.

Assumptions: resources of the types that drift detection does not know here are NOT_CHECKED, also where AWS would
check them; a stack of which nothing could be checked is NOT_CHECKED.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.cloudformation.api import CloudFormation
from patchgate.emulator.cloudformation.providers import PROVIDERS
from patchgate.emulator.cloudformation.providers.base import Request
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.stacks import Stack, StackResource
from patchgate.emulator.cloudformation.views import page
from patchgate.emulator.errors import AwsError, NotEmulatedError

_CHECKABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED")
_STATUSES = ("IN_SYNC", "MODIFIED", "DELETED", "NOT_CHECKED")


@dataclass(frozen=True, slots=True)
class _Detection:
    stack_id: str
    status: str
    drifted: int
    at: datetime


class StackDrift(Component):
    """The operations on drift."""

    service = "cloudformation"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._detections: dict[tuple[tuple[str, str], str], _Detection] = {}

    @operation("DetectStackDrift")
    def detect_stack_drift(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackDrift.html"""
        stack, wanted = self._stack(scope, params), params.get("LogicalResourceIds")
        if stack.status not in _CHECKABLE:
            raise invalid(f"Drift detection cannot be performed on stack [{stack.name}] in {stack.status} state")
        for name in wanted or stack.resources:
            self._check(scope, stack, name)
        found = [item.drift for item in stack.resources.values() if item.drift is not None]
        drifted = [item for item in found if item["StackResourceDriftStatus"] in ("MODIFIED", "DELETED")]
        stack.drift_status = "DRIFTED" if drifted else "IN_SYNC" if found else "NOT_CHECKED"
        stack.drift_checked_at = self.cloud.now
        name = self.cloud.uuid()
        detection = _Detection(stack.id, stack.drift_status, len(drifted), self.cloud.now)
        self._detections[scope.key, name] = detection
        return {"StackDriftDetectionId": name}

    @operation("DescribeStackDriftDetectionStatus")
    def describe_stack_drift_detection_status(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackDriftDetectionStatus.html"""
        name = str(params["StackDriftDetectionId"])
        detection = self._detections.get((scope.key, name))
        if detection is None:
            raise invalid(f"The drift detection id {name} does not exist")
        return {
            "StackId": detection.stack_id,
            "StackDriftDetectionId": name,
            "StackDriftStatus": detection.status,
            "DetectionStatus": "DETECTION_COMPLETE",
            "DriftedStackResourceCount": detection.drifted,
            "Timestamp": detection.at,
        }

    @operation("DetectStackResourceDrift")
    def detect_stack_resource_drift(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackResourceDrift.html"""
        stack, name = self._stack(scope, params), str(params["LogicalResourceId"])
        self._check(scope, stack, name)
        drift = stack.resources[name].drift
        if drift is None:
            raise NotEmulatedError(f"drift of {stack.resources[name].type} (resource {name})")
        return {"StackResourceDrift": drift}

    @operation("DescribeStackResourceDrifts")
    def describe_stack_resource_drifts(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResourceDrifts.html

        Only resources that were checked are there.
        """
        wanted = params.get("StackResourceDriftStatusFilters") or _STATUSES
        stack = self._stack(scope, params)
        found = [item.drift for item in stack.resources.values() if item.drift is not None]
        return page(
            "StackResourceDrifts", [item for item in found if item["StackResourceDriftStatus"] in wanted], params
        )

    def _stack(self, scope: Scope, params: Params) -> Stack:
        stack = self.cloud.component(CloudFormation).state(scope).find(str(params["StackName"]))
        if stack is None or stack.deleted_at is not None:
            raise invalid(f"Stack [{params['StackName']}] does not exist")
        return stack

    def _check(self, scope: Scope, stack: Stack, name: str) -> None:
        """Note how a resource differs from what the stack made; nothing for types that cannot be compared."""
        if name not in stack.resources:
            raise invalid(f"Resource {name} does not exist for stack {stack.name}")
        resource = stack.resources[name]
        provider = PROVIDERS[resource.type]
        if not provider.compared:
            return
        expected = {key: value for key, value in resource.properties.items() if key in provider.compared}
        request = Request(
            self.cloud, scope, stack.name, name, resource.properties, resource.physical_id, resource.attributes
        )
        try:
            actual = {key: value for key, value in provider.read(request).items() if key in expected}
        except AwsError as error:
            if error.code not in provider.gone:
                raise
            resource.drift = self._drift(stack, resource, "DELETED", expected)
            return
        differences = [_difference(key, expected[key], actual.get(key)) for key in expected]
        changed = [item for item in differences if item is not None]
        drift = self._drift(stack, resource, "MODIFIED" if changed else "IN_SYNC", expected)
        resource.drift = drift | {
            "ActualProperties": json.dumps(actual, sort_keys=True),
            "PropertyDifferences": changed,
        }

    def _drift(self, stack: Stack, resource: StackResource, status: str, expected: dict[str, Any]) -> dict[str, Any]:
        return {
            "StackId": stack.id,
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id,
            "ResourceType": resource.type,
            "ExpectedProperties": json.dumps(expected, sort_keys=True),
            "PropertyDifferences": [],
            "StackResourceDriftStatus": status,
            "Timestamp": self.cloud.now,
        }


def _difference(name: str, expected: Any, actual: Any) -> dict[str, str] | None:
    if actual == expected:
        return None
    return {
        "PropertyPath": f"/{name}",
        "ExpectedValue": _text(expected),
        "ActualValue": "null" if actual is None else _text(actual),
        "DifferenceType": "REMOVE" if actual is None else "NOT_EQUAL",
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
