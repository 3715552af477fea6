"""S3, SNS and SQS answer alike behind both doors: moto there, the light neighbour here, answer by answer."""

from __future__ import annotations

import io
import json
import zipfile
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


def refuse(place: Place) -> None:
    """What is wrong whatever there is."""
    s3, sns, sqs, iam = (place.client(service) for service in ("s3", "sns", "sqs", "iam"))
    for attribute, value in (
        ("VisibilityTimeout", "43201"), ("DelaySeconds", "901"), ("MaximumMessageSize", "1048577"),
        ("MessageRetentionPeriod", "59"), ("ReceiveMessageWaitTimeSeconds", "21"), ("DelaySeconds", "soon"),
    ):  # fmt: skip
        place.ask(sqs.create_queue, QueueName="q", Attributes={attribute: value})
    place.ask(sqs.create_queue, QueueName="bad name")
    place.ask(sqs.create_queue, QueueName="x" * 81)
    url = place.ask(sqs.create_queue, QueueName="q", Attributes={"DelaySeconds": "5"})["QueueUrl"]
    place.ask(sqs.create_queue, QueueName="q", Attributes={"DelaySeconds": "6"})
    place.ask(sqs.set_queue_attributes, QueueUrl=url, Attributes={"DelaySeconds": "-1"})
    for wrong in ({"MaxNumberOfMessages": 11}, {"MaxNumberOfMessages": 0}, {"VisibilityTimeout": 43_201}):
        place.ask(sqs.receive_message, QueueUrl=url, **wrong)
    place.ask(sns.create_topic, Name="bad name")
    topic = place.ask(sns.create_topic, Name="t")["TopicArn"]
    for protocol, endpoint in (("sqs", "no-arn"), ("lambda", "no-arn"), ("pigeon", "x")):
        place.ask(sns.subscribe, TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    place.ask(sns.publish, Message="m")
    place.ask(s3.create_bucket, Bucket="Upper", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    place.ask(s3.create_bucket, Bucket="plain-1")
    place.ask(s3.create_bucket, Bucket="plain-1", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    place.ask(s3.get_bucket_location, Bucket="plain-1")
    for policy in ("no policy", "{}"):
        place.ask(s3.put_bucket_policy, Bucket="plain-1", Policy=policy)
        place.ask(iam.create_role, RoleName="r", AssumeRolePolicyDocument=policy)
    place.ask(s3.put_object, Bucket="plain-1", Key="policy", Body=b"no policy")
    place.ask(s3.list_objects_v2, Bucket="plain-1", MaxKeys=0)
    errors = [answer for answer in place.answers if isinstance(answer, tuple)]
    assert len(errors) == 24
    assert not [error for error in errors if error[2] != 400]


def forget(place: Place) -> None:
    """A queue keeps messages as long as its retention says, received or not; its attributes say when they were set."""
    sqs = place.client("sqs")
    settings = {"MessageRetentionPeriod": "60", "VisibilityTimeout": "10"}
    url = sqs.create_queue(QueueName="q", Attributes=settings)["QueueUrl"]
    for name in ("first", "second"):
        place.ask(sqs.send_message, QueueUrl=url, MessageBody=name)
    place.ask(sqs.receive_message, QueueUrl=url)
    place.pass_time(seconds=60)
    place.ask(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
    place.pass_time(seconds=1)
    place.ask(sqs.set_queue_attributes, QueueUrl=url, Attributes={"VisibilityTimeout": "20"})
    gone = place.ask(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (gone["ApproximateNumberOfMessages"], gone["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")
    place.ask(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=10)


def give_up(place: Place) -> None:
    """What was received too often goes to the dead-letter queue, when somebody asks for it once more."""
    sqs = place.client("sqs")
    letters = sqs.create_queue(QueueName="letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for policy in ("no policy", "{}", {"deadLetterTargetArn": arn, "maxReceiveCount": 0},
                   {"deadLetterTargetArn": f"{arn}x", "maxReceiveCount": 1}):  # fmt: skip
        text = policy if isinstance(policy, str) else json.dumps(policy)
        place.ask(sqs.create_queue, QueueName="q", Attributes={"RedrivePolicy": text})
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "2"})
    url = sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "10"})["QueueUrl"]
    place.ask(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
    for name in ("first", "second"):
        sqs.send_message(QueueUrl=url, MessageBody=name)
    for wanted in (1, 1, 2, 2, 2):
        place.ask(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=wanted)
        place.pass_time(seconds=11)
    given_up = place.ask(sqs.receive_message, QueueUrl=letters, MaxNumberOfMessages=10)["Messages"]
    assert {message["Body"] for message in given_up} == {"first", "second"}
    place.ask(sqs.set_queue_attributes, QueueUrl=url, Attributes={"RedrivePolicy": ""})
    place.ask(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["RedrivePolicy"])


CODE = """
import json, boto3
def handler(event, context):
    queue = boto3.client("sqs")
    url = queue.get_queue_url(QueueName="seen")["QueueUrl"]
    queue.send_message(QueueUrl=url, MessageBody=json.dumps(event, sort_keys=True))
"""


def subscribe_functions(place: Place) -> None:
    """Functions get what their topic lets them have; web addresses, which nobody confirms, get nothing."""
    sns, sqs, iam, functions = (place.client(service) for service in ("sns", "sqs", "iam", "lambda"))
    url, topic = sqs.create_queue(QueueName="seen")["QueueUrl"], sns.create_topic(Name="t")["TopicArn"]
    principal = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": principal})
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": ["sqs:*", "logs:*"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo("index.py"), CODE)
    code, runtime = {"ZipFile": archive.getvalue()}, {"Runtime": "python3.12", "Handler": "index.handler"}
    arns = [
        functions.create_function(FunctionName=name, Role=role, Code=code, **runtime)["FunctionArn"]
        for name in ("may", "may-not")
    ]
    source = {"Principal": "sns.amazonaws.com", "SourceArn": topic, "Action": "lambda:InvokeFunction"}
    functions.add_permission(FunctionName="may", StatementId="s", **source)
    for arn in (*arns, f"{arns[0]}-gone"):
        place.ask(sns.subscribe, TopicArn=topic, Protocol="lambda", Endpoint=arn)
    web = {"Protocol": "https", "Endpoint": "https://example.org/hook", "ReturnSubscriptionArn": True}
    place.ask(sns.subscribe, TopicArn=topic, **web)
    kinds = {"k": {"DataType": "String", "StringValue": "v"}}
    place.ask(sns.publish, TopicArn=topic, Message="hello", Subject="s", MessageAttributes=kinds)
    place.pass_time(minutes=1)
    (message,) = place.ask(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    (record,) = json.loads(message["Body"])["Records"]
    assert (record["EventSource"], record["Sns"]["Message"], record["Sns"]["TopicArn"]) == ("aws:sns", "hello", topic)
    assert record["Sns"]["MessageAttributes"] == {"k": {"Type": "String", "Value": "v"}}
    lost = [item for item in place.cloud.history if item["event"] == "FunctionDiscarded"]
    assert [item["function"] for item in lost] == [arns[1], f"{arns[0]}-gone"]


def answers_behind(door: Callable[[Cloud], Any], scenario: Callable[[Place], None], seed: int) -> list[Any]:
    with door(Cloud(COMPONENTS, start=START, seed=seed)) as opened:
        place = Place(opened)
        scenario(place)
        return [*place.answers, place.cloud.history.to_json_lines()]


@pytest.mark.parametrize(
    "scenario",
    [notify, queue_up, store, encrypt, refuse, forget, give_up, subscribe_functions],
    ids=lambda scenario: scenario.__name__,
)
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
