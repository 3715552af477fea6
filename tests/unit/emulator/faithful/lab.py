"""A cloud with a role, a bucket, a topic and a queue, in which functions run one way or the other."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.faithful.runtime import FaithfulRuntime
from patchgate.emulator.functions import Functions
from patchgate.emulator.wire import WireDoor

START = datetime(2026, 7, 4, 20, 30, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-central-1")
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["ssm:*", "s3:*", "sns:*", "logs:*", "sqs:*"], "Resource": "*"},
            {"Effect": "Deny", "Action": "ssm:*", "Resource": "arn:aws:ssm:us-east-1:*:*"},
        ],
    }
)


def archive(modules: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, text in modules.items():
            package.writestr(zipfile.ZipInfo(name if "." in name else f"{name}.py"), text)
    return content.getvalue()


@dataclass(frozen=True, slots=True)
class Lab:
    """The operator's side of the cloud."""

    cloud: Cloud
    door: Any
    role: str
    topic: str
    queue: str
    runtime: FaithfulRuntime | None

    def client(self, service: str) -> Any:
        return self.door.session(SCOPE).client(service)

    def create(self, name: str, modules: dict[str, str], handler: str = "index.handler", **settings: Any) -> None:
        self.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
        given = {"FunctionName": name, "Runtime": "python3.13", "Role": self.role, "Handler": handler, "Timeout": 60}
        self.client("lambda").create_function(**given | {"Code": {"ZipFile": archive(modules)}} | settings)

    def invoke(self, name: str, event: Any = None) -> tuple[Any, str | None]:
        """(answer, mark of an error) of a synchronous invocation."""
        answer = self.cloud.component(Functions).invoke_and_wait(SCOPE, name, json.dumps(event).encode())
        return json.loads(answer["Payload"]), answer.get("FunctionError")

    def send(self, name: str, event: Any) -> None:
        self.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())

    def run(self, **duration: float) -> None:
        self.cloud.kernel.run_until(self.cloud.now + timedelta(**duration))

    def queued(self) -> list[Any]:
        url = self.client("sqs").get_queue_url(QueueName="failures")["QueueUrl"]
        found = self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found]

    def log_lines(self, name: str) -> list[str]:
        events = self.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        return [event["message"] for event in events]

    def ended(self, name: str) -> list[dict[str, Any]]:
        return [record for record in self.cloud.history.of("FunctionEnded") if record["function"] == name]

    def history(self) -> list[str]:
        return self.cloud.history.to_json_lines().splitlines()


@contextmanager
def opened(*, faithful: bool, patience: float = 60.0) -> Iterator[Lab]:
    """A lab: faithful through the wire door, fast through the direct one."""
    cloud = Cloud(COMPONENTS, start=START, seed=3)
    with WireDoor(cloud) if faithful else DirectDoor(cloud) as door:
        runtime = FaithfulRuntime(door, patience_seconds=patience) if isinstance(door, WireDoor) else None
        with runtime or nullcontext():
            client = door.session(SCOPE).client
            role = client("iam").create_role(RoleName="gate", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
            client("iam").put_role_policy(RoleName="gate", PolicyName="all", PolicyDocument=POLICY)
            place = {"LocationConstraint": SCOPE.region}
            client("s3").create_bucket(Bucket="evidence", CreateBucketConfiguration=place)
            client("sqs").create_queue(QueueName="failures")
            topic = client("sns").create_topic(Name="told")["TopicArn"]
            yield Lab(cloud, door, role, topic, SCOPE.arn("sqs", "failures"), runtime)
