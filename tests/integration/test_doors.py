"""The same seed and world give the same history through both doors, and from a restored snapshot.

``make doors SEEDS=100`` compares the doors over more seeds than the suite does.
"""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from patchgate.cli.sample import sample_directory
from patchgate.config import FleetConfig, read_fleet
from patchgate.emulator.assumptions import Assumptions
from patchgate.operations.deployment import deploy_lanes
from patchgate.rehearsal.run import run_rehearsal, write_script
from patchgate.rehearsal.stage import DoorName, EmbeddedEngine, open_stage
from patchgate.rehearsal.worlds import World, read_world

from .conftest import FRIDAY, fleet_of

SEEDS = range(int(os.environ.get("PATCHGATE_DOOR_SEEDS", "2")))
COVERAGE = 'MinimumCoveragePercent: "10"'
MIXED = """
  {name: a}, {name: b, volumes: 2}, {name: c, backup: {outcome: FAILED}}, {name: d, agent: {ping: ConnectionLost}},
  {name: e, happenings: [{after_hours: 33, attach_volume: true}]}, {name: f, state: stopped},
  {name: g, backup: {message_category: VSS_ERROR}}, {name: h, backup: {minutes: 400}}
"""


SOMEBODYS_CODE = """
import json, os, time
import boto3


def attempt(log, name, method, **params):
    try:
        answer = method(**params)
    except Exception as error:
        answer = {"error": type(error).__name__, "text": str(error)}
    answer.pop("ResponseMetadata", None)
    if "Body" in answer:
        answer["Body"] = answer["Body"].read().decode()
    log[name] = answer
    print(name, answer)
    return answer


def handler(event, context):
    s3, sns, sqs = boto3.client("s3"), boto3.client("sns"), boto3.client("sqs")
    bucket, topic, queue = os.environ["BUCKET"], os.environ["TOPIC"], os.environ["QUEUE"]
    log = {}
    for body in ("one", "two"):
        attempt(log, body, s3.put_object, Bucket=bucket, Key="a/b c", Body=body, Metadata={"k": "v"})
    attempt(log, "got", s3.get_object, Bucket=bucket, Key="a/b c")
    attempt(log, "head", s3.head_object, Bucket=bucket, Key="a/b c")
    attempt(log, "deleted", s3.delete_object, Bucket=bucket, Key="a/b c")
    attempt(log, "gone", s3.get_object, Bucket=bucket, Key="a/b c")
    attempt(log, "listed", s3.list_objects_v2, Bucket=bucket)
    attempt(log, "versions", s3.list_object_versions, Bucket=bucket)
    attempt(log, "published", sns.publish, TopicArn=topic, Message="m", Subject="s")
    attempt(log, "empty", sns.publish, TopicArn=topic, Message="")
    attempt(log, "no topic", sns.publish, TopicArn=topic + "x", Message="m")
    attempt(log, "sent", sqs.send_message, QueueUrl=queue, MessageBody="now")
    attempt(log, "sent for later", sqs.send_message, QueueUrl=queue, MessageBody="later", DelaySeconds=60)
    attempt(log, "too large", sqs.send_message, QueueUrl=queue, MessageBody="m" * 1048577)
    attempt(log, "no queue", sqs.send_message, QueueUrl=queue + "x", MessageBody="m")
    attempt(log, "polled", sqs.receive_message, QueueUrl=queue, MaxNumberOfMessages=10)
    attempt(log, "waited", sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=5)
    time.sleep(56)
    received = attempt(log, "received", sqs.receive_message, QueueUrl=queue, MaxNumberOfMessages=10)
    for message in received.get("Messages", []):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return json.loads(json.dumps(log, default=str))
"""
SOMEBODYS_TEMPLATE = """
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {Status: Enabled}}}
  Queue: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: [lambda.amazonaws.com, scheduler.amazonaws.com]}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: p
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      Role: !GetAtt Role.Arn
      Timeout: 120
      Environment: {Variables: {BUCKET: !Ref Bucket, TOPIC: !Ref Topic, QUEUE: !Ref Queue}}
      Code:
        ZipFile: |
CODE
  Schedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: rate(5 minutes)
      FlexibleTimeWindow: {Mode: "OFF"}
      Target: {Arn: !GetAtt Function.Arn, RoleArn: !GetAtt Role.Arn, RetryPolicy: {MaximumRetryAttempts: 0}}
""".replace("CODE", textwrap.indent(SOMEBODYS_CODE, " " * 10))


