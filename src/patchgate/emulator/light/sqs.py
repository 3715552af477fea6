"""SQS: standard queues and their messages.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError
from patchgate.emulator.light.requests import derived_uuid, refuse_others

_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
_SETTINGS = {*_DEFAULTS, "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "Policy"}


@dataclass(slots=True)
class Message:
    """One message; ``visible_from`` moves when it is received."""

    id: str
    body: str
    attributes: dict[str, Any]
    sent: datetime
    visible_from: datetime
    received: int = 0


@dataclass(slots=True)
class Queue:
    """One queue."""

    url: str
    arn: str
    created: datetime
    attributes: dict[str, str]
    tags: dict[str, str]
    messages: dict[str, Message] = field(default_factory=dict)


class Sqs(Component):
    """Queues by URL."""

    service = "sqs"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._queues: dict[str, Queue] = {}
        self._counted = 0

    @operation("CreateQueue")
    def create_queue(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "sqs:CreateQueue", ("QueueName", "Attributes", "tags"))
        attributes = dict(params.get("Attributes", {}))
        refuse_others(attributes, "sqs:CreateQueue", _SETTINGS)
        url = _url(scope, scope.account, params["QueueName"])
        there = self._queues.get(url)
        if there is not None and any(there.attributes.get(name) != value for name, value in attributes.items()):
            name = params["QueueName"]
            message = f"A queue already exists with the same name and a different value for attribute(s) of {name}"
            raise AwsError("QueueAlreadyExists", message)
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
        visible = sum(message.visible_from <= self.cloud.now for message in queue.messages.values())
        known = queue.attributes | {
            "QueueArn": queue.arn,
            "CreatedTimestamp": str(int(queue.created.timestamp())),
            "LastModifiedTimestamp": str(int(queue.created.timestamp())),
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(len(queue.messages) - visible),
            "ApproximateNumberOfMessagesDelayed": "0",
        }
        wanted = params.get("AttributeNames", ())
        shown = {name: value for name, value in known.items() if "All" in wanted or name in wanted}
        return {"Attributes": shown} if shown else {}

    @operation("SetQueueAttributes")
    def set_queue_attributes(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        refuse_others(params["Attributes"], "sqs:SetQueueAttributes", _SETTINGS)
        queue = self._queue(params)
        for name, value in params["Attributes"].items():
            if value == "" and name == "Policy":
                queue.attributes.pop(name, None)
            else:
                queue.attributes[name] = value
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
        refuse_others(params, "sqs:SendMessage", ("QueueUrl", "MessageBody", "MessageAttributes"))
        queue, body = self._queue(params), params["MessageBody"]
        self._counted += 1
        message_id = derived_uuid(f"{queue.arn} message {self._counted}")
        attributes = {name: dict(value) for name, value in params.get("MessageAttributes", {}).items()}
        queue.messages[message_id] = Message(message_id, body, attributes, self.cloud.now, self.cloud.now)
        return {"MD5OfMessageBody": _digest(body), "MessageId": message_id}

    @operation("ReceiveMessage")
    def receive_message(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        known = ("QueueUrl", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds", "MessageAttributeNames")
        refuse_others(params, "sqs:ReceiveMessage", known)
        queue = self._queue(params)
        hidden = timedelta(seconds=params.get("VisibilityTimeout", int(queue.attributes["VisibilityTimeout"])))
        ready = [message for message in queue.messages.values() if message.visible_from <= self.cloud.now]
        wanted = params.get("MessageAttributeNames", ())
        received = []
        for message in ready[: params.get("MaxNumberOfMessages", 1)]:
            message.received += 1
            message.visible_from = self.cloud.now + hidden
            received.append(_received(message, wanted))
        return {"Messages": received} if received else {}

    @operation("DeleteMessage")
    def delete_message(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        self._queue(params).messages.pop(params["ReceiptHandle"].partition("/")[0], None)
        return {}

    @operation("PurgeQueue")
    def purge_queue(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        self._queue(params).messages.clear()
        return {}

    def _queue(self, params: Params) -> Queue:
        queue = self._queues.get(params["QueueUrl"])
        if queue is None:
            raise AwsError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        return queue


def _received(message: Message, wanted: Any) -> dict[str, Any]:
    names = [name for name in message.attributes if "All" in wanted or name in wanted]
    attributes = {name: dict(message.attributes[name]) for name in names}
    shape = {"MessageId": message.id, "ReceiptHandle": f"{message.id}/{message.received}", "Body": message.body}
    shape |= {"MD5OfBody": _digest(message.body)}
    return shape | ({"MessageAttributes": attributes} if attributes else {})


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _url(scope: Scope, account: str, name: str) -> str:
    suffix = "amazonaws.com.cn" if scope.partition == "aws-cn" else "amazonaws.com"
    return f"https://sqs.{scope.region}.{suffix}/{account}/{name}"
