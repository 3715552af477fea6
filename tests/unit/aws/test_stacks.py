"""CloudFormation stacks: created, changed, left alone and deleted; and every failure says where and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.aws.stacks import LONGEST_TEMPLATE, CloudFormationStacks
from patchgate.operations.ports import StackControl, StackFailedError, StackResult

ACCOUNT, REGION, NAME = "111122223333", "eu-west-1", "patchgate-logs"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{NAME}/1"


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def event(status: str, logical: str = NAME, kind: str = "AWS::CloudFormation::Stack", reason: str = "") -> Any:
    physical = STACK_ID if logical == NAME else f"physical-{logical}"
    return {
        "StackId": STACK_ID,
        "LogicalResourceId": logical,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


class FakeCloudFormation:
    """One stack whose statuses are told in advance: each look at it moves on to the next, and stays at the last."""

    def __init__(self, *statuses: str, events: list[Any] | None = None, reason: str = "") -> None:
        self.statuses = list(statuses)
        self.events = events or []
        self.reason = reason
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.refusals: dict[str, ClientError] = {}
        self.then: list[str] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - botocore's parameter
        if "describe_stacks" in self.refusals:
            raise self.refusals["describe_stacks"]
        if not self.statuses or (self.statuses[0] == "DELETE_COMPLETE" and StackName == NAME):
            raise refused("ValidationError", f"Stack with id {StackName} does not exist")
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        stack = {"StackId": STACK_ID, "StackName": NAME, "StackStatus": status, "StackStatusReason": self.reason}
        return {"Stacks": [stack | {"Outputs": [{"OutputKey": "Bucket", "OutputValue": "b"}]}]}

    def _change(self, method: str, request: dict[str, Any]) -> None:
        if method in self.refusals:
            raise self.refusals[method]
        self.requests.append((method, request))
        self.statuses = self.then

    def create_stack(self, **request: Any) -> None:
        self._change("create_stack", request)

    def update_stack(self, **request: Any) -> None:
        self._change("update_stack", request)

    def delete_stack(self, **request: Any) -> None:
        self._change("delete_stack", request)

    def get_paginator(self, name: str) -> FakePaginator:
        return FakePaginator(self, name)


class FakePaginator:
    def __init__(self, fake: FakeCloudFormation, name: str) -> None:
        self._fake = fake
        self._name = name

    def paginate(self, StackName: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - botocore's parameter
        assert StackName in (NAME, STACK_ID)
        if self._name in self._fake.refusals:
            raise self._fake.refusals[self._name]
        if self._name == "list_stack_resources":
            for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
                yield {"StackResourceSummaries": [{"ResourceStatus": status}]}
        for item in self._fake.events:
            yield {"StackEvents": [item]}


class Control:
    """The adapter on a fake, and the pauses that it made."""

    def __init__(self, fake: FakeCloudFormation, patience: timedelta = timedelta(minutes=1)) -> None:
        self.fake = fake
        self.pauses: list[float] = []
        self.asked: list[tuple[str, str]] = []
        self.stacks: StackControl = CloudFormationStacks(self.client, self.pauses.append, patience=patience)

    def client(self, account: str, region: str) -> FakeCloudFormation:
        self.asked.append((account, region))
        return self.fake

    def deploy(self, template: str = "{}", **more: Any) -> StackResult:
        return self.stacks.create_or_update(ACCOUNT, REGION, NAME, template, {"B": "2", "A": "1"}, **more)

    def failure(self) -> StackFailedError:
        with pytest.raises(StackFailedError) as failure:
            self.deploy()
        return failure.value


def test_a_new_stack_is_created_and_waited_for() -> None:
    fake = FakeCloudFormation()
    fake.then = ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    control = Control(fake)
    result = control.deploy(capabilities=("CAPABILITY_NAMED_IAM",), tags={"team": "sre"})
    assert result == StackResult("CREATE_COMPLETE", {"Bucket": "b"}, 2)
    request = {
        "StackName": NAME,
        "TemplateBody": "{}",
        "Parameters": [
            {"ParameterKey": "A", "ParameterValue": "1"},
            {"ParameterKey": "B", "ParameterValue": "2"},
        ],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": [{"Key": "team", "Value": "sre"}],
    }
    assert fake.requests == [("create_stack", request)]
    assert control.pauses == [5, 5]
    assert control.asked == [(ACCOUNT, REGION)]


@pytest.mark.parametrize("before", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_is_there_is_updated(before: str) -> None:
    fake = FakeCloudFormation(before)
    fake.then = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert Control(fake).deploy().status == "UPDATE_COMPLETE"
    assert [method for method, _ in fake.requests] == ["update_stack"]


def test_a_stack_without_changes_stays_as_it_is() -> None:
    fake = FakeCloudFormation("CREATE_COMPLETE")
    fake.refusals["update_stack"] = refused("ValidationError", "No updates are to be performed.")
    control = Control(fake)
    assert control.deploy() == StackResult("CREATE_COMPLETE", {"Bucket": "b"}, 2)
    assert control.pauses == []


class TestFailures:
    def test_the_first_resource_that_failed_by_itself_is_named(self) -> None:
        events = [
            event("ROLLBACK_COMPLETE"),
            event("CREATE_FAILED", "Plan", "AWS::Backup::BackupPlan", "Resource creation cancelled"),
            event("CREATE_FAILED", "Later", "AWS::S3::Bucket", "second cause"),
            event("CREATE_FAILED", "Vault", "AWS::Backup::BackupVault", "vault already exists"),
            event("CREATE_IN_PROGRESS"),
        ]
        fake = FakeCloudFormation(events=events)
        fake.then = ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
        failure = Control(fake).failure()
        assert str(failure) == (
            f"stack {NAME} in {ACCOUNT}/{REGION} is ROLLBACK_COMPLETE: "
            "Vault (AWS::Backup::BackupVault): vault already exists"
        )
        assert failure.remedy == "its creation failed; delete it and deploy again"

    def test_failures_of_earlier_operations_are_not_taken_for_this_one(self) -> None:
        events = [
            event("UPDATE_ROLLBACK_COMPLETE"),
            event("UPDATE_FAILED", "Window", "AWS::SSM::MaintenanceWindow", "now"),
            event("UPDATE_IN_PROGRESS"),
            event("UPDATE_FAILED", "Vault", "AWS::Backup::BackupVault", "last month"),
        ]
        fake = FakeCloudFormation("CREATE_COMPLETE", events=events)
        fake.then = ["UPDATE_ROLLBACK_COMPLETE"]
        failure = Control(fake).failure()
        assert (failure.resource, failure.reason) == ("Window (AWS::SSM::MaintenanceWindow)", "now")
        assert failure.remedy == "correct it and deploy again: the stack is as it was before"

    def test_without_a_failed_resource_the_stacks_own_reason_counts(self) -> None:
        fake = FakeCloudFormation(events=[event("CREATE_IN_PROGRESS")], reason="Template format error")
        fake.then = ["ROLLBACK_COMPLETE"]
        assert Control(fake).failure().reason == "Template format error"

    @pytest.mark.parametrize(
        ("status", "remedy"),
        [
            ("ROLLBACK_COMPLETE", "delete it"),
            ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
            ("REVIEW_IN_PROGRESS", "change set"),
            ("UPDATE_IN_PROGRESS", "wait"),
        ],
    )
    def test_a_stack_that_cannot_be_updated_is_left_alone(self, status: str, remedy: str) -> None:
        fake = FakeCloudFormation(status)
        failure = Control(fake).failure()
        assert (failure.status, fake.requests) == (status, [])
        assert remedy in failure.remedy

    @pytest.mark.parametrize(
        ("method", "code", "remedy"),
        [
            ("describe_stacks", "AccessDenied", "allow this call"),
            ("create_stack", "InsufficientCapabilitiesException", "capability"),
            ("create_stack", "Throttling", "wait a few minutes"),
            ("create_stack", "ExpiredToken", "credentials"),
            ("create_stack", "ValidationError", "correct"),
            ("list_stack_resources", "AccessDenied", "allow this call"),
        ],
    )
    def test_refusals_say_what_to_do(self, method: str, code: str, remedy: str) -> None:
        fake = FakeCloudFormation()
        fake.refusals[method] = refused(code, "because")
        fake.then = ["CREATE_COMPLETE"]
        failure = Control(fake).failure()
        assert f"{method} was refused: {code}: because" in str(failure)
        assert remedy in failure.remedy

    def test_an_update_may_be_refused_too(self) -> None:
        fake = FakeCloudFormation("CREATE_COMPLETE")
        fake.refusals["update_stack"] = refused("ValidationError", "Parameters: [X] must have values")
        assert "must have values" in str(Control(fake).failure())

    def test_patience_ends(self) -> None:
        fake = FakeCloudFormation()
        fake.then = ["CREATE_IN_PROGRESS"]
        control = Control(fake, patience=timedelta(seconds=10))
        failure = control.failure()
        assert "did not finish within 0:00:10" in str(failure)
        assert control.pauses == [5, 5]

    def test_a_template_that_is_too_long_is_not_sent(self) -> None:
        fake = FakeCloudFormation()
        with pytest.raises(StackFailedError, match=f"{LONGEST_TEMPLATE + 2} bytes"):
            Control(fake).deploy("\N{LATIN SMALL LETTER A WITH DIAERESIS}" * (LONGEST_TEMPLATE // 2 + 1))
        assert fake.requests == []


class TestDelete:
    def test_a_stack_is_deleted_and_waited_for(self) -> None:
        fake = FakeCloudFormation("CREATE_COMPLETE")
        fake.then = ["CREATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
        control = Control(fake)
        control.stacks.delete(ACCOUNT, REGION, NAME)
        assert fake.requests == [("delete_stack", {"StackName": NAME})]
        assert control.pauses == [5, 5]

    def test_no_stack_is_fine(self) -> None:
        fake = FakeCloudFormation()
        Control(fake).stacks.delete(ACCOUNT, REGION, NAME)
        assert fake.requests == []

    def test_what_cannot_be_deleted_is_named(self) -> None:
        events = [
            event("DELETE_FAILED"),
            event("DELETE_FAILED", "Bucket", "AWS::S3::Bucket", "The bucket you tried to delete is not empty"),
            event("DELETE_IN_PROGRESS"),
        ]
        fake = FakeCloudFormation("CREATE_COMPLETE", events=events)
        fake.then = ["DELETE_FAILED"]
        with pytest.raises(StackFailedError, match=r"Bucket \(AWS::S3::Bucket\): The bucket") as failure:
            Control(fake).stacks.delete(ACCOUNT, REGION, NAME)
        assert "retaining" in failure.value.remedy


class TestDescribe:
    def test_a_stack(self) -> None:
        result = Control(FakeCloudFormation("UPDATE_COMPLETE")).stacks.describe(ACCOUNT, REGION, NAME)
        assert result == StackResult("UPDATE_COMPLETE", {"Bucket": "b"}, 2)

    def test_none(self) -> None:
        assert Control(FakeCloudFormation()).stacks.describe(ACCOUNT, REGION, NAME) is None
