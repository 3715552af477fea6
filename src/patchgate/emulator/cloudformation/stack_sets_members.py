"""The stacks of a stack set: created, updated and deleted in member accounts, through the ordinary operations.

The stacks of a self-managed set are made by its execution role, those of a service-managed one by a role of the
service, which may do everything.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs.html

Assumptions: a stack that failed to be created stays in ROLLBACK_COMPLETE until the next operation on it makes
another; a stack that somebody deleted behind the stack set's back fails to be updated; a parameter override whose
parameter is gone from the template fails the stack's update; the administration role may assume every execution role
that exists.
"""

from __future__ import annotations

from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.cloudformation.api import CloudFormation
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.stack_sets_state import StackInstance, StackSet
from patchgate.emulator.cloudformation.stacks import Stack
from patchgate.emulator.cloudformation.template_source import DeployedTemplate
from patchgate.emulator.errors import AwsError

_UNUSABLE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


class MemberStacks:
    """Acts in the place of one instance. Every method raises AwsError where AWS fails, with the reason it gives."""

    def __init__(self, cloud: Cloud, administrator: Scope, stack_set: StackSet) -> None:
        self._cloud = cloud
        self._administrator = administrator
        self._set = stack_set

    def deploy(self, instance: StackInstance) -> None:
        """Bring the instance's stack to the set's template and parameters."""
        member = self._member(instance)
        status = self._status(instance) if instance.stack_id else ""
        if status in _UNUSABLE:
            self._cloud.invoke(member, "cloudformation", "DeleteStack", {"StackName": instance.stack_id})
            if self._status(instance) != "DELETE_COMPLETE":
                raise self._failure(instance)
            instance.stack_id = ""
        if instance.stack_id:
            self._update(member, instance)
        else:
            name = f"StackSet-{self._set.name[:80]}-{self._cloud.uuid()}"
            made = self._cloud.invoke(member, "cloudformation", "CreateStack", self._request(instance, name))
            instance.stack_id = str(made["StackId"])
        if self._status(instance) not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise self._failure(instance)

    def _update(self, member: Scope, instance: StackInstance) -> None:
        try:
            self._cloud.invoke(member, "cloudformation", "UpdateStack", self._request(instance, instance.stack_id))
        except AwsError as error:
            if error.message != "No updates are to be performed.":
                raise

    def delete(self, instance: StackInstance) -> None:
        """Delete the instance's stack; one that is not there counts as deleted."""
        if not instance.stack_id:
            return
        member = self._member(instance)
        self._cloud.invoke(member, "cloudformation", "DeleteStack", {"StackName": instance.stack_id})
        if self._status(instance) != "DELETE_COMPLETE":
            raise self._failure(instance)

    def detect_drift(self, instance: StackInstance) -> tuple[str, list[dict[str, Any]]]:
        """(drift status of the instance's stack, drift of each of its resources that could be compared), now."""
        if not instance.stack_id:
            raise invalid("The stack instance has no stack")
        member, name = self._member(instance), {"StackName": instance.stack_id}
        detection = self._cloud.invoke(member, "cloudformation", "DetectStackDrift", name)
        found = self._cloud.invoke(member, "cloudformation", "DescribeStackDriftDetectionStatus", detection)
        drifts: list[dict[str, Any]] = []
        while True:
            shown = self._cloud.invoke(member, "cloudformation", "DescribeStackResourceDrifts", name)
            drifts += shown["StackResourceDrifts"]
            if "NextToken" not in shown:
                return str(found["StackDriftStatus"]), drifts
            name = name | {"NextToken": shown["NextToken"]}

    def _request(self, instance: StackInstance, name: str) -> dict[str, Any]:
        texts = self._set.parameters | instance.overrides
        return {
            "StackName": name,
            "TemplateBody": DeployedTemplate(self._set.template),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in texts.items()],
            "Capabilities": list(self._set.capabilities),
            "Tags": [{"Key": key, "Value": value} for key, value in self._set.tags.items()],
        }

    def _member(self, instance: StackInstance) -> Scope:
        """Where and as whom the instance's stack is handled; the roles of a self-managed set must exist."""
        place = Scope(instance.account, instance.region)
        if self._set.service_managed:
            return place
        administration, execution = self._set.administration_role, self._set.execution_role
        role_name = administration.rpartition("/")[2]
        trusts = self._cloud.authority.trusts
        known = self._role_exists(self._administrator, role_name)
        if not known or not trusts(self._administrator, administration, "cloudformation.amazonaws.com"):
            raise invalid(
                f"Account {self._administrator.account} should have '{role_name}' role with trust relationship to "
                "CloudFormation service."
            )
        if not self._role_exists(place, execution):
            raise invalid(
                f"Account {instance.account} should have '{execution}' role with trust relationship to Role "
                f"'{role_name}'."
            )
        return place.as_principal(f"arn:{place.partition}:iam::{instance.account}:role/{execution}")

    def _role_exists(self, scope: Scope, name: str) -> bool:
        try:
            self._cloud.invoke(Scope(scope.account, scope.region), "iam", "GetRole", {"RoleName": name})
        except AwsError as error:
            if error.code in ("NoSuchEntity", "NoSuchEntityException"):
                return False
            raise
        return True

    def _stack(self, instance: StackInstance) -> Stack:
        place = Scope(instance.account, instance.region)
        return self._cloud.component(CloudFormation).state(place).stacks[instance.stack_id]

    def _status(self, instance: StackInstance) -> str:
        return self._stack(instance).status

    def _failure(self, instance: StackInstance) -> AwsError:
        """Why the last operation on the stack failed: its first failed resource, or its own reason."""
        stack, first = self._stack(instance), None
        for event in reversed(stack.events):
            if event.physical_id == stack.id and event.reason == "User Initiated":
                break
            if event.physical_id != stack.id and event.status.endswith("_FAILED"):
                first = event
        if first is None:
            return invalid(stack.status_reason)
        return invalid(
            f"ResourceLogicalId:{first.logical_id}, ResourceType:{first.type}, ResourceStatusReason:{first.reason}."
        )
