"""Stack sets: what is asked of CloudFormation, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from patchgate.aws.stack_sets import PREFERENCES, CloudFormationStackSets
from patchgate.operations.rollout.facts import Place
from patchgate.operations.rollout.ports import StackSetControl, StackSetFailedError
from patchgate.operations.rollout.steps import SetAdministration

SERVICE = SetAdministration("eu-central-1", "service-managed", "r-a1b2")
SELF = SetAdministration("eu-central-1", "self-managed", "", "arn:aws:iam::1:role/admin", "member")
AT = (("111111111111", "222222222222"), ("eu-central-1",))
HERE, THERE = ("111111111111", "eu-central-1"), ("222222222222", "eu-central-1")


class FakeCloudFormation:
    """Remembers requests; an operation goes through the given statuses, with these results at its end."""

    def __init__(self, *statuses: str, results: dict[Place, tuple[str, str]] | None = None) -> None:
        self.statuses = list(statuses)
        self.results = results or {HERE: ("SUCCEEDED", ""), THERE: ("SUCCEEDED", "")}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.refusal: Exception | None = None

    def __getattr__(self, method: str) -> Any:
        def call(**request: Any) -> dict[str, Any]:
            if self.refusal is not None:
                raise self.refusal
            self.requests.append((method, request))
            return {"OperationId": "op-1"}

        return call

    def describe_stack_set_operation(self, **request: Any) -> dict[str, Any]:
        assert request == {"StackSetName": "set", "OperationId": "op-1"}
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"StackSetOperation": {"Status": status}}

    def get_paginator(self, name: str) -> FakeCloudFormation:
        assert name == "list_stack_set_operation_results"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        assert request == {"StackSetName": "set", "OperationId": "op-1"}
        for (account, region), (status, reason) in self.results.items():
            yield {"Summaries": [{"Account": account, "Region": region, "Status": status, "StatusReason": reason}]}


def control_of(fake: FakeCloudFormation, patience: timedelta = timedelta(hours=1)) -> StackSetControl:
    return CloudFormationStackSets(fake, lambda _: None, poll=timedelta(minutes=10), patience=patience)


def ignore(_place: Place, _succeeded: bool) -> None:
    pass


def test_a_service_managed_set_deploys_nothing_by_itself() -> None:
    fake = FakeCloudFormation("SUCCEEDED")
    control_of(fake).create("set", "body", {"B": "2", "A": "1"}, {"team": "sre"}, SERVICE)
    ((method, request),) = fake.requests
    assert method == "create_stack_set"
    assert request["PermissionModel"] == "SERVICE_MANAGED"
    assert request["AutoDeployment"] == {"Enabled": False}
    assert request["Parameters"] == [
        {"ParameterKey": "A", "ParameterValue": "1"},
        {"ParameterKey": "B", "ParameterValue": "2"},
    ]
    assert request["Capabilities"] == ["CAPABILITY_NAMED_IAM"]


def test_a_self_managed_set_has_its_roles() -> None:
    fake = FakeCloudFormation("SUCCEEDED")
    control_of(fake).create("set", "body", {}, {}, SELF)
    request = fake.requests[0][1]
    assert request["AdministrationRoleARN"] == "arn:aws:iam::1:role/admin"
    assert request["ExecutionRoleName"] == "member"
    assert "PermissionModel" not in request


def test_instances_are_aimed_at_accounts_alone() -> None:
    fake, told = FakeCloudFormation("RUNNING", "SUCCEEDED"), list[tuple[Place, bool]]()
    control = control_of(fake)
    control.create_instances("set", AT, {"A": "1"}, SERVICE, lambda place, good: told.append((place, good)))
    request = fake.requests[0][1]
    assert request["DeploymentTargets"] == {
        "OrganizationalUnitIds": ["r-a1b2"],
        "Accounts": list(AT[0]),
        "AccountFilterType": "INTERSECTION",
    }
    assert request["Regions"] == ["eu-central-1"]
    assert request["ParameterOverrides"] == [{"ParameterKey": "A", "ParameterValue": "1"}]
    assert request["OperationPreferences"] == PREFERENCES
    assert told == [(HERE, True), (THERE, True)]
    control.update_instances("set", AT, {}, SELF, ignore)
    assert fake.requests[1][0] == "update_stack_instances"
    assert fake.requests[1][1]["Accounts"] == list(AT[0])
    assert fake.requests[1][1]["ParameterOverrides"] == []
    control.delete_instances("set", AT, SELF, ignore)
    assert fake.requests[2][1]["RetainStacks"] is False
    control.update("set", "body", {}, {}, SELF, ignore)
    control.delete("set")
    assert [method for method, _ in fake.requests[3:]] == ["update_stack_set", "delete_stack_set"]


def test_a_failed_operation_names_every_place_with_its_reason() -> None:
    results = {HERE: ("FAILED", "the role exists"), THERE: ("CANCELLED", "Cancelled since failure tolerance exceeded")}
    fake, told = FakeCloudFormation("FAILED", results=results), list[tuple[Place, bool]]()
    with pytest.raises(StackSetFailedError) as failure:
        control_of(fake).create_instances("set", AT, {}, SELF, lambda place, good: told.append((place, good)))
    assert str(failure.value) == (
        "stack set set: create_stack_instances ended as FAILED\n"
        "  111111111111/eu-central-1: FAILED: the role exists\n"
        "  222222222222/eu-central-1: CANCELLED: Cancelled since failure tolerance exceeded"
    )
    assert told == [(HERE, False), (THERE, False)]


def test_an_operation_without_an_end_is_given_up() -> None:
    with pytest.raises(StackSetFailedError, match="operation op-1 did not finish within 0:30:00"):
        control_of(FakeCloudFormation("RUNNING"), timedelta(minutes=30)).update("set", "b", {}, {}, SELF, ignore)


@pytest.mark.parametrize(
    ("refusal", "said", "remedy"),
    [
        (
            ClientError({"Error": {"Code": "OperationInProgressException", "Message": "busy"}}, "X"),
            "stack set set: delete_stack_set was refused: OperationInProgressException: busy",
            "correct what the message names",
        ),
        (EndpointConnectionError(endpoint_url="https://x"), "delete_stack_set failed: Could not connect", "network"),
    ],
)
def test_a_refusal_says_what_was_asked_and_what_to_do(refusal: Exception, said: str, remedy: str) -> None:
    fake = FakeCloudFormation("SUCCEEDED")
    fake.refusal = refusal
    with pytest.raises(StackSetFailedError, match=said) as failure:
        control_of(fake).delete("set")
    assert remedy in failure.value.remedy
