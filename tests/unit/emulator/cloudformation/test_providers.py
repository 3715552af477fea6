"""Each resource type through its life: the calls it makes, in botocore's shapes (the neighbour checks them)."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import Lab, only
from tests.unit.emulator.cloudformation.lives import (
    ALARM,
    FUNCTION,
    LIVES,
    QUEUE_ARN,
    ROLE_ARN,
    SCHEDULE,
    TASK,
    TOPIC_ARN,
)
from tests.unit.emulator.cloudformation.test_schemas import WINDOW

from patchgate.emulator.cloudformation.providers import PROVIDERS
from patchgate.emulator.errors import NotEmulatedError

PLACE = "eu-central-1:111122223333"


def test_every_type_has_its_life_told() -> None:
    assert sorted(kind for kind, *_ in LIVES) == sorted(PROVIDERS)


@pytest.mark.parametrize(("kind", "properties", "change", "calls"), LIVES, ids=[kind for kind, *_ in LIVES])
def test_create_update_delete(
    lab: Lab, kind: str, properties: dict[str, Any], change: dict[str, Any], calls: list[str]
) -> None:
    capable: dict[str, Any] = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
    assert lab.create(only({"Type": kind}, **properties), **capable) == "CREATE_COMPLETE", lab.events()
    changed = {key: value for key, value in (properties | change).items() if value is not None}
    assert lab.update(only({"Type": kind}, **changed), **capable) == "UPDATE_COMPLETE", lab.stack()
    lab.call("DeleteStack", StackName="stack")
    assert lab.status() == "DELETE_COMPLETE"
    assert lab.neighbour.names() == calls


@pytest.mark.parametrize(
    ("kind", "properties", "outputs"),
    [
        (
            "AWS::SSM::MaintenanceWindow",
            WINDOW["Properties"],
            {"Ref": "mw-00000000000000001", "WindowId": "mw-00000000000000001"},
        ),
        ("AWS::SSM::PatchBaseline", {"Name": "base"}, {"Ref": "pb-00000000000000001"}),
        ("AWS::SSM::Document", {"Name": "document", "Content": "{}"}, {"Ref": "document"}),
        (
            "AWS::SSM::Parameter",
            {"Name": "/a", "Type": "String", "Value": "x"},
            {"Ref": "/a", "Type": "String", "Value": "x"},
        ),
        (
            "AWS::Scheduler::Schedule",
            SCHEDULE,
            {"Ref": "open", "Arn": f"arn:aws:scheduler:{PLACE}:schedule/group/open"},
        ),
        (
            "AWS::Backup::BackupPlan",
            LIVES[7][1],
            {"Ref": "plan-1", "BackupPlanArn": f"arn:aws:backup:{PLACE}:backup-plan:plan-1"},
        ),
        (
            "AWS::Backup::BackupVault",
            {"BackupVaultName": "vault"},
            {"Ref": "vault", "BackupVaultArn": f"arn:aws:backup:{PLACE}:backup-vault:vault"},
        ),
        ("AWS::Backup::BackupSelection", LIVES[8][1], {"Ref": "selection-1", "SelectionId": "selection-1"}),
        ("AWS::Lambda::Function", FUNCTION, {"Ref": "open", "Arn": f"arn:aws:lambda:{PLACE}:function:open"}),
        ("AWS::IAM::Role", {"AssumeRolePolicyDocument": {}, "RoleName": "role"}, {"Ref": "role", "Arn": ROLE_ARN}),
        (
            "AWS::IAM::ManagedPolicy",
            {"ManagedPolicyName": "p", "PolicyDocument": {}},
            {"Ref": "arn:aws:iam::111122223333:policy/p"},
        ),
        ("AWS::SNS::Topic", {"TopicName": "topic"}, {"Ref": TOPIC_ARN, "TopicArn": TOPIC_ARN, "TopicName": "topic"}),
        (
            "AWS::SQS::Queue",
            {"QueueName": "queue"},
            {"Ref": "https://sqs.eu-central-1.amazonaws.com/111122223333/queue", "Arn": QUEUE_ARN},
        ),
        ("AWS::Logs::LogGroup", {"LogGroupName": "/g"}, {"Ref": "/g", "Arn": f"arn:aws:logs:{PLACE}:log-group:/g:*"}),
        (
            "AWS::S3::Bucket",
            {"BucketName": "bucket"},
            {
                "Ref": "bucket",
                "Arn": "arn:aws:s3:::bucket",
                "RegionalDomainName": "bucket.s3.eu-central-1.amazonaws.com",
            },
        ),
        ("AWS::CloudWatch::Alarm", ALARM, {"Ref": "alarm", "Arn": f"arn:aws:cloudwatch:{PLACE}:alarm:alarm"}),
        ("AWS::KMS::Key", {}, {"Ref": "key-1", "Arn": f"arn:aws:kms:{PLACE}:key/key-1"}),
    ],
)
def test_ref_and_get_att(lab: Lab, kind: str, properties: dict[str, Any], outputs: dict[str, str]) -> None:
    nodes = {name: {"Ref": "It"} if name == "Ref" else {"Fn::GetAtt": ["It", name]} for name in outputs}
    template = only({"Type": kind}, **properties) | {"Outputs": {name: {"Value": node} for name, node in nodes.items()}}
    lab.create(template, Capabilities=["CAPABILITY_NAMED_IAM"])
    assert lab.outputs() == outputs


def test_inline_code_becomes_index_py_and_is_reproducible(lab: Lab) -> None:
    lab.create(only({"Type": "AWS::Lambda::Function"}, **FUNCTION), name="one")
    lab.create(only({"Type": "AWS::Lambda::Function"}, **FUNCTION), name="two")
    first, second = (p["Code"]["ZipFile"] for _, name, p, _ in lab.neighbour.calls if name == "CreateFunction")
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as package:
        assert package.read("index.py").decode() == FUNCTION["Code"]["ZipFile"]


def test_variables_of_a_function_are_strings_whatever_a_template_gives(lab: Lab) -> None:
    given = {"Variables": {"DAYS": 14, "SHARE": 0.5, "DRY_RUN": True, "NAME": "open"}}
    lab.create(only({"Type": "AWS::Lambda::Function"}, **FUNCTION | {"Environment": given}), name="one")
    variables = {"DAYS": "14", "SHARE": "0.5", "DRY_RUN": "true", "NAME": "open"}
    assert lab.neighbour.last("CreateFunction")["Environment"] == {"Variables": variables}


def test_a_plan_s_rules_and_a_schedule_s_dates_take_the_api_s_shape(lab: Lab) -> None:
    lab.create(only({"Type": "AWS::Backup::BackupPlan"}, **LIVES[7][1]), name="plan")
    rule = lab.neighbour.last("CreateBackupPlan")["BackupPlan"]["Rules"][0]
    assert (rule["TargetBackupVaultName"], rule["StartWindowMinutes"]) == ("vault", 60)
    lab.create(only({"Type": "AWS::Scheduler::Schedule"}, **SCHEDULE), name="schedule")
    assert lab.neighbour.last("CreateSchedule")["StartDate"] == datetime(2026, 8, 1, tzinfo=UTC)


def test_a_task_s_parameters_take_the_api_s_shape(lab: Lab) -> None:
    lab.create(only({"Type": "AWS::SSM::MaintenanceWindowTask"}, **TASK))
    params = lab.neighbour.last("RegisterTaskWithMaintenanceWindow")
    logging = {"S3BucketName": "bucket", "S3KeyPrefix": "logs", "S3Region": "eu-central-1"}
    assert params["LoggingInfo"] == logging
    command = params["TaskInvocationParameters"]["RunCommand"]
    assert command == {"TimeoutSeconds": 60, "Parameters": {"Operation": ["Scan"], "N": ["1"]}}


def test_a_document_without_new_versions_is_replaced_and_so_cannot_keep_its_name(lab: Lab) -> None:
    document = {"Type": "AWS::SSM::Document"}
    lab.create(only(document, Name="document", Content={"a": 1}))
    assert lab.update(only(document, Name="document", Content={"a": 2})) == "UPDATE_ROLLBACK_COMPLETE"
    assert "custom-named resource" in lab.reason("It", "UPDATE_FAILED")
    lab.create(only(document, Content={"a": 1}), name="other")
    assert lab.update(only(document, Content={"a": 2}), name="other") == "UPDATE_COMPLETE"
    assert lab.neighbour.names()[-2:] == ["CreateDocument", "DeleteDocument"]


def test_a_bucket_s_lifecycle_and_encryption_take_the_api_s_shape(lab: Lab) -> None:
    rules = [
        {
            "Id": "x",
            "Status": "Enabled",
            "ExpirationInDays": 365,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        },
        {"Status": "Enabled", "Prefix": "a/", "TagFilters": [{"Key": "k", "Value": "v"}], "ExpirationInDays": 1},
    ]
    encryption = [{"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    configuration = {
        "LifecycleConfiguration": {"Rules": rules},
        "BucketEncryption": {"ServerSideEncryptionConfiguration": encryption},
    }
    lab.create(only({"Type": "AWS::S3::Bucket"}, **configuration))
    first, second = lab.neighbour.last("PutBucketLifecycleConfiguration")["LifecycleConfiguration"]["Rules"]
    assert first == {
        "ID": "x",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": 365},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    }
    assert second["Filter"] == {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}}
    rule = lab.neighbour.last("PutBucketEncryption")["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_a_bucket_in_us_east_1_has_no_location_constraint() -> None:
    bucket = only({"Type": "AWS::S3::Bucket"}, BucketName="bucket")
    here, there = Lab(), Lab(region="us-east-1")
    here.create(bucket)
    there.create(bucket)
    location = {"LocationConstraint": "eu-central-1"}
    assert here.neighbour.last("CreateBucket") == {"Bucket": "bucket", "CreateBucketConfiguration": location}
    assert there.neighbour.last("CreateBucket") == {"Bucket": "bucket"}


@pytest.mark.parametrize(
    ("kind", "properties", "what"),
    [
        ("AWS::Lambda::Function", FUNCTION | {"Code": {"S3Bucket": "bucket", "S3Key": "k"}}, "Code of S3Bucket, S3Key"),
        ("AWS::Lambda::Function", FUNCTION | {"Runtime": "nodejs22.x"}, "inline code in Runtime nodejs22.x"),
        (
            "AWS::Lambda::Function",
            FUNCTION | {"Environment": {"Variables": {"LIST": ["a"]}}},
            "list as the variable LIST; text is",
        ),
        ("AWS::S3::Bucket", {"AccessControl": "PublicRead"}, "AccessControl PublicRead"),
    ],
)
def test_values_that_are_not_emulated_fail_the_resource_by_name(
    lab: Lab, kind: str, properties: dict[str, Any], what: str
) -> None:
    assert lab.create(only({"Type": kind}, **properties)) == "ROLLBACK_COMPLETE"
    assert what in lab.reason("It", "CREATE_FAILED")


def test_properties_that_are_not_emulated_are_refused_before_anything_happens(lab: Lab) -> None:
    body = json.dumps(only({"Type": "AWS::Lambda::Function"}, **FUNCTION, Layers=["arn"]))
    error = lab.refused("CreateStack", StackName="stack", TemplateBody=body)
    assert isinstance(error, NotEmulatedError)
    assert "AWS::Lambda::Function with Layers (resource It)" in error.message
