"""What SNS and SQS ask of a message and make of it, alike behind both doors."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from patchgate.emulator.errors import AwsError

LARGEST_NOTIFICATION = 262_144
"""Bytes. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
LONGEST_SUBJECT = 100
LONGEST_DELAY = 900
"""Seconds. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""

Attributes = Mapping[str, Mapping[str, Any]]


def check_notification(message: str, subject: str) -> None:
    """Raise AwsError for what SNS does not publish.

    https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

    Assumption: the texts; AWS documents the code.
    """
    if not message:
        raise AwsError("InvalidParameter", "Invalid parameter: Empty message")
    if len(message.encode()) > LARGEST_NOTIFICATION:
        raise AwsError("InvalidParameter", "Invalid parameter: Message too long")
    if len(subject) > LONGEST_SUBJECT:
        raise AwsError("InvalidParameter", "Invalid parameter: Subject")


def topic_not_found(code: str = "NotFound") -> AwsError:
    """The error of every request about a topic that is not there."""
    return AwsError(code, "Topic does not exist", status=404)


def queue_not_found() -> AwsError:
    """The error of every request about a queue that is not there."""
    return AwsError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")


def check_queue_message(body: str, attributes: Attributes, delay: int, largest: int) -> None:
    """Raise AwsError for what a queue of that MaximumMessageSize does not take: sizes are bytes, attributes included.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html

    Assumption: the texts, which are moto's.
    """
    if not body:
        raise AwsError("MissingParameter", "The request must contain the parameter MessageBody.")
    size = len(body.encode())
    for name, attribute in attributes.items():
        size += len(name.encode()) + len(attribute["DataType"].encode()) + len(_content(attribute))
    if size > largest:
        reason = f"Message must be shorter than {largest} bytes."
        raise AwsError("InvalidParameterValue", f"One or more parameters are invalid. Reason: {reason}")
    if not 0 <= delay <= LONGEST_DELAY:
        reason = "Reason: DelaySeconds must be >= 0 and <= 900."
        raise AwsError("InvalidParameterValue", f"Value {delay} for parameter DelaySeconds is invalid. {reason}")


def digest_of(attributes: Attributes) -> str:
    """MD5OfMessageAttributes, in hexadecimal digits.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    hashed = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        kind = attributes[name]["DataType"]
        for part in (name.encode(), kind.encode()):
            hashed.update(struct.pack("!I", len(part)) + part)
        content = _content(attributes[name])
        hashed.update((b"\2" if kind.startswith("Binary") else b"\1") + struct.pack("!I", len(content)) + content)
    return hashed.hexdigest()


def notification(
    *, topic: str, subscription: str, message_id: str, message: str, subject: str | None, attributes: Any, now: datetime
) -> dict[str, Any]:
    """The envelope in which a topic hands a message to a queue. Nothing here can sign for SNS: the signature is a word
    that no verification takes.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    """
    region = topic.split(":")[3]
    suffix = "amazonaws.com.cn" if topic.startswith("arn:aws-cn:") else "amazonaws.com"
    address = f"https://sns.{region}.{suffix}/"
    return {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": topic,
        **({"Subject": subject} if subject else {}),
        "Message": message,
        "Timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
        "SignatureVersion": "1",
        "Signature": "EMULATED",
        "SigningCertURL": f"{address}SimpleNotificationService-emulated.pem",
        "UnsubscribeURL": f"{address}?Action=Unsubscribe&SubscriptionArn={subscription}",
        **({"MessageAttributes": attributes} if attributes else {}),
    }


def body_of(envelope: Mapping[str, Any]) -> str:
    """The text of such an envelope."""
    return json.dumps(envelope, sort_keys=True, indent=2, separators=(",", ": "))


def _content(attribute: Mapping[str, Any]) -> bytes:
    value = attribute.get("BinaryValue") if attribute["DataType"].startswith("Binary") else attribute.get("StringValue")
    return value if isinstance(value, bytes) else str(value or "").encode()
