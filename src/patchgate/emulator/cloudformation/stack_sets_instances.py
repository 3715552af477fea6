"""The operations on the instances of a stack set, and on what goes on in a set.

Assumptions: CreateStackInstances for an instance that is there already brings it to the set's template again;
DeleteStackInstances is silent on places that have no instance; operations on a stack set are listed newest first, its
instances in the order in which they were created.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from patchgate.emulator.cloud import Params, Result, Scope, operation
from patchgate.emulator.cloudformation import stack_sets_views as views
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.requests import refuse_others
from patchgate.emulator.cloudformation.stack_sets_operations import StackSetOperations, check_free
from patchgate.emulator.cloudformation.stack_sets_pace import checked_preferences, in_order
from patchgate.emulator.cloudformation.stack_sets_state import SetOperation, StackInstance, StackSet
from patchgate.emulator.cloudformation.stack_sets_targets import (
    Targets,
    checked_regions,
    checked_targets,
    is_target,
    new_targets,
)
from patchgate.emulator.cloudformation.views import page
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.organizations import STACK_SETS, Organizations

_TARGETS = ("StackSetName", "Accounts", "DeploymentTargets", "Regions", "OperationPreferences", "OperationId", "CallAs")
_OPERATION_ID = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]{0,127}")


class StackSetInstances(StackSetOperations):
    """Instances and operations of stack sets."""

    @operation("CreateStackInstances")
    def create_stack_instances(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackInstances.html"""
        refuse_others("CreateStackInstances", params, (*_TARGETS, "ParameterOverrides"))
        stack_set, targets, regions = self._request(scope, params)
        accounts = new_targets(targets, stack_set, self.cloud.component(Organizations))
        work = self.operation_of(params, "CREATE", targets)
        overrides = params.get("ParameterOverrides")
        ordered = in_order(regions, work.preferences)
        check_overrides(stack_set, overrides)
        check_free(stack_set, work)
        if stack_set.service_managed and targets.deploys_automatically:
            for unit in targets.units:
                known = stack_set.targets.setdefault(unit, [])
                known += [region for region in regions if region not in known]
        chosen = [self.instance_at(stack_set, item, place, accounts[item]) for place in ordered for item in accounts]
        for instance in chosen:
            override(instance, overrides)
        self.begin(scope, stack_set, work, chosen)
        return {"OperationId": work.id}

    @operation("UpdateStackInstances")
    def update_stack_instances(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStackInstances.html"""
        refuse_others("UpdateStackInstances", params, (*_TARGETS, "ParameterOverrides"))
        stack_set, targets, regions = self._request(scope, params)
        work = self.operation_of(params, "UPDATE", targets)
        chosen = self.chosen(stack_set, targets, in_order(regions, work.preferences))
        overrides = params.get("ParameterOverrides")
        if not stack_set.service_managed:
            places = [(account, region) for account in targets.accounts for region in regions]
            absent = [place for place in places if place not in stack_set.instances]
            if absent:
                raise no_instance(stack_set, *absent[0])
        check_overrides(stack_set, overrides)
        check_free(stack_set, work)
        usable = [instance for instance in chosen if instance.status != "INOPERABLE"]
        for instance in usable:
            override(instance, overrides)
            instance.status = "OUTDATED"
        self.begin(scope, stack_set, work, usable)
        return {"OperationId": work.id}

    @operation("DeleteStackInstances")
    def delete_stack_instances(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStackInstances.html"""
        refuse_others("DeleteStackInstances", params, (*_TARGETS, "RetainStacks"))
        stack_set, targets, regions = self._request(scope, params)
        work = self.operation_of(params, "DELETE", targets)
        work.retain = bool(params["RetainStacks"])
        check_free(stack_set, work)
        for unit in targets.units if targets.deploys_automatically else ():
            left = [region for region in stack_set.targets.get(unit, ()) if region not in regions]
            stack_set.targets[unit] = left
        stack_set.targets = {unit: places for unit, places in stack_set.targets.items() if places}
        self.begin(scope, stack_set, work, self.chosen(stack_set, targets, in_order(regions, work.preferences)))
        return {"OperationId": work.id}

    @operation("DescribeStackInstance")
    def describe_stack_instance(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackInstance.html"""
        stack_set = self.named(scope, params)
        place = str(params["StackInstanceAccount"]), str(params["StackInstanceRegion"])
        if place not in stack_set.instances:
            raise no_instance(stack_set, *place)
        return {"StackInstance": views.instance_shape(stack_set, stack_set.instances[place])}

    @operation("ListStackInstances")
    def list_stack_instances(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackInstances.html"""
        stack_set = self.named(scope, params)
        account, region = params.get("StackInstanceAccount"), params.get("StackInstanceRegion")
        found = [
            views.instance_summary(stack_set, item)
            for item in stack_set.instances.values()
            if account in (None, item.account) and region in (None, item.region)
        ]
        for condition in params.get("Filters") or ():
            found = [item for item in found if _matches(item, condition)]
        return page("Summaries", found, params)

    @operation("DescribeStackSetOperation")
    def describe_stack_set_operation(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackSetOperation.html"""
        stack_set = self.named(scope, params)
        return {"StackSetOperation": views.operation_shape(stack_set, operation_named(stack_set, params))}

    @operation("ListStackSetOperations")
    def list_stack_set_operations(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSetOperations.html"""
        found = reversed(list(self.named(scope, params).operations.values()))
        return page("Summaries", [views.operation_summary(item) for item in found], params)

    @operation("ListStackSetOperationResults")
    def list_stack_set_operation_results(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSetOperationResults.html"""
        results = list(operation_named(self.named(scope, params), params).results.values())
        for condition in params.get("Filters") or ():
            if condition.get("Name") != "OPERATION_RESULT_STATUS":
                raise invalid("Filters: Name must satisfy enum value set: [OPERATION_RESULT_STATUS]")
            results = [item for item in results if item.status == condition.get("Values")]
        return page("Summaries", [views.result_shape(item) for item in results], params)

    @operation("StopStackSetOperation")
    def stop_stack_set_operation(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StopStackSetOperation.html"""
        stack_set = self.named(scope, params)
        work = operation_named(stack_set, params)
        if work.status != "RUNNING":
            raise AwsError("InvalidOperationException", f"Operation {work.id} is not in a running state: {work.status}")
        self.stop(scope, stack_set, work)
        return {}

    # -- what the operations share -------------------------------------------------------------------------------

    def named(self, scope: Scope, params: Params) -> StackSet:
        """The active set that a request names; StackSetNotFoundException without one."""
        refuse_delegation(params)
        stack_set = self.state(scope).find(str(params["StackSetName"]))
        if stack_set is None or stack_set.status != "ACTIVE":
            text = f"StackSet {params['StackSetName']} not found"
            raise AwsError("StackSetNotFoundException", text, status=404)
        return stack_set

    def operation_of(self, params: Params, action: str, targets: Targets | None) -> SetOperation:
        """The operation that a request is to start."""
        name = params.get("OperationId") or self.cloud.uuid()
        if not _OPERATION_ID.fullmatch(name):
            raise invalid("OperationId must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*")
        preferences = checked_preferences(params.get("OperationPreferences"))
        given = targets.given if targets else None
        return SetOperation(name, action, self.cloud.now, preferences, targets=given)

    def chosen(self, stack_set: StackSet, targets: Targets, regions: Iterable[str]) -> list[StackInstance]:
        """The instances that an update or a deletion is for, in the order of the Regions."""
        organizations = self.cloud.component(Organizations)
        found = [item for item in stack_set.instances.values() if is_target(item, targets, organizations)]
        return [item for region in regions for item in found if item.region == region]

    def _request(self, scope: Scope, params: Params) -> tuple[StackSet, Targets, list[str]]:
        stack_set = self.named(scope, params)
        self.check_access(scope, service_managed=stack_set.service_managed)
        targets = checked_targets(params, stack_set, self.cloud.component(Organizations))
        regions = checked_regions(params, scope.partition)
        if targets is None or not regions:
            raise invalid("At least one account or organizational unit, and at least one Region must be specified.")
        return stack_set, targets, regions

    def check_access(self, scope: Scope, *, service_managed: bool) -> None:
        """ValidationError where the account may not administer a set with that permission model.

        Trusted access for stack sets is not there in the China Regions.
        """
        if not service_managed:
            return
        if scope.partition == "aws-cn":
            raise invalid("The SERVICE_MANAGED permission model is not supported in this Region")
        self.check_management(scope)
        if not self.cloud.component(Organizations).trusts(STACK_SETS):
            raise invalid("You must enable organizations access to operate a service managed stack set")

    def check_management(self, scope: Scope) -> None:
        """ValidationError for every account but an organization's management account."""
        organization = self.cloud.component(Organizations).organization
        if organization is None or organization.management_account != scope.account:
            raise invalid(
                "You must be the management account or delegated admin account of an organization before operating a "
                "SERVICE_MANAGED stack set"
            )


def check_overrides(stack_set: StackSet, overrides: Iterable[Params] | None) -> None:
    """ValidationError for overrides of parameters that the set does not have."""
    unknown = [str(item.get("ParameterKey")) for item in overrides or () if item.get("ParameterKey") not in
               stack_set.parameters]  # fmt: skip
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    for item in overrides or ():
        if item.get("UsePreviousValue") and item.get("ParameterValue") is not None:
            raise invalid(f"Parameter {item['ParameterKey']} has both a value and UsePreviousValue")


def override(instance: StackInstance, overrides: Iterable[Params] | None) -> None:
    """Replace an instance's overrides; None leaves them, UsePreviousValue keeps one, a missing one goes."""
    if overrides is None:
        return
    kept, texts = instance.overrides, dict[str, str]()
    for item in overrides:
        key = str(item["ParameterKey"])
        if not item.get("UsePreviousValue"):
            texts[key] = str(item.get("ParameterValue") or "")
        elif key in kept:
            texts[key] = kept[key]
    instance.overrides = texts


def refuse_delegation(params: Params) -> None:
    """Stack sets are administered by the management account only."""
    if params.get("CallAs") not in (None, "SELF"):
        raise NotEmulatedError("stack sets with CallAs DELEGATED_ADMIN")


def operation_named(stack_set: StackSet, params: Params) -> SetOperation:
    """The operation of a set that a request names; OperationNotFoundException without one."""
    name = str(params["OperationId"])
    if name not in stack_set.operations:
        raise AwsError("OperationNotFoundException", f"Operation {name} not found", status=404)
    return stack_set.operations[name]


def no_instance(stack_set: StackSet, account: str, region: str) -> AwsError:
    """StackInstanceNotFoundException, to be raised."""
    text = f"Stack instance not found for StackSet {stack_set.name}, account {account}, Region {region}"
    return AwsError("StackInstanceNotFoundException", text, status=404)


def _matches(summary: dict[str, Any], condition: Params) -> bool:
    actual = {
        "DETAILED_STATUS": summary["StackInstanceStatus"]["DetailedStatus"],
        "LAST_OPERATION_ID": summary.get("LastOperationId"),
        "DRIFT_STATUS": summary["DriftStatus"],
    }
    if condition.get("Name") not in actual:
        raise invalid(f"Filters: Name must satisfy enum value set: [{', '.join(actual)}]")
    return bool(actual[condition["Name"]] == condition.get("Values"))
