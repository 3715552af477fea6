"""StackSetControl through a boto3 client of the account that deploys.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackInstances.html

Service-managed sets are aimed at single accounts below the organization's root (AccountFilterType INTERSECTION), and
deploy nothing by themselves: overrides do not reach accounts that are added later. Those are the next deployment's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from patchgate.aws.refusals import describe_refusal
from patchgate.operations.deployment import CAPABILITIES
from patchgate.operations.rollout.ports import StackSetFailedError, Told

if TYPE_CHECKING:
    from patchgate.operations.rollout.sets import Rectangle
    from patchgate.operations.rollout.steps import SetAdministration

PREFERENCES = {
    "RegionConcurrencyType": "PARALLEL",
    "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    "MaxConcurrentCount": 10,
    "FailureToleranceCount": 0,
}
"""Ten accounts of each Region at once; after a failure in a Region nothing new begins there.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationPreferences.html"""


class CloudFormationStackSets:
    """StackSetControl. ``pause(seconds)`` lets time pass; ``patience`` bounds one operation."""

    def __init__(
        self,
        client: Any,
        pause: Callable[[float], None],
        *,
        poll: timedelta = timedelta(seconds=5),
        patience: timedelta = timedelta(hours=12),
    ) -> None:
        self._client = client
        self._pause = pause
        self._poll = poll
        self._patience = patience

    def create(
        self,
        name: str,
        body: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        administration: SetAdministration,
    ) -> None:
        """See StackSetControl."""
        request = _definition(body, parameters, tags) | _roles(administration)
        if administration.mode == "service-managed":
            request |= {"PermissionModel": "SERVICE_MANAGED", "AutoDeployment": {"Enabled": False}}
        self._ask(name, "create_stack_set", Description="made by patchgate deploy", **request)

    def update(
        self,
        name: str,
        body: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        administration: SetAdministration,
        told: Told,
    ) -> None:
        """See StackSetControl."""
        request = _definition(body, parameters, tags) | _roles(administration)
        self._operate(name, told, "update_stack_set", OperationPreferences=PREFERENCES, **request)

    def create_instances(
        self, name: str, at: Rectangle, overrides: Mapping[str, str], administration: SetAdministration, told: Told
    ) -> None:
        """See StackSetControl."""
        request = _targets(at, administration) | {"ParameterOverrides": _pairs(overrides)}
        self._operate(name, told, "create_stack_instances", OperationPreferences=PREFERENCES, **request)

    def update_instances(
        self, name: str, at: Rectangle, overrides: Mapping[str, str], administration: SetAdministration, told: Told
    ) -> None:
        """See StackSetControl."""
        request = _targets(at, administration) | {"ParameterOverrides": _pairs(overrides)}
        self._operate(name, told, "update_stack_instances", OperationPreferences=PREFERENCES, **request)

    def delete_instances(self, name: str, at: Rectangle, administration: SetAdministration, told: Told) -> None:
        """See StackSetControl."""
        request = _targets(at, administration) | {"RetainStacks": False}
        self._operate(name, told, "delete_stack_instances", OperationPreferences=PREFERENCES, **request)

    def delete(self, name: str) -> None:
        """See StackSetControl."""
        self._ask(name, "delete_stack_set")

    def _ask(self, name: str, method: str, **request: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, method)(StackSetName=name, **request)
        except (ClientError, BotoCoreError) as error:
            reason, remedy = describe_refusal(method, error)
            raise StackSetFailedError(name, reason, remedy=remedy) from error
        return answer

    def _operate(self, name: str, told: Told, method: str, **request: Any) -> None:
        """Begin an operation and wait for its end."""
        operation = self._ask(name, method, **request)["OperationId"]
        heard = set[tuple[str, str]]()
        waited = timedelta()
        while True:
            status = self._ask(name, "describe_stack_set_operation", OperationId=operation)["StackSetOperation"][
                "Status"
            ]
            results = self._results(name, operation)
            for each in results:
                place = each["Account"], each["Region"]
                if place not in heard and each["Status"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                    heard.add(place)
                    told(place, each["Status"] == "SUCCEEDED")
            if status not in ("RUNNING", "STOPPING", "QUEUED"):
                break
            if waited >= self._patience:
                reason = f"operation {operation} did not finish within {self._patience}"
                raise StackSetFailedError(name, reason, remedy="look at it in the console, and run this again later")
            self._pause(self._poll.total_seconds())
            waited += self._poll
        if status != "SUCCEEDED":
            bad = {
                (
                    each["Account"],
                    each["Region"],
                ): f"{each['Status']}: {each.get('StatusReason', 'no reason was given')}"
                for each in results
                if each["Status"] != "SUCCEEDED"
            }
            remedy = "correct what the reasons name"
            raise StackSetFailedError(name, f"{method} ended as {status}", bad, remedy=remedy)

    def _results(self, name: str, operation: str) -> list[dict[str, Any]]:
        try:
            pages = self._client.get_paginator("list_stack_set_operation_results")
            found = pages.paginate(StackSetName=name, OperationId=operation)
            return [each for page in found for each in page["Summaries"]]
        except (ClientError, BotoCoreError) as error:
            reason, remedy = describe_refusal("list_stack_set_operation_results", error)
            raise StackSetFailedError(name, reason, remedy=remedy) from error


def _definition(body: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "TemplateBody": body,
        "Parameters": _pairs(parameters),
        "Capabilities": list(CAPABILITIES),
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
    }


def _roles(administration: SetAdministration) -> dict[str, str]:
    roles = {
        "AdministrationRoleARN": administration.administration_role,
        "ExecutionRoleName": administration.execution_role,
    }
    return {name: role for name, role in roles.items() if role}


def _targets(at: Rectangle, administration: SetAdministration) -> dict[str, Any]:
    accounts, regions = at
    if administration.mode == "self-managed":
        return {"Accounts": list(accounts), "Regions": list(regions)}
    units = [administration.root]
    targets = {"OrganizationalUnitIds": units, "Accounts": list(accounts), "AccountFilterType": "INTERSECTION"}
    return {"DeploymentTargets": targets, "Regions": list(regions)}


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(values.items())]
