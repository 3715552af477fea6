"""Stack sets: one template in many accounts and Regions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/what-is-cfnstacksets.html

Assumptions: DeleteStackSet of a set that is not there is silent: the operation has no error for it; an account that
moves from one target unit to another of the same set keeps its stacks, under the new unit; an account's stacks in
Regions that are no targets of its new unit stay.
"""

from __future__ import annotations

from patchgate.emulator.cloud import Params, Result, Scope, operation
from patchgate.emulator.cloudformation import stack_sets_views as views
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.requests import refuse_others
from patchgate.emulator.cloudformation.stack_sets_definition import checked_set_name, define, settle_permissions
from patchgate.emulator.cloudformation.stack_sets_drift import StackSetDrift
from patchgate.emulator.cloudformation.stack_sets_instances import refuse_delegation
from patchgate.emulator.cloudformation.stack_sets_operations import Key, check_free, refuse_while_running
from patchgate.emulator.cloudformation.stack_sets_pace import in_order
from patchgate.emulator.cloudformation.stack_sets_state import Place, SetOperation, StackSet
from patchgate.emulator.cloudformation.stack_sets_targets import checked_regions, checked_targets
from patchgate.emulator.cloudformation.views import page
from patchgate.emulator.errors import AwsError
from patchgate.emulator.organizations import STACK_SETS, Organizations

_DEFINITION = (
    "StackSetName", "Description", "TemplateBody", "TemplateURL", "Parameters", "Capabilities", "Tags",
    "AdministrationRoleARN", "ExecutionRoleName", "PermissionModel", "AutoDeployment", "CallAs", "ManagedExecution",
)  # fmt: skip
_UPDATE = (
    *_DEFINITION, "UsePreviousTemplate", "OperationPreferences", "DeploymentTargets", "OperationId", "Accounts",
    "Regions",
)  # fmt: skip


