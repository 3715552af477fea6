"""EventBridge Scheduler: schedules, groups, firing, retries, dead letters."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.cloud import Cloud, Component, NoNeighbour, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.scheduler import Scheduler

START = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)
"""A Saturday."""
SCOPE = Scope("111122223333", "eu-central-1")
ROLE = "arn:aws:iam::111122223333:role/patchgate-schedule"
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:patchgate-open"
QUEUE = "arn:aws:sqs:eu-central-1:111122223333:patchgate-failures"
INPUT = {
    "mode": "open",
    "scheduled_time": "<aws.scheduler.scheduled-time>",
    "attempt": "<aws.scheduler.attempt-number>",
    "execution": "<aws.scheduler.execution-id>",
    "arn": "<aws.scheduler.schedule-arn>",
}


class Lambda(Component):
    """A Lambda service that notes its invocations, and fails as long as it has trouble."""

    service = "lambda"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.seen: list[tuple[datetime, str, dict[str, Any]]] = []
        self.trouble: AwsError | None = None

    @operation("Invoke")
    def invoke(self, scope: Scope, params: Params) -> Result:
        if self.trouble:
            raise self.trouble
        assert params["InvocationType"] == "Event"
        assert params["FunctionName"] == FUNCTION
        self.seen.append((self.cloud.now, scope.principal, json.loads(params["Payload"])))
        return {"StatusCode": 202}


class Queues(NoNeighbour):
    def __init__(self) -> None:
        self.messages: list[Params] = []
        self.refusal: AwsError | None = None

    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        if operation == "GetQueueUrl":
            return {"QueueUrl": "https://" + params["QueueName"]}
        assert (service, operation) == ("sqs", "SendMessage")
        if self.refusal:
            raise self.refusal
        self.messages.append(params)
        return {"MessageId": "1"}


@pytest.fixture
def queues() -> Queues:
    return Queues()


@pytest.fixture
def cloud(queues: Queues) -> Cloud:
    return Cloud((Scheduler, Lambda), start=START, seed=5, neighbour=queues)


def call(cloud: Cloud, operation: str, **params: Any) -> dict[str, Any]:
    return cloud.invoke(SCOPE, "scheduler", operation, params)


def refused(cloud: Cloud, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as caught:
        call(cloud, operation, **params)
    return caught.value.code


def schedule(**changes: Any) -> dict[str, Any]:
    return {
        "Name": "patchgate-open",
        "ScheduleExpression": "cron(30 22 ? * 7 *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target(),
    } | changes


def target(**changes: Any) -> dict[str, Any]:
    return {"Arn": FUNCTION, "RoleArn": ROLE, "Input": json.dumps(INPUT)} | changes


def fired(cloud: Cloud) -> list[tuple[datetime, str, dict[str, Any]]]:
    return cloud.component(Lambda).seen


DUE = datetime(2026, 7, 4, 20, 30, tzinfo=UTC)
"""22:30 in Berlin."""


# Schedules and groups


def test_a_schedule_is_kept_with_its_defaults(cloud: Cloud) -> None:
    arn = call(cloud, "CreateSchedule", **schedule(Description="words"))["ScheduleArn"]
    assert arn == "arn:aws:scheduler:eu-central-1:111122223333:schedule/default/patchgate-open"
    got = call(cloud, "GetSchedule", Name="patchgate-open")
    assert got["Arn"] == arn
    assert (got["State"], got["GroupName"], got["ActionAfterCompletion"]) == ("ENABLED", "default", "NONE")
    assert got["Target"] == target(RetryPolicy={"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185})
    assert refused(cloud, "CreateSchedule", **schedule()) == "ConflictException"
    call(cloud, "UpdateSchedule", **schedule(State="DISABLED"))
    updated = call(cloud, "GetSchedule", Name="patchgate-open")
    assert updated["State"] == "DISABLED"
    assert "Description" not in updated
    call(cloud, "DeleteSchedule", Name="patchgate-open")
    for gone in ("GetSchedule", "DeleteSchedule"):
        assert refused(cloud, gone, Name="patchgate-open") == "ResourceNotFoundException"
    assert refused(cloud, "UpdateSchedule", **schedule()) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Name": "a b"}, "ValidationException"),
        ({"Name": "x" * 65}, "ValidationException"),
        ({"GroupName": "nowhere"}, "ResourceNotFoundException"),
        ({"ScheduleExpression": "cron(30 22 * * 7 *)"}, "ValidationException"),
        ({"ScheduleExpression": ""}, "ValidationException"),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "ValidationException"),
        ({"State": "ON"}, "ValidationException"),
        ({"EndDate": START}, "ValidationException"),
        ({"StartDate": START + timedelta(2), "EndDate": START + timedelta(1)}, "ValidationException"),
        ({"FlexibleTimeWindow": {}}, "ValidationException"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}}, "NotEmulated"),
        ({"Target": target(Arn="")}, "ValidationException"),
        ({"Target": target(Arn=QUEUE)}, "NotEmulated"),
        ({"Target": target(RoleArn="role")}, "ValidationException"),
        ({"Target": target(SqsParameters={})}, "NotEmulated"),
        ({"Target": target(RetryPolicy={"MaximumRetryAttempts": 186})}, "ValidationException"),
        ({"Target": target(RetryPolicy={"MaximumEventAgeInSeconds": 59})}, "ValidationException"),
        ({"Target": target(DeadLetterConfig={"Arn": FUNCTION})}, "ValidationException"),
    ],
)
def test_what_no_schedule_may_say(cloud: Cloud, changes: dict[str, Any], code: str) -> None:
    assert refused(cloud, "CreateSchedule", **schedule(**changes)) == code
    assert call(cloud, "ListSchedules")["Schedules"] == []


def test_groups_hold_schedules_and_take_them_along(cloud: Cloud) -> None:
    arn = call(cloud, "CreateScheduleGroup", Name="patchgate", Tags=[{"Key": "a", "Value": "1"}])["ScheduleGroupArn"]
    assert arn == "arn:aws:scheduler:eu-central-1:111122223333:schedule-group/patchgate"
    assert refused(cloud, "CreateScheduleGroup", Name="patchgate") == "ConflictException"
    assert call(cloud, "GetScheduleGroup", Name="patchgate")["State"] == "ACTIVE"
    call(cloud, "CreateSchedule", **schedule(GroupName="patchgate"))
    call(cloud, "CreateSchedule", **schedule())
    groups = call(cloud, "ListScheduleGroups")["ScheduleGroups"]
    assert [group["Name"] for group in groups] == ["default", "patchgate"]
    call(cloud, "DeleteScheduleGroup", Name="patchgate")
    assert refused(cloud, "GetScheduleGroup", Name="patchgate") == "ResourceNotFoundException"
    assert [item["GroupName"] for item in call(cloud, "ListSchedules")["Schedules"]] == ["default"]
    assert refused(cloud, "DeleteScheduleGroup", Name="default") == "ValidationException"


def test_tags_of_groups(cloud: Cloud) -> None:
    arn = call(cloud, "CreateScheduleGroup", Name="g", Tags=[{"Key": "a", "Value": "1"}])["ScheduleGroupArn"]
    call(cloud, "TagResource", ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    call(cloud, "UntagResource", ResourceArn=arn, TagKeys=["a"])
    assert call(cloud, "ListTagsForResource", ResourceArn=arn) == {"Tags": [{"Key": "b", "Value": "2"}]}
    assert refused(cloud, "ListTagsForResource", ResourceArn=arn + "x") == "ResourceNotFoundException"


def test_lists_are_filtered_and_paged(cloud: Cloud) -> None:
    for name in ("b", "a", "ab"):
        call(cloud, "CreateSchedule", **schedule(Name=name, State="DISABLED" if name == "b" else "ENABLED"))

    def names(**params: Any) -> list[str]:
        return [item["Name"] for item in call(cloud, "ListSchedules", **params)["Schedules"]]

    assert names() == ["a", "ab", "b"]
    assert names(NamePrefix="a") == ["a", "ab"]
    assert names(State="DISABLED") == ["b"]
    assert names(GroupName="default", MaxResults=1) == ["a"]
    first = call(cloud, "ListSchedules", MaxResults=2)
    assert names(NextToken=first["NextToken"]) == ["b"]
    assert refused(cloud, "ListSchedules", MaxResults=101) == "ValidationException"
    assert refused(cloud, "ListSchedules", GroupName="none") == "ResourceNotFoundException"


# Firing


def test_a_schedule_fires_within_the_minute_with_its_context(cloud: Cloud) -> None:
    call(cloud, "CreateSchedule", **schedule())
    cloud.kernel.run_until(DUE - timedelta(seconds=1))
    assert fired(cloud) == []
    cloud.kernel.run_until(DUE + timedelta(minutes=1))
    at, principal, event = fired(cloud)[0]
    assert DUE <= at < DUE + timedelta(minutes=1)
    assert principal == ROLE
    assert event["scheduled_time"] == "2026-07-04T20:30:00Z"
    assert event["attempt"] == "1"
    assert event["arn"] == "arn:aws:scheduler:eu-central-1:111122223333:schedule/default/patchgate-open"
    assert len(event["execution"]) == 16
    record = next(cloud.history.of("ScheduleFired"))
    assert (record["schedule"], record["group"], record["attempt"]) == ("patchgate-open", "default", 1)
    assert record["scheduled_time"] == "2026-07-04T20:30:00.000Z"
    cloud.kernel.run_until(DUE + timedelta(days=7, minutes=1))
    assert [event["scheduled_time"] for _, _, event in fired(cloud)] == ["2026-07-04T20:30:00Z", "2026-07-11T20:30:00Z"]


def test_rates_count_from_the_creation(cloud: Cloud) -> None:
    cloud.kernel.run_until(START + timedelta(minutes=7))
    call(cloud, "CreateSchedule", **schedule(ScheduleExpression="rate(10 minutes)"))
    cloud.kernel.run_until(START + timedelta(minutes=40))
    assert [event["scheduled_time"][11:16] for _, _, event in fired(cloud)] == ["12:17", "12:27", "12:37"]


def test_one_time_schedules(cloud: Cloud) -> None:
    once = {"ScheduleExpression": "at(2026-07-04T15:00:00)"}
    call(cloud, "CreateSchedule", **schedule(Name="stays", **once))
    call(cloud, "CreateSchedule", **schedule(Name="goes", ActionAfterCompletion="DELETE", **once))
    cloud.kernel.run_until(START + timedelta(days=2))
    assert [event["scheduled_time"] for _, _, event in fired(cloud)] == ["2026-07-04T13:00:00Z"] * 2
    assert [item["Name"] for item in call(cloud, "ListSchedules")["Schedules"]] == ["stays"]


def test_start_and_end_bound_the_schedule(cloud: Cloud) -> None:
    bounds = {"StartDate": DUE + timedelta(days=1), "EndDate": DUE + timedelta(days=15)}
    call(cloud, "CreateSchedule", **schedule(**bounds))
    cloud.kernel.run_until(DUE + timedelta(days=60))
    assert [event["scheduled_time"][:10] for _, _, event in fired(cloud)] == ["2026-07-11", "2026-07-18"]


def test_disabled_deleted_and_updated_schedules_do_not_fire(cloud: Cloud) -> None:
    for name in ("disabled", "deleted", "updated"):
        call(cloud, "CreateSchedule", **schedule(Name=name))
    call(cloud, "UpdateSchedule", **schedule(Name="disabled", State="DISABLED"))
    call(cloud, "DeleteSchedule", Name="deleted")
    call(cloud, "UpdateSchedule", **schedule(Name="updated", ScheduleExpression="cron(0 23 ? * 7 *)"))
    cloud.kernel.run_until(DUE + timedelta(days=1))
    assert [event["arn"].rpartition("/")[2] for _, _, event in fired(cloud)] == ["updated"]
    call(cloud, "UpdateSchedule", **schedule(Name="disabled"))
    cloud.kernel.run_until(DUE + timedelta(days=7, minutes=2))
    assert [event["arn"].rpartition("/")[2] for _, _, event in fired(cloud)] == ["updated", "disabled"]


def test_deliveries_may_come_twice(queues: Queues) -> None:
    assumed = Assumptions(scheduler_delivers_twice=True)
    cloud = Cloud((Scheduler, Lambda), start=START, neighbour=queues, assumptions=assumed)
    call(cloud, "CreateSchedule", **schedule())
    cloud.kernel.run_until(DUE + timedelta(minutes=5))
    (first, _, one), (second, _, two) = fired(cloud)
    assert one == two
    assert timedelta(0) < second - first <= timedelta(seconds=90)


def test_failed_deliveries_are_retried_and_counted(cloud: Cloud) -> None:
    call(cloud, "CreateSchedule", **schedule())
    cloud.component(Lambda).trouble = AwsError("TooManyRequestsException", "Rate exceeded")
    cloud.kernel.run_until(DUE + timedelta(minutes=5))
    cloud.component(Lambda).trouble = None
    cloud.kernel.run_until(DUE + timedelta(minutes=30))
    assert [record["attempt"] for record in cloud.history.of("ScheduleFired")] == [1, 2, 3, 4]
    assert [event["attempt"] for _, _, event in fired(cloud)] == ["4"]
    assert fired(cloud)[0][2]["scheduled_time"] == "2026-07-04T20:30:00Z"


@pytest.mark.parametrize(
    ("policy", "condition", "retries"),
    [
        ({"MaximumRetryAttempts": 2}, "MaximumRetryAttempts", "2"),
        ({"MaximumRetryAttempts": 0}, "MaximumRetryAttempts", "0"),
        ({"MaximumEventAgeInSeconds": 300}, "MaximumEventAgeInSeconds", "2"),
    ],
)
def test_deliveries_that_never_succeed_end_in_the_queue(
    cloud: Cloud, queues: Queues, policy: dict[str, int], condition: str, retries: str
) -> None:
    bounded = target(RetryPolicy=policy, DeadLetterConfig={"Arn": QUEUE})
    call(cloud, "CreateSchedule", **schedule(Target=bounded))
    cloud.component(Lambda).trouble = AwsError("ResourceNotFoundException", "Function not found")
    cloud.kernel.run_until(DUE + timedelta(hours=2))
    message = queues.messages[0]
    assert message["QueueUrl"] == "https://patchgate-failures"
    assert json.loads(message["MessageBody"])["mode"] == "open"
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "ResourceNotFoundException"
    assert (attributes["EXHAUSTED_RETRY_CONDITION"], attributes["RETRY_ATTEMPTS"]) == (condition, retries)
    assert attributes["TARGET_ARN"] == FUNCTION
    assert next(cloud.history.of("ScheduleDiscarded"))["destination"] == QUEUE
    assert len(queues.messages) == 1


def test_without_a_queue_a_delivery_is_given_up_with_a_record(cloud: Cloud, queues: Queues) -> None:
    call(cloud, "CreateSchedule", **schedule(Target=target(RetryPolicy={"MaximumRetryAttempts": 0})))
    cloud.component(Lambda).trouble = AwsError("ServiceException")
    cloud.kernel.run_until(DUE + timedelta(hours=2))
    assert queues.messages == []
    assert [record["destination"] for record in cloud.history.of("ScheduleDiscarded")] == [""]


def test_what_the_queue_does_not_take_is_lost_with_a_record(cloud: Cloud, queues: Queues) -> None:
    bounded = target(RetryPolicy={"MaximumRetryAttempts": 0}, DeadLetterConfig={"Arn": QUEUE})
    call(cloud, "CreateSchedule", **schedule(Target=bounded))
    cloud.component(Lambda).trouble = AwsError("ServiceException")
    queues.refusal = AwsError("AccessDenied", "not allowed to send")
    cloud.kernel.run_until(DUE + timedelta(hours=2))
    (lost,) = cloud.history.of("ScheduleLost")
    assert lost["target"] == FUNCTION
    assert "not allowed to send" in lost["problem"]


def test_what_is_not_emulated_is_no_failed_delivery(cloud: Cloud) -> None:
    call(cloud, "CreateSchedule", **schedule())
    cloud.component(Lambda).trouble = NotEmulatedError("that")
    with pytest.raises(NotEmulatedError):
        cloud.kernel.run_until(DUE + timedelta(minutes=1))


def test_without_an_input_the_event_is_empty(cloud: Cloud) -> None:
    bare = target()
    del bare["Input"]
    call(cloud, "CreateSchedule", **schedule(Target=bare))
    cloud.kernel.run_until(DUE + timedelta(minutes=1))
    assert fired(cloud)[0][2] == {}
