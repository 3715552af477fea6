"""S3, SNS and SQS answer alike behind both doors: moto there, the light neighbour here, answer by answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.wire import WireDoor

SCOPE = Scope("111122223333", "eu-west-1")
START = datetime(2026, 7, 4, 12, tzinfo=UTC)


class Place:
    """Clients behind one door. ``ask`` keeps every answer, errors too."""

    def __init__(self, door: Any) -> None:
        self.cloud: Cloud = door.cloud
        self.answers: list[Any] = []
        self._door = door

    def client(self, service: str) -> Any:
        return self._door.session(SCOPE).client(service)

    def ask(self, method: Callable[..., Any], **params: Any) -> Any:
        try:
            answer = method(**params)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            self.answers.append((type(error).__name__, str(error), status))
            return None
        answer.pop("ResponseMetadata")
        shown = {name: value.read() if hasattr(value, "read") else value for name, value in answer.items()}
        self.answers.append(shown)
        return shown

    def pass_time(self, **time: float) -> None:
        self.cloud.kernel.run_until(self.cloud.now + timedelta(**time))


def notify(place: Place) -> None:
    sns, sqs = place.client("sns"), place.client("sqs")
    topic, url = sns.create_topic(Name="t")["TopicArn"], sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes = {"a": {"DataType": "String", "StringValue": "x"}, "n": {"DataType": "Number", "StringValue": "1"}}
    place.ask(sns.subscribe, TopicArn=topic, Protocol="email", Endpoint="a@example.org", ReturnSubscriptionArn=True)
    first = place.ask(sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=arn)
    assert place.ask(sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=arn) == first
    for message in ({"Subject": "s"}, {}, {"MessageAttributes": attributes}):
        place.ask(sns.publish, TopicArn=topic, Message="m", **message)
    place.ask(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=10)
    place.ask(sns.publish, TopicArn=topic, Message="")
    place.ask(sns.publish, TopicArn=topic, Message="ä" * 131_073)
    place.ask(sns.publish, TopicArn=topic, Message="m", Subject="s" * 101)
    place.ask(sns.publish, TopicArn=f"{topic}x", Message="m")
    place.ask(sns.get_topic_attributes, TopicArn=f"{topic}x")
    place.ask(sns.publish, TopicArn=topic, Message="last")


def queue_up(place: Place) -> None:
    sqs = place.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    attributes = {"a": {"DataType": "String", "StringValue": "x"}, "b": {"DataType": "Binary", "BinaryValue": b"y"}}
    place.ask(sqs.send_message, QueueUrl=url, MessageBody="m", MessageAttributes=attributes)
    place.ask(sqs.send_message, QueueUrl=url, MessageBody="later", DelaySeconds=600)
    place.ask(sqs.send_message, QueueUrl=url, MessageBody="never", DelaySeconds=901)
    place.ask(sqs.send_message, QueueUrl=url, MessageBody="")
    place.ask(sqs.send_message, QueueUrl=url, MessageBody="m" * 1_048_577)
    place.ask(sqs.send_message, QueueUrl=url, MessageBody="ä" * 524_289)
    place.ask(sqs.send_message, QueueUrl=url, MessageBody="m" * 1_048_576)
    place.ask(sqs.send_message, QueueUrl=url, MessageBody="m" * 1_048_570, MessageAttributes=attributes)
    place.ask(sqs.send_message, QueueUrl=f"{url}x", MessageBody="m")
    place.ask(sqs.get_queue_url, QueueName="none")
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts += ["ApproximateNumberOfMessagesDelayed", "CreatedTimestamp", "MaximumMessageSize"]
    place.ask(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=counts)
    place.ask(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
    first = place.ask(sqs.receive_message, QueueUrl=url, MessageAttributeNames=["All"])
    place.pass_time(seconds=30)
    place.ask(sqs.receive_message, QueueUrl=url, VisibilityTimeout=0)
    place.pass_time(seconds=1)
    place.ask(sqs.receive_message, QueueUrl=url)
    place.ask(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=counts)
    for _ in range(2):
        place.ask(sqs.delete_message, QueueUrl=url, ReceiptHandle=first["Messages"][0]["ReceiptHandle"])
    place.ask(sqs.delete_message, QueueUrl=url, ReceiptHandle="nobody's")
    place.pass_time(seconds=568)
    place.ask(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=counts)
    place.pass_time(seconds=1)
    place.ask(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=10)


def store(place: Place) -> None:
    s3 = place.client("s3")
    for bucket, versions in (("plain-1", False), ("versions-1", True)):
        there = {"Bucket": bucket}
        place.ask(s3.create_bucket, **there, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        place.ask(s3.put_object, **there, Key="early", Body=b"e")
        if versions:
            place.ask(s3.put_bucket_versioning, **there, VersioningConfiguration={"Status": "Enabled"})
        place.ask(s3.get_bucket_versioning, **there)
        key = {**there, "Key": "a/b c+é.txt"}
        for body in (b"1", b"two"):
            place.ask(s3.put_object, **key, Body=body, ContentType="text/plain", Metadata={"k": "v"})
        place.ask(s3.put_object, **there, Key="a/sha", Body=b"s", ChecksumAlgorithm="SHA256")
        place.ask(s3.put_object, **there, Key="early", Body=b"late")
        place.ask(s3.get_object, **key)
        place.ask(s3.head_object, **key)
        place.ask(s3.head_object, **key, ChecksumMode="ENABLED")
        place.ask(s3.list_objects_v2, **there, Prefix="a/")
        place.ask(s3.list_object_versions, **there)
        place.pass_time(seconds=5)
        deleted = place.ask(s3.delete_object, **key)
        again = place.ask(s3.delete_object, **key)
        place.ask(s3.delete_object, **there, Key="never")
        place.ask(s3.get_object, **key)
        place.ask(s3.head_object, **key)
        place.ask(s3.list_objects_v2, **there)
        place.ask(s3.list_object_versions, **there)
        if versions:
            walk_versions(place, s3, key, (deleted, again))
        place.ask(s3.delete_bucket, **there)


def walk_versions(place: Place, s3: Any, key: dict[str, str], markers: tuple[Any, Any]) -> None:
    first = place.ask(s3.list_object_versions, Bucket=key["Bucket"], MaxKeys=2)
    after = {"KeyMarker": first["NextKeyMarker"], "VersionIdMarker": first["NextVersionIdMarker"]}
    place.ask(s3.list_object_versions, Bucket=key["Bucket"], **after)
    place.ask(s3.list_object_versions, Bucket=key["Bucket"], Prefix="a/s")
    versions = [v for v in place.answers[-3]["DeleteMarkers"] if v["Key"] == key["Key"]]
    assert [v["VersionId"] for v in versions] == [marker["VersionId"] for marker in reversed(markers)]
    for version in (markers[0]["VersionId"], "none"):
        place.ask(s3.get_object, **key, VersionId=version)
        place.ask(s3.head_object, **key, VersionId=version)
    for marker in reversed(markers):
        place.ask(s3.delete_object, **key, VersionId=marker["VersionId"])
    newest = place.ask(s3.get_object, **key)
    place.ask(s3.get_object, **key, VersionId=newest["VersionId"])
    place.ask(s3.delete_object, **key, VersionId=newest["VersionId"])
    place.ask(s3.get_object, **key)
    place.ask(s3.list_object_versions, Bucket=key["Bucket"])


def encrypt(place: Place) -> None:
    s3 = place.client("s3")
    s3.create_bucket(Bucket="kept-1", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    place.ask(s3.put_object, Bucket="kept-1", Key="own", Body=b"", ServerSideEncryption="AES256")
    for rule in (
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}},
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}},
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True},
    ):
        s3.put_bucket_encryption(Bucket="kept-1", ServerSideEncryptionConfiguration={"Rules": [rule]})
        place.ask(s3.put_object, Bucket="kept-1", Key="a", Body=b"")
        place.ask(s3.get_object, Bucket="kept-1", Key="a")
        place.ask(s3.head_object, Bucket="kept-1", Key="a")


def answers_behind(door: Callable[[Cloud], Any], scenario: Callable[[Place], None], seed: int) -> list[Any]:
    with door(Cloud(COMPONENTS, start=START, seed=seed)) as opened:
        place = Place(opened)
        scenario(place)
        return [*place.answers, place.cloud.history.to_json_lines()]


@pytest.mark.parametrize("scenario", [notify, queue_up, store, encrypt], ids=lambda scenario: scenario.__name__)
def test_neighbours_answer_alike(scenario: Callable[[Place], None]) -> None:
    directly = answers_behind(DirectDoor, scenario, 5)
    over_the_wire = answers_behind(WireDoor, scenario, 5)
    assert directly == over_the_wire
    assert [str(answer) for answer in directly] == [str(answer) for answer in over_the_wire]
    assert directly == answers_behind(DirectDoor, scenario, 5)


def test_identifiers_follow_from_the_seed() -> None:
    def message(seed: int) -> str:
        return str(next(a["MessageId"] for a in answers_behind(DirectDoor, notify, seed) if "MessageId" in a))

    assert message(1) == message(1) != message(2)
