"""Drift of stack sets: drift detection on every stack of a set, as an operation with preferences like any other.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-drift.html

Assumptions: an instance whose stack is not there, or is in a state in which its drift cannot be detected, has a failed
result, and keeps the drift status that it had; a set of which nothing could be compared is NOT_CHECKED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from patchgate.emulator.cloud import Params, Result, Scope, operation
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.requests import refuse_others
from patchgate.emulator.cloudformation.stack_sets_instances import StackSetInstances, no_instance, operation_named
from patchgate.emulator.cloudformation.stack_sets_operations import check_free
from patchgate.emulator.cloudformation.stack_sets_pace import in_order
from patchgate.emulator.cloudformation.views import page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_KNOWN = ("StackSetName", "OperationPreferences", "OperationId", "CallAs")
_SHOWN = (
    "StackId", "LogicalResourceId", "PhysicalResourceId", "ResourceType", "PropertyDifferences",
    "StackResourceDriftStatus", "Timestamp",
)  # fmt: skip


class StackSetDrift(StackSetInstances):
    """The operations on the drift of stack sets."""

    @operation("DetectStackSetDrift")
    def detect_stack_set_drift(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackSetDrift.html"""
        refuse_others("DetectStackSetDrift", params, _KNOWN)
        stack_set = self.named(scope, params)
        self.check_access(scope, service_managed=stack_set.service_managed)
        work = self.operation_of(params, "DETECT_DRIFT", None)
        check_free(stack_set, work)
        instances = stack_set.instances.values()
        regions = in_order(sorted(stack_set.regions()), work.preferences)
        self.begin(scope, stack_set, work, [item for region in regions for item in instances if item.region == region])
        return {"OperationId": work.id}

    @operation("ListStackInstanceResourceDrifts")
    def list_stack_instance_resource_drifts(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackInstanceResourceDrifts.html"""
        stack_set = self.named(scope, params)
        work = operation_named(stack_set, params)
        if work.action != "DETECT_DRIFT":
            raise invalid(f"Operation {work.id} is not a drift detection operation")
        place = str(params["StackInstanceAccount"]), str(params["StackInstanceRegion"])
        if place not in work.results:
            raise no_instance(stack_set, *place)
        wanted = params.get("StackInstanceResourceDriftStatuses")
        found = [
            _shown(drift)
            for drift in work.results[place].drifts
            if not wanted or drift["StackResourceDriftStatus"] in wanted
        ]
        return page("Summaries", found, params)


def _shown(drift: Mapping[str, Any]) -> dict[str, Any]:
    return {name: drift[name] for name in _SHOWN}
