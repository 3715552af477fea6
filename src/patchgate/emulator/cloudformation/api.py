"""The component: CloudFormation's operations.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from patchgate.emulator.cloud import Params, Result, Scope, operation
from patchgate.emulator.cloudformation import views
from patchgate.emulator.cloudformation.change_sets import ChangeSetOperations
from patchgate.emulator.cloudformation.deployment import check_template, prepare
from patchgate.emulator.cloudformation.engine import UPDATABLE, StackEngine
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.requests import (
    acting_scope,
    checked_stack_name,
    on_failure,
    refuse_others,
    stack_input,
)
from patchgate.emulator.cloudformation.stacks import Stack
from patchgate.emulator.cloudformation.template_source import given_template, needed_template
from patchgate.emulator.errors import AwsError

_CREATE = (
    "StackName", "TemplateBody", "TemplateURL", "Parameters", "DisableRollback", "TimeoutInMinutes", "Capabilities",
    "RoleARN", "OnFailure", "Tags", "ClientRequestToken", "EnableTerminationProtection", "RetainExceptOnCreate",
)  # fmt: skip
_UPDATE = (
    "StackName", "TemplateBody", "TemplateURL", "UsePreviousTemplate", "Parameters", "Capabilities", "RoleARN", "Tags",
    "DisableRollback", "ClientRequestToken", "RetainExceptOnCreate",
)  # fmt: skip
_CONTINUE = ("StackName", "ResourcesToSkip", "RoleARN", "ClientRequestToken")
_DELETE = ("StackName", "RetainResources", "RoleARN", "ClientRequestToken")


class CloudFormation(ChangeSetOperations):
    """Stacks. An operation is over when its call returns, and the stack is in its final state."""

    @operation("CreateStack")
    def create_stack(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
        refuse_others("CreateStack", params, _CREATE)
        name, state, choice = checked_stack_name(params), self.state(scope), on_failure(params)
        if name in state.live:
            raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
        given = stack_input(self.cloud, scope, params, None)
        stack_id = scope.arn("cloudformation", f"stack/{name}/{self.cloud.uuid()}")
        acting = acting_scope(self.cloud, scope, params.get("RoleARN") or "")
        deployment = prepare(self.cloud, acting, name, stack_id, given)
        stack = Stack(
            id=stack_id,
            name=name,
            created_at=self.cloud.now,
            status="CREATE_IN_PROGRESS",
            role_arn=params.get("RoleARN") or "",
            disable_rollback=choice == "DO_NOTHING",
            termination_protection=bool(params.get("EnableTerminationProtection")),
            timeout_minutes=params.get("TimeoutInMinutes"),
            retain_except_on_create=bool(params.get("RetainExceptOnCreate")),
        )
        state.stacks[stack_id], state.live[name] = stack, stack_id
        token = params.get("ClientRequestToken") or ""
        StackEngine(self.cloud, acting, state, stack, token).create(deployment, choice)
        return {"StackId": stack_id}

    @operation("UpdateStack")
    def update_stack(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html"""
        refuse_others("UpdateStack", params, _UPDATE)
        stack = self._live(scope, params)
        if stack.status not in UPDATABLE:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        given = stack_input(self.cloud, scope, params, stack)
        acting = acting_scope(self.cloud, scope, params.get("RoleARN") or stack.role_arn)
        deployment = prepare(self.cloud, acting, stack.name, stack.id, given)
        engine = StackEngine(self.cloud, acting, self.state(scope), stack, params.get("ClientRequestToken") or "")
        engine.check_update(deployment)
        stack.role_arn = acting.principal if params.get("RoleARN") else stack.role_arn
        stack.disable_rollback = bool(params.get("DisableRollback"))
        stack.retain_except_on_create = bool(params.get("RetainExceptOnCreate"))
        engine.update(deployment, disable_rollback=stack.disable_rollback)
        return {"StackId": stack.id}

    @operation("ContinueUpdateRollback")
    def continue_update_rollback(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html

        Assumption: a skipped resource counts as brought back, with an event that says so.
        """
        refuse_others("ContinueUpdateRollback", params, _CONTINUE)
        stack = self._live(scope, params)
        acting = acting_scope(self.cloud, scope, params.get("RoleARN") or stack.role_arn)
        engine = StackEngine(self.cloud, acting, self.state(scope), stack, params.get("ClientRequestToken") or "")
        engine.continue_rollback(params.get("ResourcesToSkip") or ())
        return {}

    @operation("DeleteStack")
    def delete_stack(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html

        A stack that is not there counts as deleted, as it does in AWS.
        """
        refuse_others("DeleteStack", params, _DELETE)
        state = self.state(scope)
        stack = state.find(str(params["StackName"]))
        if stack is None or stack.deleted_at is not None:
            return {}
        retain = params.get("RetainResources") or ()
        if stack.termination_protection:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if retain and stack.status != "DELETE_FAILED":
            raise invalid(
                "The specified resources to retain must be in a valid state. Do not specify RetainResources for a "
                f"stack in {stack.status} state"
            )
        unknown = [name for name in retain if name not in stack.resources]
        if unknown:
            raise invalid(f"Resources [{', '.join(unknown)}] do not exist in the stack")
        acting = acting_scope(self.cloud, scope, params.get("RoleARN") or stack.role_arn)
        StackEngine(self.cloud, acting, state, stack, params.get("ClientRequestToken") or "").delete(retain)
        return {}

    @operation("UpdateTerminationProtection")
    def update_termination_protection(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateTerminationProtection.html"""
        stack = self._live(scope, params)
        stack.termination_protection = bool(params["EnableTerminationProtection"])
        return {"StackId": stack.id}

    @operation("DescribeStacks")
    def describe_stacks(self, scope: Scope, params: Params) -> Result:
        """One stack by name or id (deleted ones by id only), or every stack that is not deleted."""
        if params.get("StackName"):
            return {"Stacks": [views.stack_shape(self._any(scope, params))]}
        stacks = [views.stack_shape(stack) for stack in reversed(list(self.state(scope).all_live()))]
        return views.page("Stacks", stacks, params)

    @operation("ListStacks")
    def list_stacks(self, scope: Scope, params: Params) -> Result:
        """Every stack, deleted ones too, newest first. AWS forgets deleted stacks after 90 days; this does not."""
        wanted = params.get("StackStatusFilter")
        stacks = [item for item in self.state(scope).stacks.values() if not wanted or item.status in wanted]
        return views.page("StackSummaries", [views.summary_shape(item) for item in reversed(stacks)], params)

    @operation("DescribeStackEvents")
    def describe_stack_events(self, scope: Scope, params: Params) -> Result:
        """The stack's events, newest first."""
        stack = self._any(scope, params, "Stack [{}] does not exist")
        return views.page("StackEvents", [views.event_shape(stack, event) for event in reversed(stack.events)], params)

    @operation("DescribeStackResources")
    def describe_stack_resources(self, scope: Scope, params: Params) -> Result:
        """The resources of a stack by its name, or of the stack that a physical id belongs to."""
        logical, physical = params.get("LogicalResourceId"), params.get("PhysicalResourceId")
        if bool(params.get("StackName")) == bool(physical):
            raise invalid("Exactly one of StackName and PhysicalResourceId must be specified")
        stack = self._owner(scope, physical) if physical else self._any(scope, params)
        resources = [
            views.resource_in_stack_shape(stack, item, timestamp="Timestamp")
            for item in stack.resources.values()
            if not logical or item.logical_id == logical
        ]
        if logical and not resources:
            raise invalid(f"Resource {logical} does not exist for stack {stack.name}")
        return {"StackResources": resources}

    @operation("DescribeStackResource")
    def describe_stack_resource(self, scope: Scope, params: Params) -> Result:
        """One resource of a stack."""
        stack, name = self._any(scope, params, "Stack '{}' does not exist"), params["LogicalResourceId"]
        if name not in stack.resources:
            raise invalid(f"Resource {name} does not exist for stack {stack.name}")
        resource = stack.resources[name]
        shape = views.resource_in_stack_shape(stack, resource, timestamp="LastUpdatedTimestamp")
        return {"StackResourceDetail": shape | views.metadata_shape(resource)}

    @operation("ListStackResources")
    def list_stack_resources(self, scope: Scope, params: Params) -> Result:
        """The resources of a stack, in summary."""
        stack = self._any(scope, params)
        items = [views.resource_shape(item, timestamp="LastUpdatedTimestamp") for item in stack.resources.values()]
        return views.page("StackResourceSummaries", items, params)

    @operation("GetTemplate")
    def get_template(self, scope: Scope, params: Params) -> Result:
        """The template's text as it was given. Without transforms both stages are the same text."""
        refuse_others("GetTemplate", params, ("StackName", "TemplateStage"))
        stack = self._any(scope, params)
        return {"TemplateBody": stack.template, "StagesAvailable": ["Original", "Processed"]}

    @operation("GetTemplateSummary")
    def get_template_summary(self, scope: Scope, params: Params) -> Result:
        """What a template needs and makes: a given text's, or a stack's."""
        refuse_others("GetTemplateSummary", params, ("StackName", "TemplateBody", "TemplateURL"))
        body = given_template(self.cloud, scope, params)
        if bool(params.get("StackName")) == (body is not None):
            raise invalid("Exactly one of StackName, TemplateBody and TemplateURL must be specified")
        body = self._any(scope, params).template if body is None else body
        return views.template_summary_shape(scope.region, check_template(scope.region, body))

    @operation("ValidateTemplate")
    def validate_template(self, scope: Scope, params: Params) -> Result:
        """Checks a template's structure, names and types, not its properties, as AWS does."""
        refuse_others("ValidateTemplate", params, ("TemplateBody", "TemplateURL"))
        body = needed_template(self.cloud, scope, params)
        return views.validated_shape(check_template(scope.region, body))

    @operation("ListExports")
    def list_exports(self, scope: Scope, params: Params) -> Result:
        """Every export of the account in the Region."""
        exports = [
            {"ExportingStackId": stack.id, "Name": name, "Value": value}
            for name, value, stack in sorted(self.state(scope).exports(), key=lambda item: item[0])
        ]
        return views.page("Exports", exports, params)

    @operation("ListImports")
    def list_imports(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html"""
        name = str(params["ExportName"])
        importers = self.state(scope).importers(name)
        if not importers:
            raise invalid(f"Export '{name}' is not imported by any stack.")
        return views.page("Imports", importers, params)

    def _any(self, scope: Scope, params: Params, text: str = "Stack with id {} does not exist") -> Stack:
        name = str(params.get("StackName") or "")
        stack = self.state(scope).find(name)
        if stack is None:
            raise invalid(text.format(name))
        return stack

    def _live(self, scope: Scope, params: Params) -> Stack:
        stack = self._any(scope, params, "Stack [{}] does not exist")
        if stack.deleted_at is not None:
            raise invalid(f"Stack [{params['StackName']}] does not exist")
        return stack

    def _owner(self, scope: Scope, physical_id: str) -> Stack:
        for stack in self.state(scope).all_live():
            if any(item.physical_id == physical_id for item in stack.resources.values()):
                return stack
        raise invalid(f"Stack for {physical_id} does not exist")
