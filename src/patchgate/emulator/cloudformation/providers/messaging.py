"""AWS::SNS::* and AWS::SQS::*."""

from __future__ import annotations

from typing import Any

from patchgate.emulator.cloudformation.parameters import as_text
from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    Request,
    document,
    pick,
    tag_list,
    tag_map,
)
from patchgate.emulator.errors import NotEmulatedError

_GONE = frozenset({"NotFound", "NotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


def _attribute_texts(properties: Properties, names: tuple[str, ...]) -> dict[str, str]:
    """API attributes: every value a string, objects as JSON."""
    return {
        name: document(value) if isinstance(value := properties[name], dict | list) else as_text(value)
        for name in names
        if name in properties
    }


class Topic(Provider):
    """AWS::SNS::Topic; Ref is its ARN."""

    type = "AWS::SNS::Topic"
    name_property = "TopicName"
    gone = _GONE
    _settings = ("DisplayName", "KmsMasterKeyId", "TracingConfig", "SignatureVersion")
    supported = frozenset({*_settings, "FifoTopic", "ContentBasedDeduplication", "Subscription", "Tags", "TopicName"})
    attributes = frozenset({"TopicArn", "TopicName"})

    def create(self, request: Request) -> Physical:
        name = request.name("TopicName", 256)
        settings = (*self._settings, "FifoTopic", "ContentBasedDeduplication")
        params = {"Name": name, "Attributes": _attribute_texts(request.properties, settings)}
        arn = request.call("sns", "CreateTopic", params | pick(request.properties, "Tags"))["TopicArn"]
        physical = request.claim(arn, {"TopicArn": arn, "TopicName": name})
        for entry in request.properties.get("Subscription", ()):
            request.call("sns", "Subscribe", {"TopicArn": arn, **entry})
        return physical

    def update(self, request: Request) -> Physical:
        arn = request.physical_id
        if request.changed("Subscription"):
            raise NotEmulatedError("an update of the Subscription property of AWS::SNS::Topic")
        names = (*self._settings, "ContentBasedDeduplication")
        old, new = _attribute_texts(request.previous, names), _attribute_texts(request.properties, names)
        for name in dict.fromkeys((*old, *new)):
            if old.get(name) != new.get(name):
                params = {"TopicArn": arn, "AttributeName": name, "AttributeValue": new.get(name, "")}
                request.call("sns", "SetTopicAttributes", params)
        tags, removed = request.tag_changes()
        if tags:
            request.call("sns", "TagResource", {"ResourceArn": arn, "Tags": tag_list(tags)})
        if removed:
            request.call("sns", "UntagResource", {"ResourceArn": arn, "TagKeys": removed})
        return Physical(arn, request.attributes)

    def delete(self, request: Request) -> None:
        request.call("sns", "DeleteTopic", {"TopicArn": request.physical_id})


class Subscription(Provider):
    """AWS::SNS::Subscription; Ref is its ARN."""

    type = "AWS::SNS::Subscription"
    gone = _GONE
    _settings = ("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
    supported = frozenset({*_settings, "Endpoint", "Protocol", "TopicArn"})
    attributes = frozenset({"Arn"})

    def create(self, request: Request) -> Physical:
        params = pick(request.properties, "TopicArn", "Protocol", "Endpoint")
        settings = _attribute_texts(request.properties, self._settings)
        params |= {"ReturnSubscriptionArn": True} | ({"Attributes": settings} if settings else {})
        arn = request.call("sns", "Subscribe", params)["SubscriptionArn"]
        return Physical(arn, {"Arn": arn})

    def update(self, request: Request) -> Physical:
        old = _attribute_texts(request.previous, self._settings)
        new = _attribute_texts(request.properties, self._settings)
        for name in dict.fromkeys((*old, *new)):
            if old.get(name) != new.get(name):
                value = new.get(name, "false" if name == "RawMessageDelivery" else "{}")
                params = {
                    "SubscriptionArn": request.physical_id,
                    "AttributeName": name,
                    "AttributeValue": value,
                }
                request.call("sns", "SetSubscriptionAttributes", params)
        return Physical(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        request.call("sns", "Unsubscribe", {"SubscriptionArn": request.physical_id})


class TopicPolicy(Provider):
    """AWS::SNS::TopicPolicy. Deleting it brings back the policy that SNS gives a new topic."""

    type = "AWS::SNS::TopicPolicy"
    gone = _GONE
    supported = frozenset({"PolicyDocument", "Topics"})
    attributes = frozenset({"Id"})

    def create(self, request: Request) -> Physical:
        physical_id = request.name("", 64)
        physical = request.claim(physical_id, {"Id": physical_id})
        self._put(request)
        return physical

    def update(self, request: Request) -> Physical:
        self._put(request)
        for arn in request.previous["Topics"]:
            if arn not in request.properties["Topics"]:
                _set_topic_policy(request, arn, _default_topic_policy(request, arn))
        return Physical(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        for arn in request.properties["Topics"]:
            _set_topic_policy(request, arn, _default_topic_policy(request, arn))

    def _put(self, request: Request) -> None:
        for arn in request.properties["Topics"]:
            _set_topic_policy(request, arn, request.properties["PolicyDocument"])


def _set_topic_policy(request: Request, arn: str, policy: Any) -> None:
    params = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": document(policy)}
    request.call("sns", "SetTopicAttributes", params)


def _default_topic_policy(request: Request, arn: str) -> dict[str, Any]:
    verbs = (
        "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe",
        "ListSubscriptionsByTopic", "Publish",
    )  # fmt: skip
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{verb}" for verb in verbs],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": request.scope.account}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}


class Queue(Provider):
    """AWS::SQS::Queue; Ref is its URL."""

    type = "AWS::SQS::Queue"
    name_property = "QueueName"
    gone = _GONE
    _settings = (
        "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoThroughputLimit",
        "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled",
        "VisibilityTimeout",
    )  # fmt: skip
    _defaults = {  # noqa: RUF012 - read only
        "DelaySeconds": "0", "KmsDataKeyReusePeriodSeconds": "300", "MaximumMessageSize": "262144",
        "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }  # fmt: skip
    supported = frozenset({*_settings, "FifoQueue", "QueueName", "Tags"})
    attributes = frozenset({"Arn", "QueueName", "QueueUrl"})

    def create(self, request: Request) -> Physical:
        name = request.name("QueueName", 80)
        params = {
            "QueueName": name,
            "Attributes": _attribute_texts(request.properties, (*self._settings, "FifoQueue")),
        }
        tags = tag_map(request.properties.get("Tags"))
        url = request.call("sqs", "CreateQueue", params | ({"tags": tags} if tags else {}))["QueueUrl"]
        return Physical(url, {"Arn": request.scope.arn("sqs", name), "QueueName": name, "QueueUrl": url})

    def update(self, request: Request) -> Physical:
        url = request.physical_id
        old = _attribute_texts(request.previous, self._settings)
        new = _attribute_texts(request.properties, self._settings)
        changed = {
            name: new.get(name, self._defaults.get(name, ""))
            for name in dict.fromkeys((*old, *new))
            if old.get(name) != new.get(name)
        }
        if changed:
            request.call("sqs", "SetQueueAttributes", {"QueueUrl": url, "Attributes": changed})
        tags, removed = request.tag_changes()
        if tags:
            request.call("sqs", "TagQueue", {"QueueUrl": url, "Tags": tags})
        if removed:
            request.call("sqs", "UntagQueue", {"QueueUrl": url, "TagKeys": removed})
        return Physical(url, request.attributes)

    def delete(self, request: Request) -> None:
        request.call("sqs", "DeleteQueue", {"QueueUrl": request.physical_id})


class QueuePolicy(Provider):
    """AWS::SQS::QueuePolicy."""

    type = "AWS::SQS::QueuePolicy"
    gone = _GONE
    supported = frozenset({"PolicyDocument", "Queues"})
    attributes = frozenset({"Id"})

    def create(self, request: Request) -> Physical:
        physical_id = request.name("", 64)
        physical = request.claim(physical_id, {"Id": physical_id})
        self._put(request, request.properties["Queues"], document(request.properties["PolicyDocument"]))
        return physical

    def update(self, request: Request) -> Physical:
        self._put(request, request.properties["Queues"], document(request.properties["PolicyDocument"]))
        self._put(
            request,
            [url for url in request.previous["Queues"] if url not in request.properties["Queues"]],
            "",
        )
        return Physical(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        self._put(request, request.properties["Queues"], "")

    def _put(self, request: Request, urls: list[str], policy: str) -> None:
        for url in urls:
            request.call("sqs", "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}})


PROVIDERS = (Topic(), Subscription(), TopicPolicy(), Queue(), QueuePolicy())
