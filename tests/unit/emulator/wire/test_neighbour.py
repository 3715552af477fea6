"""moto as the cloud's neighbour, and what the history learns of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.errors import AwsError
from patchgate.emulator.wire import WireDoor

ACCOUNT, REGION = "111122223333", "eu-west-1"


def ask(cloud: Cloud, service: str, operation: str, **params: Any) -> dict[str, Any]:
    return cloud.call(ACCOUNT, REGION, service, operation, params)


@pytest.fixture
def bucket(cloud: Cloud, door: WireDoor) -> str:
    ask(cloud, "s3", "CreateBucket", Bucket="patching-logs", CreateBucketConfiguration={"LocationConstraint": REGION})
    return "patching-logs"


def facts(cloud: Cloud) -> list[dict[str, Any]]:
    plumbing = {"seq", "at", "account", "region"}
    return [{key: value for key, value in record.items() if key not in plumbing} for record in cloud.history]


def test_answers_have_botocores_shape(cloud: Cloud, bucket: str) -> None:
    ask(cloud, "s3", "PutObject", Bucket=bucket, Key="a/b", Body=b"text")
    answer = ask(cloud, "s3", "GetObject", Bucket=bucket, Key="a/b")
    assert answer["Body"] == b"text"
    assert answer["ContentLength"] == 4
    assert "ResponseMetadata" not in answer


def test_errors_are_aws_errors(cloud: Cloud, bucket: str) -> None:
    with pytest.raises(AwsError) as refusal:
        ask(cloud, "s3", "GetObject", Bucket=bucket, Key="none")
    error = refusal.value
    assert (error.code, error.message, error.status) == ("NoSuchKey", "The specified key does not exist.", 404)


def test_bad_parameters_are_aws_errors(cloud: Cloud, door: WireDoor) -> None:
    with pytest.raises(AwsError, match=r"(?s)ValidationException.*Bucket"):
        ask(cloud, "s3", "PutObject")


def test_the_neighbours_calls_take_no_time(cloud: Cloud, door: WireDoor) -> None:
    ends: list[timedelta] = []
    start = cloud.now

    def body() -> None:
        ask(cloud, "sns", "ListTopics")
        ends.append(cloud.now - start)

    cloud.kernel.spawn("p", body)
    cloud.kernel.run_until(start + timedelta(seconds=1))
    assert ends == [timedelta(0)]


def test_aws_managed_policies_exist(cloud: Cloud, door: WireDoor) -> None:
    ask(cloud, "iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    arn = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    ask(cloud, "iam", "AttachRolePolicy", RoleName="r", PolicyArn=arn)
    attached = ask(cloud, "iam", "ListAttachedRolePolicies", RoleName="r")["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [arn]


def test_identifiers_of_moto_are_the_same_in_every_run(cloud: Cloud) -> None:
    keys = []
    for _ in range(2):
        with WireDoor(cloud):
            keys.append(ask(cloud, "kms", "CreateKey")["KeyMetadata"]["KeyId"])
    assert keys[0] == keys[1]


class TestHistory:
    def test_objects_written_by_the_cloud_and_by_users(self, cloud: Cloud, door: WireDoor, bucket: str) -> None:
        ask(cloud, "s3", "PutObject", Bucket=bucket, Key="by cloud", Body=b"1")
        s3 = door.session(ACCOUNT, REGION).client("s3")
        s3.put_object(Bucket=bucket, Key="by/\N{LATIN SMALL LETTER A WITH DIAERESIS} user", Body=b"2")
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "by cloud"})
        written = ["by cloud", "by/\N{LATIN SMALL LETTER A WITH DIAERESIS} user", "copy"]
        assert [(one["event"], one["bucket"], one["key"]) for one in facts(cloud)] == [
            ("ObjectWritten", bucket, key) for key in written
        ]
        assert [(one["size"], one["text"]) for one in facts(cloud)] == [(1, None)] * 3
        assert facts(cloud)[2]["sha256"] == facts(cloud)[0]["sha256"] != facts(cloud)[1]["sha256"]
        assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"1"

    def test_the_text_of_json_is_what_was_written_however_it_was_sent(
        self, cloud: Cloud, door: WireDoor, bucket: str
    ) -> None:
        door.session(ACCOUNT, REGION).client("s3").put_object(
            Bucket=bucket, Key="a/b.json", Body='{"\u00e9": 1}'.encode()
        )
        (written,) = facts(cloud)
        assert (written["text"], written["size"], written["principal"]) == ('{"\u00e9": 1}', 9, "")

    def test_a_refused_write_is_not_recorded(self, cloud: Cloud, door: WireDoor) -> None:
        with pytest.raises(AwsError, match="NoSuchBucket"):
            ask(cloud, "s3", "PutObject", Bucket="none", Key="k", Body=b"")
        assert facts(cloud) == []

    def test_what_only_reads_or_configures_is_not_recorded(self, cloud: Cloud, bucket: str) -> None:
        ask(cloud, "s3", "PutBucketVersioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        ask(cloud, "s3", "ListObjectsV2", Bucket=bucket)
        assert facts(cloud) == []

    def test_messages_published(self, cloud: Cloud, door: WireDoor) -> None:
        topic = ask(cloud, "sns", "CreateTopic", Name="t")["TopicArn"]
        ask(cloud, "sns", "Publish", TopicArn=topic, Subject="s", Message="m & m")
        entries = [{"Id": str(n), "Message": f"m{n}"} for n in range(2)]
        door.session(ACCOUNT, REGION).client("sns").publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        message = {"event": "MessagePublished", "topic": topic, "subject": ""}
        assert facts(cloud) == [
            message | {"subject": "s", "message": "m & m"},
            message | {"message": "m0"},
            message | {"message": "m1"},
        ]
        assert {(record["account"], record["region"]) for record in cloud.history} == {(ACCOUNT, REGION)}