def somebodys_history(world: World, seed: int, door: DoorName) -> str:
    """Two runs of a function that tells every answer of S3, SNS and SQS that it gets, in its result and its log."""
    assumptions = Assumptions.drawn(seed)
    with open_stage(world, FRIDAY, seed=seed, assumptions=assumptions, door=door) as stage:
        client = stage.session("111111111111", "eu-central-1").client("cloudformation")
        client.create_stack(StackName="s", TemplateBody=SOMEBODYS_TEMPLATE, Capabilities=["CAPABILITY_IAM"])
        assert client.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        stage.run_until(FRIDAY + timedelta(minutes=12))
        return stage.cloud.history.to_json_lines()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_function_of_somebody_elses_has_the_same_history_through_both_doors(
    world_of: Callable[[str], World], seed: int
) -> None:
    world = world_of(MIXED)
    through_wire, directly = (somebodys_history(world, seed, door) for door in ("wire", "direct"))
    ended = [r for r in map(json.loads, directly.splitlines()) if r["event"] == "FunctionEnded"]
    assert len(ended) >= 2
    assert {r["status"] for r in ended} == {"Success"}
    told = [r["result"] for r in ended]
    assert all(answers["deleted"]["DeleteMarker"] is True for answers in told)
    assert {answers["empty"]["error"] for answers in told} == {"InvalidParameterException"}
    received = [answers[name] for answers in told for name in ("polled", "waited", "received")]
    assert {"now", "later"} <= {message["Body"] for answer in received for message in answer.get("Messages", ())}
    assert directly == through_wire


def history_of(fleet: FleetConfig, world: World, seed: int, door: DoorName) -> str:
    assumptions = Assumptions.drawn(seed)
    result = run_rehearsal(
        fleet, world, seed=seed, engine=EmbeddedEngine(door), contrast=False, assumptions=assumptions
    )
    return result.history


@pytest.mark.parametrize("seed", SEEDS)
def test_small_world_has_the_same_history_through_both_doors(world_of: Callable[[str], World], seed: int) -> None:
    world = world_of(MIXED)
    through_wire, directly = (history_of(fleet_of(COVERAGE), world, seed, door) for door in ("wire", "direct"))
    assert "PatchEnded" in directly
    assert directly == through_wire


def test_sample_has_the_same_history_through_both_doors() -> None:
    fleet, world = read_fleet(sample_directory() / "fleet.yaml"), read_world(sample_directory() / "world")
    through_wire, directly = (
        run_rehearsal(fleet, world, seed=3, engine=EmbeddedEngine(door)) for door in ("wire", "direct")
    )
    assert directly.history == through_wire.history
    assert directly.contrast == through_wire.contrast


def test_a_restored_run_replays_byte_for_byte(world_of: Callable[[str], World]) -> None:
    script = write_script(fleet_of(COVERAGE), FRIDAY, 1)
    with open_stage(world_of(MIXED), FRIDAY, organization_id=script.organization_id, door="direct") as stage:
        deploy_lanes(script.lanes, log_account=script.log_account, control=stage.stacks, progress=lambda _: None)
        deployed = stage.cloud.snapshot()
        stage.run_until(script.end)
        first = stage.cloud.history.to_json_lines()
        for _ in range(2):
            stage.cloud.restore(deployed)
            stage.run_until(script.end - timedelta(hours=9))
            stage.cloud.restore(deployed)
            stage.run_until(script.end)
            assert stage.cloud.history.to_json_lines() == first
        ssm = stage.session("111111111111", "eu-central-1").client("ssm")
        assert ssm.get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True).build_full_result()
    assert "PatchEnded" in first


def test_a_snapshot_can_go_into_another_cloud(world_of: Callable[[str], World], tmp_path: Path) -> None:
    script = write_script(fleet_of(COVERAGE), FRIDAY, 1)
    world, histories = world_of(MIXED), []
    with open_stage(world, FRIDAY, organization_id=script.organization_id, door="direct") as stage:
        deploy_lanes(script.lanes, log_account=script.log_account, control=stage.stacks, progress=lambda _: None)
        deployed = stage.cloud.snapshot()
        stage.run_until(script.end)
        histories.append(stage.cloud.history.to_json_lines())
    empty = World(None, ())
    with open_stage(empty, FRIDAY, door="direct") as stage:
        stage.cloud.restore(deployed)
        stage.run_until(script.end)
        histories.append(stage.cloud.history.to_json_lines())
    assert histories[0] == histories[1]
