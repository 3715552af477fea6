"""What S3, IAM, SNS, SQS and CloudWatch refuse of a request whatever they hold, alike behind both doors.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html

Assumption: the texts; AWS documents the codes and the limits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from patchgate.emulator.errors import AwsError

Params = Mapping[str, Any]

_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_QUEUE_ATTRIBUTES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
_RECEIVING = {"MaxNumberOfMessages": (1, 10), "WaitTimeSeconds": (0, 20), "VisibilityTimeout": (0, 43_200)}
_PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")
_STATES = ("INSUFFICIENT_DATA", "ALARM", "OK")


def check_request(service: str, operation: str, params: Params) -> None:
    """Raise AwsError for a request that is wrong whatever there is."""
    check = CHECKS.get((service, operation))
    if check is not None:
        check(params)


def _queue_attributes(params: Params) -> None:
    for name, value in (params.get("Attributes") or {}).items():
        low, high = _QUEUE_ATTRIBUTES.get(name, (0, -1))
        if name in _QUEUE_ATTRIBUTES and not (re.fullmatch(r"\d{1,9}", str(value)) and low <= int(value) <= high):
            raise AwsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
        if name == "RedrivePolicy" and value and not _is_redrive(value):
            reason = "Reason: it has a deadLetterTargetArn and a maxReceiveCount from 1 to 1000."
            raise AwsError("InvalidParameterValue", f"Value {value} for parameter RedrivePolicy is invalid. {reason}")


def _is_redrive(text: object) -> bool:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"""
    try:
        policy = json.loads(str(text))
        received = int(policy["maxReceiveCount"])
    except (ValueError, KeyError, TypeError):
        return False
    return set(policy) == {"deadLetterTargetArn", "maxReceiveCount"} and 1 <= received <= 1000


def _create_queue(params: Params) -> None:
    if not re.fullmatch(r"[\w-]{1,80}|[\w-]{1,75}\.fifo", str(params["QueueName"]), re.ASCII):
        message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        raise AwsError("InvalidParameterValue", message)
    _queue_attributes(params)


def _receive_message(params: Params) -> None:
    for name, (low, high) in _RECEIVING.items():
        value = params.get(name)
        if value is not None and not low <= int(value) <= high:
            reason = f"Reason: Must be between {low} and {high}, if provided."
            raise AwsError("InvalidParameterValue", f"Value {value} for parameter {name} is invalid. {reason}")


def _create_topic(params: Params) -> None:
    if not re.fullmatch(r"[\w-]{1,256}|[\w-]{1,251}\.fifo", str(params["Name"]), re.ASCII):
        raise AwsError("InvalidParameter", "Invalid parameter: Topic Name")


def _subscribe(params: Params) -> None:
    protocol, endpoint = str(params["Protocol"]), str(params.get("Endpoint") or "")
    if protocol not in _PROTOCOLS:
        message = f"Invalid parameter: Amazon SNS does not support this protocol string: {protocol}"
        raise AwsError("InvalidParameter", message)
    for service, named in (("sqs", "SQS"), ("lambda", "Lambda")):
        if protocol == service and not re.fullmatch(rf"arn:[\w-]+:{service}:[\w-]+:\d{{12}}:\S+", endpoint):
            raise AwsError("InvalidParameter", f"Invalid parameter: {named} endpoint ARN")


def _publish(params: Params) -> None:
    if not any(params.get(name) for name in ("TopicArn", "TargetArn", "PhoneNumber")):
        message = "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"
        raise AwsError("InvalidParameter", message)


def _create_bucket(params: Params) -> None:
    if not _BUCKET.fullmatch(str(params["Bucket"])):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.")


def _put_bucket_policy(params: Params) -> None:
    if not _is_policy(params["Policy"]):
        raise AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")


def _document(member: str) -> Callable[[Params], None]:
    def check(params: Params) -> None:
        if not _is_policy(params[member]):
            raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.")

    return check


def _is_policy(text: object) -> bool:
    try:
        document = json.loads(str(text))
    except ValueError:
        return False
    return isinstance(document, dict) and "Statement" in document


def _set_alarm_state(params: Params) -> None:
    state, data = params["StateValue"], params.get("StateReasonData")
    if state not in _STATES:
        constraint = f"Member must satisfy enum value set: [{', '.join(_STATES)}]"
        text = f"Value '{state}' at 'stateValue' failed to satisfy constraint: {constraint}"
        raise AwsError("ValidationError", f"1 validation error detected: {text}")
    try:
        json.loads(data or "{}")
    except ValueError as error:
        raise AwsError("InvalidFormat", "StateReasonData is not valid JSON") from error


CHECKS: Mapping[tuple[str, str], Callable[[Params], None]] = {
    ("cloudwatch", "SetAlarmState"): _set_alarm_state,
    ("iam", "CreatePolicy"): _document("PolicyDocument"),
    ("iam", "CreatePolicyVersion"): _document("PolicyDocument"),
    ("iam", "CreateRole"): _document("AssumeRolePolicyDocument"),
    ("iam", "PutRolePolicy"): _document("PolicyDocument"),
    ("iam", "UpdateAssumeRolePolicy"): _document("PolicyDocument"),
    ("s3", "CreateBucket"): _create_bucket,
    ("s3", "PutBucketPolicy"): _put_bucket_policy,
    ("sns", "CreateTopic"): _create_topic,
    ("sns", "Publish"): _publish,
    ("sns", "Subscribe"): _subscribe,
    ("sqs", "CreateQueue"): _create_queue,
    ("sqs", "ReceiveMessage"): _receive_message,
    ("sqs", "SetQueueAttributes"): _queue_attributes,
}
"""(service, operation) -> what raises AwsError for its parameters in botocore's shape."""

CHECKED_SERVICES = frozenset(service for service, _ in CHECKS)