class StackSets(StackSetDrift):
    """Stack sets, and what happens to them when accounts join or leave a unit."""

    @operation("CreateStackSet")
    def create_stack_set(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html"""
        refuse_others("CreateStackSet", params, (*_DEFINITION, "ClientRequestToken"))
        refuse_delegation(params)
        name, state = checked_set_name(params), self.state(scope)
        service_managed = _service_managed(params)
        self.check_access(scope, service_managed=service_managed)
        if any(item.name == name for item in state.active()):
            raise AwsError("NameAlreadyExistsException", f"StackSet {name} already exists", status=409)
        definition = define(self.cloud, scope, params, None)
        stack_set = StackSet(f"{name}:{self.cloud.uuid()}", name, service_managed)
        stack_set.description = params.get("Description")
        settle_permissions(scope, params, stack_set)
        definition.adopt(stack_set)
        state.sets[stack_set.id] = stack_set
        if service_managed:
            self.cloud.component(Organizations).watch(self.account_moved)
        return {"StackSetId": stack_set.id}

    @operation("UpdateStackSet")
    def update_stack_set(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStackSet.html

        The set itself has changed when the call returns, whatever becomes of its instances.
        """
        refuse_others("UpdateStackSet", params, _UPDATE)
        stack_set = self.named(scope, params)
        if params.get("PermissionModel") and _service_managed(params) != stack_set.service_managed:
            raise invalid("The permission model of a StackSet cannot be changed")
        self.check_access(scope, service_managed=stack_set.service_managed)
        targets = checked_targets(params, stack_set, self.cloud.component(Organizations))
        regions = checked_regions(params, scope.partition)
        if bool(regions) != bool(targets):
            raise invalid("Accounts or DeploymentTargets, and Regions must be specified together.")
        definition, work = define(self.cloud, scope, params, stack_set), self.operation_of(params, "UPDATE", targets)
        check_free(stack_set, work)
        settle_permissions(scope, params, stack_set)
        stack_set.description = params.get("Description") or stack_set.description
        definition.adopt(stack_set)
        usable = [item for item in stack_set.instances.values() if item.status != "INOPERABLE"]
        if params.get("TemplateBody") or params.get("TemplateURL") or params.get("Parameters"):
            for instance in usable:
                instance.status = "OUTDATED"
        if targets:
            wanted = in_order(regions, work.preferences)
            chosen = [item for item in self.chosen(stack_set, targets, wanted) if item in usable]
        else:
            wanted = in_order(sorted(stack_set.regions()), work.preferences)
            chosen = [item for region in wanted for item in usable if item.region == region]
        self.begin(scope, stack_set, work, chosen)
        return {"OperationId": work.id}

    @operation("DeleteStackSet")
    def delete_stack_set(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStackSet.html"""
        try:
            stack_set = self.named(scope, params)
        except AwsError as error:
            if error.code == "StackSetNotFoundException":
                return {}
            raise
        refuse_while_running(stack_set)
        if stack_set.instances:
            raise AwsError("StackSetNotEmptyException", "StackSet is not empty", status=409)
        stack_set.status = "DELETED"
        return {}

    @operation("DescribeStackSet")
    def describe_stack_set(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackSet.html"""
        found = self.named(scope, params)
        return {"StackSet": views.set_shape(found, scope.arn("cloudformation", f"stackset/{found.id}"))}

    @operation("ListStackSets")
    def list_stack_sets(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSets.html"""
        refuse_delegation(params)
        wanted = params.get("Status")
        found = [item for item in self.state(scope).sets.values() if wanted in (None, item.status)]
        return page("Summaries", [views.set_summary(item) for item in found], params)

    @operation("ListStackSetAutoDeploymentTargets")
    def list_stack_set_auto_deployment_targets(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSetAutoDeploymentTargets.html"""
        targets = self.named(scope, params).targets
        found = [{"OrganizationalUnitId": unit, "Regions": regions} for unit, regions in targets.items()]
        return page("Summaries", found, params)

    @operation("DescribeOrganizationsAccess")
    def describe_organizations_access(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeOrganizationsAccess.html"""
        trusted = self.cloud.component(Organizations).trusts(STACK_SETS)
        return {"Status": "ENABLED" if trusted else "DISABLED"}

    @operation("ActivateOrganizationsAccess")
    def activate_organizations_access(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ActivateOrganizationsAccess.html"""
        self.check_management(scope)
        self.cloud.component(Organizations).set_trust(STACK_SETS, trusted=True)
        return {}

    @operation("DeactivateOrganizationsAccess")
    def deactivate_organizations_access(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeactivateOrganizationsAccess.html"""
        self.check_management(scope)
        self.cloud.component(Organizations).set_trust(STACK_SETS, trusted=False)
        return {}

    # -- automatic deployment ------------------------------------------------------------------------------------

    def account_moved(self, account: str, before: str, after: str) -> None:
        """An account has another parent: deploy to it, or take its stacks away. "" is outside of the organization."""
        organization = self.cloud.component(Organizations).organization
        if organization is None or account == organization.management_account:
            return
        for key, state in self._states.items():
            for stack_set in state.active():
                if (
                    stack_set.service_managed
                    and stack_set.auto_deployment
                    and key[0] == organization.management_account
                ):
                    self._follow(key, stack_set, account, before, after)

    def _follow(self, key: Key, stack_set: StackSet, account: str, before: str, after: str) -> None:
        organizations = self.cloud.component(Organizations)
        covering = [unit for unit in stack_set.targets if after and unit in organizations.lineage(after)]
        covered = [unit for unit in stack_set.targets if before and unit in organizations.lineage(before)]
        mine = [item for item in stack_set.instances.values() if item.account == account]
        if covering:
            for instance in mine:
                instance.unit = covering[0]
            regions = {region: unit for unit in covering for region in stack_set.targets[unit]}
            leaving = _leaving(stack_set)
            absent = [
                region
                for region in regions
                if (account, region) not in stack_set.instances or (account, region) in leaving
            ]
            fresh = [self.instance_at(stack_set, account, region, regions[region]) for region in absent]
            if fresh:
                work = SetOperation(self.cloud.uuid(), "CREATE", self.cloud.now, automatic=True)
                self.begin_automatic(key, stack_set, work, fresh)
        elif covered and mine:
            work = SetOperation(self.cloud.uuid(), "DELETE", self.cloud.now, automatic=True)
            work.retain = stack_set.retain_on_removal
            self.begin_automatic(key, stack_set, work, mine)


def _leaving(stack_set: StackSet) -> set[Place]:
    """The places whose instances are about to be deleted."""
    running = stack_set.running()
    unfinished = [*stack_set.waiting, *([running] if running else [])]
    return {place for work in unfinished if work.action == "DELETE" for place in work.results}


def _service_managed(params: Params) -> bool:
    model = params.get("PermissionModel") or "SELF_MANAGED"
    if model not in ("SELF_MANAGED", "SERVICE_MANAGED"):
        raise invalid("PermissionModel must satisfy enum value set: [SERVICE_MANAGED, SELF_MANAGED]")
    return bool(model == "SERVICE_MANAGED")
