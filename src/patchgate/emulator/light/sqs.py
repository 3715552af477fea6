"""SQS: standard queues and their messages.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError
from patchgate.emulator.light.requests import refuse_others
from patchgate.emulator.messages import check_queue_message, digest_of, queue_not_found
from patchgate.emulator.numbered_ids import NumberedIds

_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
_SETTINGS = {*_DEFAULTS, "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "Policy", "RedrivePolicy"}

_SHOWN = (
    "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp", "DelaySeconds", "LastModifiedTimestamp", "MaximumMessageSize", "MessageRetentionPeriod",
    "QueueArn", "Policy", "RedrivePolicy", "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout", "SqsManagedSseEnabled",
    "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId",
)  # fmt: skip
"""The attributes of a queue, in the order of an answer that has all of them."""


@dataclass(slots=True)
class Message:
    """One message: delayed until ``delayed_until``, and when it was received hidden until ``hidden_until`` is over."""

    id: str
    body: str
    attributes: dict[str, Any]
    sent: datetime
    delayed_until: datetime
    hidden_until: datetime | None = None
    receipts: list[str] = field(default_factory=list)

    def is_ready(self, now: datetime) -> bool:
        return now >= self.delayed_until and (self.hidden_until is None or now > self.hidden_until)


@dataclass(slots=True)
class Queue:
    """One queue."""

    url: str
    arn: str
    created: datetime
    attributes: dict[str, str]
    tags: dict[str, str]
    messages: dict[str, Message] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    """The receipts of deleted messages."""
    modified: datetime | None = None
    """When its attributes were set; None for never."""

    def keep(self, now: datetime) -> None:
        """Forget the messages whose retention is over."""
        oldest = now - timedelta(seconds=int(self.attributes["MessageRetentionPeriod"]))
        for message in [item for item in self.messages.values() if item.sent < oldest]:
            del self.messages[message.id]


class Sqs(Component):
    """Queues by URL."""

    service = "sqs"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._queues: dict[str, Queue] = {}
        self._ids = NumberedIds(cloud.seed, self.service)
        self._receipts = NumberedIds(cloud.seed, f"{self.service} receipt")

    @operation("CreateQueue")
    def create_queue(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "sqs:CreateQueue", ("QueueName", "Attributes", "tags"))
        attributes = dict(params.get("Attributes", {}))
        refuse_others(attributes, "sqs:CreateQueue", _SETTINGS)
        if attributes.get("RedrivePolicy"):
            attributes["RedrivePolicy"] = self._checked_redrive(attributes["RedrivePolicy"])
        url = _url(scope, scope.account, params["QueueName"])
        there = self._queues.get(url)
        if there is not None and any(there.attributes.get(name) != value for name, value in attributes.items()):
            raise AwsError("QueueAlreadyExists", "The specified queue already exists.")
        if there is None:
            arn = scope.arn("sqs", params["QueueName"])
            tags = dict(params.get("tags", {}))
            self._queues[url] = Queue(url, arn, self.cloud.now, _DEFAULTS | attributes, tags)
        return {"QueueUrl": url}

    @operation("GetQueueUrl")
    def get_queue_url(self, scope: Scope, params: Params) -> Result:
        url = _url(scope, params.get("QueueOwnerAWSAccountId") or scope.account, params["QueueName"])
        return {"QueueUrl": self._queue({"QueueUrl": url}).url}

    @operation("ListQueues")
    def list_queues(self, scope: Scope, params: Params) -> Result:
        prefix = _url(scope, scope.account, params.get("QueueNamePrefix", ""))
        found = [url for url in sorted(self._queues) if url.startswith(prefix)]
        return {"QueueUrls": found} if found else {}

    @operation("DeleteQueue")
    def delete_queue(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        del self._queues[self._queue(params).url]
        return {}

    @operation("GetQueueAttributes")
    def get_queue_attributes(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        queue = self._queue(params)
        now, messages = self.cloud.now, queue.messages.values()
        visible, delayed = sum(m.is_ready(now) for m in messages), sum(now < m.delayed_until for m in messages)
        known = queue.attributes | {
            "QueueArn": queue.arn,
            "CreatedTimestamp": str(int(queue.created.timestamp())),
            "LastModifiedTimestamp": str(int((queue.modified or queue.created).timestamp())),
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(len(messages) - visible - delayed),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
        }
        wanted = params.get("AttributeNames", ())
        shown = {name: known[name] for name in (_SHOWN if "All" in wanted else wanted) if name in known}
        return {"Attributes": shown} if shown else {}

    @operation("SetQueueAttributes")
    def set_queue_attributes(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        refuse_others(params["Attributes"], "sqs:SetQueueAttributes", _SETTINGS)
        queue = self._queue(params)
        for name, value in params["Attributes"].items():
            if value == "" and name in ("Policy", "RedrivePolicy"):
                queue.attributes.pop(name, None)
            else:
                queue.attributes[name] = self._checked_redrive(value) if name == "RedrivePolicy" else value
        queue.modified = self.cloud.now
        return {}

    @operation("TagQueue")
    def tag_queue(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        self._queue(params).tags.update(params["Tags"])
        return {}

    @operation("UntagQueue")
    def untag_queue(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        tags = self._queue(params).tags
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    @operation("ListQueueTags")
    def list_queue_tags(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        tags = self._queue(params).tags
        return {"Tags": dict(tags)} if tags else {}

    @operation("SendMessage")
    def send_message(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        refuse_others(params, "sqs:SendMessage", ("QueueUrl", "MessageBody", "MessageAttributes", "DelaySeconds"))
        queue, body = self._queue(params), params["MessageBody"]
        attributes = {name: dict(value) for name, value in params.get("MessageAttributes", {}).items()}
        delay = params.get("DelaySeconds", int(queue.attributes["DelaySeconds"]))
        check_queue_message(body, attributes, delay, int(queue.attributes["MaximumMessageSize"]))
        message_id, now = self._ids.draw(), self.cloud.now
        queue.messages[message_id] = Message(message_id, body, attributes, now, now + timedelta(seconds=delay))
        digest = {"MD5OfMessageAttributes": digest_of(attributes)} if attributes else {}
        return {"MD5OfMessageBody": _digest(body), "MessageId": message_id, **digest}

    @operation("ReceiveMessage")
    def receive_message(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        known = ("QueueUrl", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds", "MessageAttributeNames")
        refuse_others(params, "sqs:ReceiveMessage", known)
        queue, kernel = self._queue(params), self.cloud.kernel
        waiting = params.get("WaitTimeSeconds", int(queue.attributes["ReceiveMessageWaitTimeSeconds"]))
        end = self.cloud.now + timedelta(seconds=waiting)
        received = self._receive(queue, params)
        while not received and kernel.current is not None and self.cloud.now < end:
            kernel.sleep(1)
            received = self._receive(queue, params)
        return {"Messages": received} if received else {}

    def _receive(self, queue: Queue, params: Params) -> list[dict[str, Any]]:
        hidden = params.get("VisibilityTimeout", int(queue.attributes["VisibilityTimeout"]))
        ready = [message for message in queue.messages.values() if message.is_ready(self.cloud.now)]
        if queue.attributes.get("RedrivePolicy"):
            ready = self._without_dead(queue, ready, params.get("MaxNumberOfMessages", 1))
        received = []
        for message in ready[: params.get("MaxNumberOfMessages", 1)]:
            message.receipts.append(self._receipts.draw())
            message.hidden_until = self.cloud.now + timedelta(seconds=hidden) if hidden else None
            received.append(_received(message, params.get("MessageAttributeNames", ())))
        return received

    def _without_dead(self, queue: Queue, ready: list[Message], wanted: int) -> list[Message]:
        """The messages that may be received once more; those before them that may not move to the dead-letter queue.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        """
        policy = json.loads(queue.attributes["RedrivePolicy"])
        letters = self._by_arn(policy["deadLetterTargetArn"])
        living: list[Message] = []
        for message in ready:
            if len(living) == wanted:
                break
            if letters is not None and len(message.receipts) >= policy["maxReceiveCount"]:
                del queue.messages[message.id]
                message.hidden_until = None
                letters.messages[message.id] = message
            else:
                living.append(message)
        return living

    def _checked_redrive(self, text: str) -> str:
        """A redrive policy as it is shown; AwsError for a dead-letter queue that is not there."""
        policy = json.loads(text)
        if self._by_arn(policy["deadLetterTargetArn"]) is None:
            message = f"Could not find DLQ for {policy['deadLetterTargetArn']}"
            raise AwsError("AWS.SimpleQueueService.NonExistentQueue", message)
        return json.dumps(policy | {"maxReceiveCount": int(policy["maxReceiveCount"])})

    def _by_arn(self, arn: str) -> Queue | None:
        return next((queue for queue in self._queues.values() if queue.arn == arn), None)

    @operation("DeleteMessage")
    def delete_message(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        queue, receipt = self._queue(params), params["ReceiptHandle"]
        found = [message for message in queue.messages.values() if receipt in message.receipts]
        if not found and receipt not in queue.done:
            raise AwsError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        for message in found:
            queue.done.update(message.receipts)
            del queue.messages[message.id]
        return {}

    @operation("PurgeQueue")
    def purge_queue(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        self._queue(params).messages.clear()
        return {}

    def _queue(self, params: Params) -> Queue:
        queue = self._queues.get(params["QueueUrl"])
        if queue is None:
            raise queue_not_found()
        if queue.messages:
            queue.keep(self.cloud.now)
        return queue


def _received(message: Message, wanted: Any) -> dict[str, Any]:
    names = [name for name in message.attributes if "All" in wanted or name in wanted]
    attributes = {name: dict(message.attributes[name]) for name in names}
    shape = {"MessageId": message.id, "ReceiptHandle": message.receipts[-1], "Body": message.body}
    shape |= {"MD5OfBody": _digest(message.body)}
    given = {"MessageAttributes": attributes, "MD5OfMessageAttributes": digest_of(attributes)}
    return shape | (given if attributes else {})


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _url(scope: Scope, account: str, name: str) -> str:
    suffix = "amazonaws.com.cn" if scope.partition == "aws-cn" else "amazonaws.com"
    return f"https://sqs.{scope.region}.{suffix}/{account}/{name}"
