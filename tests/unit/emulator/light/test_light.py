"""The light neighbour: what templates use of S3, IAM, SNS, SQS, Logs and alarms, with AWS's errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.iam.aws_managed_policies import aws_managed_policies_data

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.light import LightNeighbour
from patchgate.emulator.light.iam import managed_policy

START = datetime(2026, 7, 4, 12, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-west-1")
OTHER = Scope("444455556666", "eu-west-1")
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(COMPONENTS, start=START, organization_id="o-1234567890")


@pytest.fixture
def door(cloud: Cloud) -> Iterator[DirectDoor]:
    with DirectDoor(cloud) as door:
        yield door


def code_of(refusal: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = refusal.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


class TestBuckets:
    @pytest.fixture
    def s3(self, door: DirectDoor) -> Any:
        client = door.session(SCOPE).client("s3")
        client.create_bucket(Bucket="logs-1", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        return client

    def test_objects_are_written_read_listed_and_deleted(self, cloud: Cloud, s3: Any) -> None:
        for key in ("a/1", "a/2 +", "b/1"):
            s3.put_object(Bucket="logs-1", Key=key, Body=key.encode(), ContentType="text/plain")
        got = s3.get_object(Bucket="logs-1", Key="a/1")
        assert (got["Body"].read(), got["ContentType"], got["LastModified"]) == (b"a/1", "text/plain", START)
        assert s3.head_object(Bucket="logs-1", Key="a/1")["ContentLength"] == 3
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket="logs-1", Prefix="a/", PaginationConfig={"PageSize": 1}
        )
        assert [item["Key"] for page in pages for item in page["Contents"]] == ["a/1", "a/2 +"]
        s3.delete_object(Bucket="logs-1", Key="a/1")
        with pytest.raises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket="logs-1", Key="a/1")
        assert [r["key"] for r in cloud.history.of("ObjectWritten")] == ["a/1", "a/2 +", "b/1"]
        assert [r["size"] for r in cloud.history.of("ObjectWritten")] == [3, 5, 3]

    def test_what_versions_cannot_do_here_is_named(self, door: DirectDoor, s3: Any) -> None:
        with pytest.raises(ClientError, match="suspends versions"):
            s3.put_bucket_versioning(Bucket="logs-1", VersioningConfiguration={"Status": "Suspended"})
        with pytest.raises(ClientError, match="VersionId in a bucket without versions"):
            s3.delete_object(Bucket="logs-1", Key="a", VersionId="v")
        with pytest.raises(ClientError, match="ObjectLockEnabledForBucket"):
            s3.create_bucket(Bucket="logs-2", ObjectLockEnabledForBucket=True)
        with pytest.raises(ClientError, match="ChecksumAlgorithm CRC32C"):
            s3.put_object(Bucket="logs-1", Key="a", Body=b"", ChecksumAlgorithm="CRC32C")
        assert "Contents" not in s3.list_objects_v2(Bucket="logs-1")

    def test_errors_are_s3s(self, door: DirectDoor, s3: Any) -> None:
        with pytest.raises(s3.exceptions.NoSuchBucket):
            s3.put_object(Bucket="nobody", Key="a", Body=b"")
        with pytest.raises(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket="logs-1", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        with pytest.raises(s3.exceptions.BucketAlreadyExists):
            door.session(OTHER).client("s3").create_bucket(
                Bucket="logs-1", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
            )
        with pytest.raises(ClientError) as refusal:
            s3.create_bucket(Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        assert code_of(refusal) == ("IllegalLocationConstraintException", 400)
        with pytest.raises(ClientError) as refusal:
            s3.create_bucket(Bucket="No", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        assert code_of(refusal)[0] == "InvalidBucketName"
        s3.put_object(Bucket="logs-1", Key="a", Body=b"")
        with pytest.raises(ClientError) as refusal:
            s3.delete_bucket(Bucket="logs-1")
        assert code_of(refusal) == ("BucketNotEmpty", 409)
        with pytest.raises(ClientError) as refusal:
            s3.put_object(Bucket="logs-1", Key="a", Body=b"", IfNoneMatch="*")
        assert code_of(refusal) == ("PreconditionFailed", 412)

    @pytest.mark.parametrize(
        ("setting", "member", "value", "code"),
        [
            ("public_access_block", "PublicAccessBlockConfiguration", {"BlockPublicAcls": True},
             "NoSuchPublicAccessBlockConfiguration"),
            ("bucket_tagging", "Tagging", {"TagSet": [{"Key": "k", "Value": "v"}]}, "NoSuchTagSet"),
            ("bucket_lifecycle_configuration", "LifecycleConfiguration",
             {"Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 9}}]},
             "NoSuchLifecycleConfiguration"),
            ("bucket_ownership_controls", "OwnershipControls",
             {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}, "OwnershipControlsNotFoundError"),
        ],
    )  # fmt: skip
    def test_settings_are_kept(self, s3: Any, setting: str, member: str, value: Any, code: str) -> None:
        with pytest.raises(ClientError) as refusal:
            getattr(s3, f"get_{setting}")(Bucket="logs-1")
        assert code_of(refusal) == (code, 404)
        getattr(s3, f"put_{setting}")(Bucket="logs-1", **{member: value})
        answer = getattr(s3, f"get_{setting}")(Bucket="logs-1")
        del answer["ResponseMetadata"]
        assert answer in (value, {member: value})

    def test_other_accounts_write_where_the_policy_lets_them(self, door: DirectDoor, s3: Any) -> None:
        other = door.session(OTHER).client("s3")
        with pytest.raises(ClientError) as refusal:
            other.put_object(Bucket="logs-1", Key="logs/a", Body=b"")
        assert code_of(refusal) == ("AccessDenied", 403)
        resource = "arn:aws:s3:::logs-1/*"
        ours = {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
        allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": resource, "Condition": ours}
        deny = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::logs-1/evidence/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
        s3.put_bucket_policy(Bucket="logs-1", Policy=policy)
        assert s3.get_bucket_policy(Bucket="logs-1")["Policy"] == policy
        other.put_object(Bucket="logs-1", Key="logs/a", Body=b"")
        for client in (other, s3):
            with pytest.raises(ClientError) as refusal:
                client.put_object(Bucket="logs-1", Key="evidence/a", Body=b"")
            assert code_of(refusal) == ("AccessDenied", 403)
        with pytest.raises(ClientError) as refusal:
            other.delete_bucket(Bucket="logs-1")
        assert code_of(refusal) == ("AccessDenied", 403)

    def test_what_is_not_here_is_named(self, s3: Any) -> None:
        with pytest.raises(ClientError, match=r"NotEmulated.*s3:PutObject with Tagging"):
            s3.put_object(Bucket="logs-1", Key="a", Body=b"", Tagging="a=b")
        with pytest.raises(ClientError, match=r"NotEmulated.*s3:GetBucketCors"):
            s3.get_bucket_cors(Bucket="logs-1")


class TestIam:
    @pytest.fixture
    def iam(self, door: DirectDoor) -> Any:
        client = door.session(SCOPE).client("iam")
        client.create_role(RoleName="r", Path="/p/", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "k", "Value": "v"}])
        return client

    def test_roles_are_global_to_the_account(self, door: DirectDoor, iam: Any) -> None:
        elsewhere = door.session(SCOPE.account, "us-west-2").client("iam")
        role = elsewhere.get_role(RoleName="r")["Role"]
        assert (role["Arn"], role["AssumeRolePolicyDocument"]) == (
            "arn:aws:iam::111122223333:role/p/r",
            {"Version": "2012-10-17", "Statement": []},
        )
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            door.session(OTHER).client("iam").get_role(RoleName="r")
        with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
        with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
            iam.create_role(RoleName="x", AssumeRolePolicyDocument="{")

    def test_policies_are_attached_versioned_and_in_the_way_of_deletion(self, iam: Any) -> None:
        policy = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="r", PolicyArn=policy)
        iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=json.dumps(POLICY))
        assert iam.get_role_policy(RoleName="r", PolicyName="inline")["PolicyDocument"] == POLICY
        assert iam.get_policy(PolicyArn=policy)["Policy"]["AttachmentCount"] == 1
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(POLICY), SetAsDefault=True)
        versions = iam.list_policy_versions(PolicyArn=policy)["Versions"]
        assert [(v["VersionId"], v["IsDefaultVersion"]) for v in versions] == [("v1", False), ("v2", True)]
        for delete, given in ((iam.delete_policy, {"PolicyArn": policy}), (iam.delete_role, {"RoleName": "r"})):
            with pytest.raises(iam.exceptions.DeleteConflictException):
                delete(**given)
        iam.detach_role_policy(RoleName="r", PolicyArn=policy)
        iam.delete_role_policy(RoleName="r", PolicyName="inline")
        iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
        iam.delete_policy(PolicyArn=policy)
        iam.delete_role(RoleName="r")
        assert iam.list_roles()["Roles"] == []

    def test_aws_managed_policies_that_are_here_are_those_that_moto_has(self, iam: Any) -> None:
        known = json.loads(aws_managed_policies_data)
        arn = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)
        document = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
        assert document == known["AWSBackupServiceRolePolicyForBackup"]["Document"]
        assert managed_policy("arn:aws:iam::111122223333:policy/p") is None
        with pytest.raises(NotEmulatedError, match="managed policy Nonsense"):
            managed_policy("arn:aws:iam::aws:policy/Nonsense")


class TestMessages:
    def test_a_topic_tells_its_queue_and_the_history(self, cloud: Cloud, door: DirectDoor) -> None:
        sns, sqs = (door.session(SCOPE).client(service) for service in ("sns", "sqs"))
        topic = sns.create_topic(Name="t")["TopicArn"]
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org")
        sns.publish(TopicArn=topic, Subject="s", Message="m")
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        assert (json.loads(message["Body"])["Message"], json.loads(message["Body"])["Subject"]) == ("m", "s")
        assert [(r["topic"], r["message"]) for r in cloud.history.of("MessagePublished")] == [(topic, "m")]
        endpoints = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        assert [(s["Protocol"], s["SubscriptionArn"] == "PendingConfirmation") for s in endpoints] == [
            ("sqs", False),
            ("email", True),
        ]

    def test_a_received_message_is_hidden_for_its_time(self, cloud: Cloud, door: DirectDoor) -> None:
        sqs = door.session(SCOPE).client("sqs")
        url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="m")
        handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
        cloud.kernel.run_until(START + timedelta(seconds=31))
        assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
        sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
        cloud.kernel.run_until(START + timedelta(seconds=99))
        assert "Messages" not in sqs.receive_message(QueueUrl=url)

    def test_what_is_not_there(self, door: DirectDoor) -> None:
        sns, sqs = (door.session(SCOPE).client(service) for service in ("sns", "sqs"))
        with pytest.raises(sns.exceptions.NotFoundException):
            sns.publish(TopicArn="arn:aws:sns:eu-west-1:111122223333:none", Message="m")
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            sqs.get_queue_url(QueueName="none")


class TestObservability:
    def test_log_lines_are_kept(self, door: DirectDoor) -> None:
        logs = door.session(SCOPE).client("logs")
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.create_log_stream(logGroupName="g", logStreamName="s")
        logs.create_log_group(logGroupName="g")
        logs.put_retention_policy(logGroupName="g", retentionInDays=30)
        logs.create_log_stream(logGroupName="g", logStreamName="s")
        stamp = round(START.timestamp() * 1000)
        logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[{"timestamp": stamp, "message": "m"}])
        events = logs.get_log_events(logGroupName="g", logStreamName="s")["events"]
        assert events == [{"timestamp": stamp, "message": "m", "ingestionTime": stamp}]
        assert [e["message"] for e in logs.filter_log_events(logGroupName="g")["events"]] == ["m"]
        (group,) = logs.describe_log_groups(logGroupNamePrefix="g")["logGroups"]
        assert (group["retentionInDays"], group["arn"]) == (30, "arn:aws:logs:eu-west-1:111122223333:log-group:g:*")
        with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName="g")

    def test_alarms_are_kept(self, door: DirectDoor) -> None:
        cloudwatch = door.session(SCOPE).client("cloudwatch")
        settings = {"MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.5}
        settings |= {"ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum"}
        cloudwatch.put_metric_alarm(AlarmName="a", **settings, Tags=[{"Key": "k", "Value": "v"}])
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"]
        assert (alarm["Threshold"], alarm["StateValue"]) == (1.5, "INSUFFICIENT_DATA")
        tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
        assert tags == [{"Key": "k", "Value": "v"}]
        cloudwatch.delete_alarms(AlarmNames=["a"])
        assert cloudwatch.describe_alarms()["MetricAlarms"] == []
        with pytest.raises(cloudwatch.exceptions.ResourceNotFound):
            cloudwatch.delete_alarms(AlarmNames=["a"])


def test_an_operation_that_is_not_here_is_named(cloud: Cloud) -> None:
    with pytest.raises(NotEmulatedError, match="kms:CreateKey"):
        LightNeighbour(cloud).call(SCOPE, "kms", "CreateKey", {})


def test_nothing_is_drawn_from_the_runs_chance(cloud: Cloud, door: DirectDoor) -> None:
    state = cloud.random.getstate()
    door.session(SCOPE).client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    topic = door.session(SCOPE).client("sns").create_topic(Name="t")["TopicArn"]
    door.session(SCOPE).client("sns").publish(TopicArn=topic, Message="m")
    assert cloud.random.getstate() == state
