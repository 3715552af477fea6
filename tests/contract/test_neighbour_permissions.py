"""A role that may do little reaches S3, SNS, SQS, Logs and IAM as far as it may, alike behind both doors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.wire import WireDoor

START = datetime(2026, 7, 4, 12, tzinfo=UTC)
HERE = Scope("111122223333", "eu-west-1")
ROLE = Scope(HERE.account, HERE.region, f"arn:aws:iam::{HERE.account}:role/reader")


def statement(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


POLICY = [
    statement(
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueUrl"], f"arn:aws:sqs:{HERE.region}:{HERE.account}:mine"
    ),
    statement(["s3:ListAllMyBuckets"], "*"),
    statement(["s3:GetObject"], "arn:aws:s3:::things/*"),
    statement(["logs:DescribeLogStreams"], f"arn:aws:logs:{HERE.region}:{HERE.account}:log-group:/mine"),
    statement(["iam:GetRole"], f"arn:aws:iam::{HERE.account}:role/team/*"),
]


def answers(door: Any) -> list[str]:
    """What the role is told: the error's code, or what it asked for."""
    own, role = door.session(HERE), door.session(ROLE)
    iam = own.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)
    iam.create_role(RoleName="theirs", Path="/team/", AssumeRolePolicyDocument=trust)
    document = json.dumps({"Version": "2012-10-17", "Statement": POLICY})
    iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=document)
    urls = {name: own.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("mine", "other")}
    own.client("sqs").send_message(QueueUrl=urls["mine"], MessageBody="hello")
    place = {"LocationConstraint": HERE.region}
    own.client("s3").create_bucket(Bucket="things", CreateBucketConfiguration=place)
    own.client("s3").put_bucket_versioning(Bucket="things", VersioningConfiguration={"Status": "Enabled"})
    version = own.client("s3").put_object(Bucket="things", Key="k", Body=b"x")["VersionId"]
    own.client("logs").create_log_group(logGroupName="/mine")
    found: list[str] = []

    def ask(service: str, method: str, **params: Any) -> Any:
        try:
            answer = getattr(role.client(service), method)(**params)
        except ClientError as error:
            said = error.response["Error"]
            found.append(f"{method}: {said['Code']}: {said['Message']}")
            return {}
        found.append(f"{method}: done")
        return answer

    (message,) = ask("sqs", "receive_message", QueueUrl=urls["mine"])["Messages"]
    ask("sqs", "delete_message", QueueUrl=urls["mine"], ReceiptHandle=message["ReceiptHandle"])
    ask("sqs", "get_queue_url", QueueName="mine")
    ask("sqs", "receive_message", QueueUrl=urls["other"])
    ask("sqs", "purge_queue", QueueUrl=urls["mine"])
    ask("sqs", "list_queues")
    ask("s3", "list_buckets")
    ask("s3", "get_object", Bucket="things", Key="k")
    ask("s3", "get_object", Bucket="things", Key="k", VersionId=version)
    ask("s3", "get_bucket_versioning", Bucket="things")
    ask("sns", "create_topic", Name="t")
    ask("logs", "describe_log_streams", logGroupName="/mine")
    ask("logs", "delete_log_group", logGroupName="/mine")
    ask("iam", "get_role", RoleName="theirs")
    ask("iam", "get_role", RoleName="reader")
    ask("cloudwatch", "set_alarm_state", AlarmName="a", StateValue="OK", StateReason="r")
    return found


def test_a_role_reaches_what_it_may_and_is_denied_the_rest_alike_behind_both_doors() -> None:
    found, denials = [], []
    for kind in (DirectDoor, WireDoor):
        with kind(Cloud(COMPONENTS, start=START)) as door:
            found.append(answers(door))
            denials.append([(r["action"], r["resource"]) for r in door.cloud.history if r["event"] == "CallDenied"])
    assert found[0] == found[1]
    assert denials[0] == denials[1]
    done = [said.partition(":")[0] for said in found[0] if said.endswith(": done")]
    assert done == [
        "receive_message", "delete_message", "get_queue_url", "list_buckets", "get_object", "describe_log_streams",
        "get_role",
    ]  # fmt: skip
    assert ("s3:GetObjectVersion", "arn:aws:s3:::things/k") in denials[0]
    assert len(denials[0]) == len(found[0]) - len(done)
    assert not [said for said in found[0] if "NotEmulated" in said]
