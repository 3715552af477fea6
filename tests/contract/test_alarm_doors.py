"""Alarms keep their state, and tell their topics when somebody sets it, alike behind both doors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.wire import WireDoor

SCOPE = Scope("111122223333", "us-east-1")
START = datetime(2026, 7, 4, 12, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Dimensions": [{"Name": "QueueName", "Value": "q"}],
    "Statistic": "Sum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}
SHOWN = ("StateValue", "StateReason", "StateUpdatedTimestamp", "AlarmName", "AlarmActions", "Threshold")


def answers(door: Any) -> list[Any]:
    session = door.session(SCOPE)
    cloudwatch, sns, sqs = (session.client(service) for service in ("cloudwatch", "sns", "sqs"))
    topic, url = sns.create_topic(Name="t")["TopicArn"], sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    function = "arn:aws:lambda:us-east-1:111122223333:function:f"
    cloudwatch.put_metric_alarm(AlarmName="deep", AlarmActions=[topic], OKActions=[function], **SETTINGS)
    cloudwatch.put_metric_alarm(AlarmName="mute", AlarmActions=[topic], ActionsEnabled=False, **SETTINGS)
    found: list[Any] = []

    def look() -> None:
        alarms = cloudwatch.describe_alarms()["MetricAlarms"]
        found.extend({name: alarm[name] for name in SHOWN} for alarm in alarms)
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in received:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found.append([json.loads(message["Body"]) for message in received])

    def tell(name: str, state: str) -> None:
        door.cloud.kernel.run_until(door.cloud.now + timedelta(minutes=5))
        try:
            cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="told")
        except ClientError as error:
            found.append(error.response["Error"]["Code"])
        look()

    look()
    for name in ("deep", "deep", "mute"):
        tell(name, "ALARM")
    tell("deep", "OK")
    tell("nobody", "OK")
    tell("deep", "INSUFFICIENT_DATA")
    cloudwatch.put_metric_alarm(AlarmName="mute", **SETTINGS | {"Threshold": 2})
    look()
    found.append([a["AlarmName"] for a in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]])
    return [*found, door.cloud.history.to_json_lines()]


@pytest.fixture(scope="module")
def found() -> list[list[Any]]:
    both = []
    for kind in (DirectDoor, WireDoor):
        with kind(Cloud(COMPONENTS, start=START)) as door:
            both.append(answers(door))
    return both


def test_both_doors_answer_alike(found: list[list[Any]]) -> None:
    assert found[0] == found[1]


def test_a_change_is_told_once_and_not_by_alarms_whose_actions_are_disabled(found: list[list[Any]]) -> None:
    messages = [message for item in found[0] if isinstance(item, list) for message in item if isinstance(message, dict)]
    (message,) = messages
    assert (message["AlarmName"], message["OldStateValue"], message["NewStateValue"]) == (
        "deep", "INSUFFICIENT_DATA", "ALARM",
    )  # fmt: skip
    assert message["Region"] == "US East (N. Virginia)"
    assert message["StateChangeTime"] == "2026-07-04T12:05:00.000+0000"
    assert message["Trigger"]["Dimensions"] == [{"value": "q", "name": "QueueName"}]
    (published,) = [line for line in map(json.loads, found[0][-1].splitlines()) if line["event"] == "MessagePublished"]
    assert published["subject"] == 'ALARM: "deep" in US East (N. Virginia)'


def test_actions_that_are_no_topics_are_refused_by_name_before_anything_changes(found: list[list[Any]]) -> None:
    assert [item for item in found[0] if isinstance(item, str)][:2] == ["NotEmulated", "ResourceNotFound"]
    after = found[0][found[0].index("NotEmulated") + 1]
    assert (after["AlarmName"], after["StateValue"]) == ("deep", "ALARM")


def test_an_alarm_that_is_put_again_keeps_its_state_and_says_that_nobody_evaluates_it(found: list[list[Any]]) -> None:
    assert found[0][-2] == ["mute"]
    assert "The embedded AWS evaluates no metrics" in found[0][0]["StateReason"]


def test_the_events_of_a_stack_name_its_alarms() -> None:
    body = json.dumps({"Resources": {"A": {"Type": "AWS::CloudWatch::Alarm", "Properties": SETTINGS}}})
    with DirectDoor(Cloud(COMPONENTS, start=START)) as door:
        cloudformation = door.session(SCOPE).client("cloudformation")
        cloudformation.create_stack(StackName="s", TemplateBody=body)
        events = cloudformation.describe_stack_events(StackName="s")["StackEvents"]
    reasons = {event["LogicalResourceId"]: event.get("ResourceStatusReason") for event in reversed(events)}
    assert "does not evaluate it" in str(reasons["A"])


CHAIN = """
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Heard:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: lambda, Endpoint: !GetAtt Listener.Arn}
  May:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Listener
      Action: lambda:InvokeFunction
      Principal: sns.amazonaws.com
      SourceArn: !Ref Topic
  Letters: {Type: AWS::SQS::Queue}
  Queue:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Letters.Arn, maxReceiveCount: 3}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: deep
      AlarmActions: [!Ref Topic]
      Namespace: AWS/SQS
      MetricName: ApproximateNumberOfMessagesVisible
      Statistic: Sum
      Period: 300
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
      - PolicyName: p
        PolicyDocument:
          Version: "2012-10-17"
          Statement:
          - {Effect: Allow, Action: ["sqs:SendMessage", "sqs:GetQueueAttributes"], Resource: !GetAtt Queue.Arn}
          - {Effect: Allow, Action: "logs:*", Resource: "*"}
  Listener:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      Role: !GetAtt Role.Arn
      Environment: {Variables: {QUEUE: !Ref Queue}}
      Code:
        ZipFile: |
          import boto3, json, os
          def handler(event, context):
              queue = boto3.client("sqs")
              alarm = json.loads(event["Records"][0]["Sns"]["Message"])
              queue.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=alarm["NewStateValue"])
              counted = queue.get_queue_attributes(
                  QueueUrl=os.environ["QUEUE"], AttributeNames=["ApproximateNumberOfMessages", "RedrivePolicy"])
              try:
                  queue.purge_queue(QueueUrl=os.environ["QUEUE"])
              except queue.exceptions.ClientError as error:
                  return [counted["Attributes"], str(error)]
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_a_template_of_somebody_elses_from_an_alarm_to_a_queue_has_the_same_history_through_both_doors(
    seed: int,
) -> None:
    histories = []
    for kind in (DirectDoor, WireDoor):
        with kind(Cloud(COMPONENTS, start=START, seed=seed)) as door:
            session = door.session(SCOPE)
            cloudformation = session.client("cloudformation")
            cloudformation.create_stack(StackName="s", TemplateBody=CHAIN, Capabilities=["CAPABILITY_IAM"])
            assert cloudformation.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
            session.client("cloudwatch").set_alarm_state(AlarmName="deep", StateValue="ALARM", StateReason="told")
            door.cloud.kernel.run_until(START + timedelta(minutes=1))
            histories.append(door.cloud.history.to_json_lines())
    assert histories[0] == histories[1]
    (ended,) = [item for item in map(json.loads, histories[0].splitlines()) if item["event"] == "FunctionEnded"]
    attributes, refused = ended["result"]
    assert attributes["ApproximateNumberOfMessages"] == "1"
    assert "is not authorized to perform: sqs:PurgeQueue on resource" in refused
