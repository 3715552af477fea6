"""Rules that follow a schedule: when they fire, whom they may invoke, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud, NoNeighbour, Params, Result, Scope
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.errors import AwsError

ACCOUNT, REGION = "111122223333", "eu-west-1"
START = datetime(2026, 7, 4, 12, tzinfo=UTC)
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tidy"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/nightly"


class Logs(NoNeighbour):
    """Takes what functions print."""

    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        assert service == "logs"
        return {}


class Lab:
    def __init__(self) -> None:
        self.cloud = Cloud(COMPONENTS, start=START, neighbour=Logs())
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            bundle.writestr("index.py", "def handler(event, context): return event")
        self.call(
            "CreateFunction", "lambda", FunctionName="tidy", Runtime="python3.13", Handler="index.handler",
            Role=f"arn:aws:iam::{ACCOUNT}:role/tidy", Code={"ZipFile": archive.getvalue()},
        )  # fmt: skip

    def call(self, operation: str, service: str = "events", **params: Any) -> Result:
        return self.cloud.call(ACCOUNT, REGION, service, operation, params)

    def permit(self, **conditions: str) -> None:
        params = {"FunctionName": "tidy", "StatementId": "s", "Action": "lambda:InvokeFunction"}
        self.call("AddPermission", "lambda", **params, Principal="events.amazonaws.com", **conditions)

    def put(self, schedule: str = "cron(0 22 * * ? *)", **params: Any) -> None:
        self.call("PutRule", Name="nightly", ScheduleExpression=schedule, **params)
        self.call("PutTargets", Rule="nightly", Targets=[{"Id": "1", "Arn": FUNCTION}])

    def later(self, **duration: float) -> None:
        self.cloud.kernel.run_until(self.cloud.now + timedelta(**duration))

    def payloads(self) -> list[Any]:
        return [json.loads(record["payload"]) if isinstance(record["payload"], str) else record["payload"]
                for record in self.cloud.history.of("FunctionInvoked")]  # fmt: skip


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_a_rule_invokes_its_function_in_utc(lab: Lab) -> None:
    lab.permit(SourceArn=RULE)
    lab.put()
    lab.later(days=2)
    assert [event["time"] for event in lab.payloads()] == ["2026-07-04T22:00:00Z", "2026-07-05T22:00:00Z"]
    assert lab.payloads()[0]["resources"] == [RULE]
    assert lab.payloads()[0]["detail-type"] == "Scheduled Event"


def test_rates_inputs_and_switching_off(lab: Lab) -> None:
    lab.permit()
    lab.put("rate(1 hour)")
    lab.call("PutTargets", Rule="nightly", Targets=[{"Id": "1", "Arn": FUNCTION, "Input": '{"mode": "x"}'}])
    lab.later(hours=2, minutes=1)
    lab.call("DisableRule", Name="nightly")
    lab.later(hours=5)
    assert lab.payloads() == [{"mode": "x"}, {"mode": "x"}]
    lab.call("EnableRule", Name="nightly")
    lab.later(hours=1)
    assert len(lab.payloads()) == 3
    lab.call("RemoveTargets", Rule="nightly", Ids=["1"])
    lab.later(hours=2)
    assert len(lab.payloads()) == 3


def test_a_changed_rule_keeps_only_its_new_schedule(lab: Lab) -> None:
    lab.permit()
    lab.put("rate(1 hour)")
    lab.put("rate(1 day)")
    lab.later(hours=25)
    assert len(lab.payloads()) == 1


@pytest.mark.parametrize(
    "conditions", [None, {"SourceArn": RULE.replace("nightly", "other")}, {"SourceAccount": "999999999999"}]
)
def test_without_permission_nothing_is_invoked(lab: Lab, conditions: dict[str, str] | None) -> None:
    if conditions is not None:
        lab.permit(**conditions)
    lab.put()
    lab.later(days=1)
    assert lab.payloads() == []
    assert [record["error"] for record in lab.cloud.history.of("RuleInvocationFailed")] == ["AccessDeniedException"]


def test_descriptions_and_deletion(lab: Lab) -> None:
    lab.put(Description="each night", Tags=[{"Key": "team", "Value": "sre"}])
    assert lab.call("DescribeRule", Name="nightly")["Description"] == "each night"
    assert [rule["Name"] for rule in lab.call("ListRules", NamePrefix="n")["Rules"]] == ["nightly"]
    assert lab.call("ListTargetsByRule", Rule="nightly")["Targets"] == [{"Id": "1", "Arn": FUNCTION}]
    lab.call("TagResource", ResourceARN=RULE, Tags=[{"Key": "a", "Value": "b"}])
    lab.call("UntagResource", ResourceARN=RULE, TagKeys=["team"])
    assert lab.call("ListTagsForResource", ResourceARN=RULE)["Tags"] == [{"Key": "a", "Value": "b"}]
    with pytest.raises(AwsError, match="since it has targets"):
        lab.call("DeleteRule", Name="nightly")
    lab.call("RemoveTargets", Rule="nightly", Ids=["1"])
    lab.call("DeleteRule", Name="nightly")
    lab.call("DeleteRule", Name="nightly")
    with pytest.raises(AwsError, match="does not exist on EventBus default"):
        lab.call("DescribeRule", Name="nightly")


@pytest.mark.parametrize(
    ("operation", "params", "text"),
    [
        ("PutRule", {"Name": "a b", "ScheduleExpression": "rate(1 day)"}, "at 'name' failed"),
        ("PutRule", {"Name": "a", "ScheduleExpression": "rate(1 days)"}, "ScheduleExpression is not valid"),
        ("PutRule", {"Name": "a", "EventPattern": "{}"}, "PutRule with EventPattern"),
        ("PutRule", {"Name": "a", "EventBusName": "mine"}, "the event bus mine"),
        ("PutTargets", {"Rule": "nightly", "Targets": [{"Id": "1", "Arn": "arn:aws:sns:r:1:t"}]}, "arn:aws:sns:r:1:t"),
        ("PutTargets", {"Rule": "nightly", "Targets": [{"Id": "1", "Arn": FUNCTION, "InputPath": "$"}]}, "InputPath"),
        ("PutTargets", {"Rule": "no", "Targets": []}, "Rule no does not exist"),
        ("PutTargets", {"Rule": "nightly", "Targets": [{"Id": str(n), "Arn": FUNCTION} for n in range(6)]}, "maximum"),
    ],
)
def test_what_is_refused(lab: Lab, operation: str, params: dict[str, Any], text: str) -> None:
    lab.put()
    with pytest.raises(AwsError) as caught:
        lab.call(operation, **params)
    assert text in caught.value.message
