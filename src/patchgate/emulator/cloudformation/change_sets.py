"""Change sets: an operation that is described first and executed later.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import re
from typing import Any

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.cloudformation.deployment import Deployment, prepare
from patchgate.emulator.cloudformation.engine import UPDATABLE, StackEngine
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.requests import acting_scope, checked_stack_name, refuse_others, stack_input
from patchgate.emulator.cloudformation.stacks import ChangeSet, Stack, StackInput, StackState
from patchgate.emulator.errors import AwsError

_CREATE = (
    "StackName", "TemplateBody", "TemplateURL", "UsePreviousTemplate", "Parameters", "Capabilities", "RoleARN", "Tags",
    "ChangeSetName", "ClientToken", "Description", "ChangeSetType", "OnStackFailure",
)  # fmt: skip
_EXECUTE = ("ChangeSetName", "StackName", "ClientRequestToken", "DisableRollback")
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class ChangeSetOperations(Component):
    """The operations on change sets, and the state that they share with those on stacks."""

    service = "cloudformation"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._states: dict[tuple[str, str], StackState] = {}

    def state(self, scope: Scope) -> StackState:
        """Every stack of an account and Region."""
        return self._states.setdefault(scope.key, StackState())

    @operation("CreateChangeSet")
    def create_change_set(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html"""
        refuse_others("CreateChangeSet", params, _CREATE)
        name, kind = str(params.get("ChangeSetName") or ""), params.get("ChangeSetType") or "UPDATE"
        if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
            raise invalid(
                f"1 validation error detected: Value '{name}' at 'changeSetName' failed to satisfy constraint: Member "
                "must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        state = self.state(scope)
        stack = self._reviewed(scope, params, name) if kind == "CREATE" else self._updated(scope, params)
        if any(item.name == name and item.stack_id == stack.id for item in state.change_sets.values()):
            raise AwsError("AlreadyExistsException", f"ChangeSet [{name}] already exists")
        given = stack_input(self.cloud, scope, params, None if kind == "CREATE" else stack)
        role = params.get("RoleARN") or stack.role_arn
        change_set = ChangeSet(
            id=scope.arn("cloudformation", f"changeSet/{name}/{self.cloud.uuid()}"),
            name=name,
            stack_id=stack.id,
            created_at=self.cloud.now,
            creates=kind == "CREATE",
            given=given,
            role_arn=role,
            description=params.get("Description"),
            on_failure=params.get("OnStackFailure") or "ROLLBACK",
        )
        self._plan(scope, stack, change_set)
        state.stacks[stack.id], state.live[stack.name] = stack, stack.id
        state.change_sets[change_set.id] = change_set
        return {"Id": change_set.id, "StackId": stack.id}

    def _reviewed(self, scope: Scope, params: Params, change_set: str) -> Stack:
        """The stack that a change set of type CREATE is for: one in review, or a new one."""
        name = checked_stack_name(params)
        stack = self.state(scope).find(name)
        if stack is None:
            stack_id = scope.arn("cloudformation", f"stack/{name}/{self.cloud.uuid()}")
            return Stack(id=stack_id, name=name, created_at=self.cloud.now, status="REVIEW_IN_PROGRESS")
        if stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(
                f"Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}]."
            )
        return stack

    def _updated(self, scope: Scope, params: Params) -> Stack:
        stack = self.state(scope).find(str(params["StackName"]))
        if stack is None or stack.deleted_at is not None:
            raise invalid(f"Stack [{params['StackName']}] does not exist")
        if stack.status not in UPDATABLE:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        return stack

    def _plan(self, scope: Scope, stack: Stack, change_set: ChangeSet) -> None:
        """Describe what the execution would do; raises what CreateStack and UpdateStack raise."""
        engine, deployment = self._prepared(scope, stack, change_set, "")
        change_set.described_parameters = [item.described() for item in deployment.parameters.values()]
        change_set.changes = engine.changes(deployment)
        if change_set.creates:
            return
        try:
            engine.check_update(deployment)
        except AwsError as error:
            if error.message != "No updates are to be performed.":
                raise
            change_set.status, change_set.execution_status = "FAILED", "UNAVAILABLE"
            change_set.status_reason = NO_CHANGES

    def _prepared(
        self, scope: Scope, stack: Stack, change_set: ChangeSet, token: str
    ) -> tuple[StackEngine, Deployment]:
        acting = acting_scope(self.cloud, scope, change_set.role_arn)
        given: StackInput = change_set.given
        deployment = prepare(self.cloud, acting, stack.name, stack.id, given)
        return StackEngine(self.cloud, acting, self.state(scope), stack, token), deployment

    @operation("ListChangeSets")
    def list_change_sets(self, scope: Scope, params: Params) -> Result:
        """The change sets of a stack, oldest first, on one page."""
        stack = self.state(scope).find(str(params["StackName"]))
        if stack is None:
            raise invalid(f"Stack [{params['StackName']}] does not exist")
        found = [item for item in self.state(scope).change_sets.values() if item.stack_id == stack.id]
        return {"Summaries": [_summary(item, stack.name) for item in found]}

    @operation("DescribeChangeSet")
    def describe_change_set(self, scope: Scope, params: Params) -> Result:
        """A change set by its id, or by its name and stack."""
        refuse_others("DescribeChangeSet", params, ("ChangeSetName", "StackName"))
        change_set = self._change_set(scope, params)
        return _summary(change_set, self.state(scope).stacks[change_set.stack_id].name) | {
            "Parameters": change_set.described_parameters,
            "NotificationARNs": [],
            "RollbackConfiguration": {},
            "Capabilities": list(change_set.given.capabilities),
            "Tags": [{"Key": key, "Value": value} for key, value in change_set.given.tags.items()],
            "Changes": change_set.changes,
        }

    @operation("ExecuteChangeSet")
    def execute_change_set(self, scope: Scope, params: Params) -> Result:
        """Carry the change set out. The stack's other change sets can no longer be executed, as in AWS."""
        refuse_others("ExecuteChangeSet", params, _EXECUTE)
        change_set = self._change_set(scope, params)
        if change_set.execution_status != "AVAILABLE":
            raise AwsError(
                "InvalidChangeSetStatusException",
                f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{change_set.status}]",
            )
        state = self.state(scope)
        stack = state.stacks[change_set.stack_id]
        engine, deployment = self._prepared(scope, stack, change_set, params.get("ClientRequestToken") or "")
        stack.role_arn = change_set.role_arn
        stack.disable_rollback = bool(params.get("DisableRollback")) or change_set.on_failure == "DO_NOTHING"
        for other in state.change_sets.values():
            if other.stack_id == stack.id and other.execution_status == "AVAILABLE":
                other.execution_status = "OBSOLETE"
        change_set.execution_status = "EXECUTE_COMPLETE"
        if change_set.creates:
            engine.create(deployment, "DO_NOTHING" if stack.disable_rollback else change_set.on_failure)
        else:
            engine.check_update(deployment)
            engine.update(deployment, disable_rollback=stack.disable_rollback)
        return {}

    @operation("DeleteChangeSet")
    def delete_change_set(self, scope: Scope, params: Params) -> Result:
        """Forget a change set; one that is not there is no error."""
        refuse_others("DeleteChangeSet", params, ("ChangeSetName", "StackName"))
        try:
            change_set = self._change_set(scope, params)
        except AwsError:
            return {}
        del self.state(scope).change_sets[change_set.id]
        return {}

    def _change_set(self, scope: Scope, params: Params) -> ChangeSet:
        name, state = str(params["ChangeSetName"]), self.state(scope)
        if name in state.change_sets:
            return state.change_sets[name]
        stack = state.find(str(params.get("StackName") or ""))
        for item in state.change_sets.values():
            if stack is not None and (item.name, item.stack_id) == (name, stack.id):
                return item
        raise AwsError("ChangeSetNotFoundException", f"ChangeSet [{name}] does not exist", status=404)


def _summary(change_set: ChangeSet, stack_name: str) -> dict[str, Any]:
    """A ChangeSetSummary."""
    shape: dict[str, Any] = {
        "ChangeSetName": change_set.name,
        "ChangeSetId": change_set.id,
        "StackId": change_set.stack_id,
        "StackName": stack_name,
        "Description": change_set.description,
        "CreationTime": change_set.created_at,
        "ExecutionStatus": change_set.execution_status,
        "Status": change_set.status,
        "StatusReason": change_set.status_reason or None,
        "IncludeNestedStacks": False,
    }
    return {name: value for name, value in shape.items() if value is not None}
