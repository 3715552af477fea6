"""SNS: topics, subscriptions and messages; queues of the cloud get theirs.

https://docs.aws.amazon.com/sns/latest/api/API_Operations.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.light.requests import refuse_others
from patchgate.emulator.messages import body_of, check_notification, notification, topic_not_found
from patchgate.emulator.numbered_ids import NumberedIds
from patchgate.emulator.topic_functions import invoke_subscriber

_SETTINGS = {"DisplayName", "KmsMasterKeyId", "Policy", "SignatureVersion", "TracingConfig"}
_SUBSCRIPTION_SETTINGS = {"RawMessageDelivery"}
_CONFIRMED = ("sqs", "lambda")


@dataclass(slots=True)
class Subscription:
    """One endpoint of a topic."""

    arn: str
    protocol: str
    endpoint: str
    attributes: dict[str, str]


@dataclass(slots=True)
class Topic:
    """One topic."""

    arn: str
    attributes: dict[str, str]
    tags: dict[str, str]
    subscriptions: dict[str, Subscription] = field(default_factory=dict)


class Sns(Component):
    """Topics by ARN. What a topic's policy says is kept and not read."""

    service = "sns"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._topics: dict[str, Topic] = {}
        self._ids = NumberedIds(cloud.seed, self.service)

    @operation("CreateTopic")
    def create_topic(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "sns:CreateTopic", ("Name", "Attributes", "Tags"))
        attributes = dict(params.get("Attributes", {}))
        refuse_others(attributes, "sns:CreateTopic", _SETTINGS)
        arn = scope.arn("sns", params["Name"])
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}
        self._topics.setdefault(arn, Topic(arn, attributes, tags))
        return {"TopicArn": arn}

    @operation("DeleteTopic")
    def delete_topic(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        self._topics.pop(params["TopicArn"], None)
        return {}

    @operation("ListTopics")
    def list_topics(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        place = scope.arn("sns", "")
        return {"Topics": [{"TopicArn": arn} for arn in sorted(self._topics) if arn.startswith(place)]}

    @operation("GetTopicAttributes")
    def get_topic_attributes(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        topic = self._topic(params["TopicArn"])
        pending = sum(s.protocol not in _CONFIRMED for s in topic.subscriptions.values())
        counts = {
            "SubscriptionsPending": str(pending),
            "SubscriptionsConfirmed": str(len(topic.subscriptions) - pending),
            "SubscriptionsDeleted": "0",
        }
        own = {"TopicArn": topic.arn, "Owner": topic.arn.split(":")[4], "DisplayName": ""}
        return {"Attributes": own | counts | topic.attributes}

    @operation("SetTopicAttributes")
    def set_topic_attributes(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        refuse_others({params["AttributeName"]: ""}, "sns:SetTopicAttributes", _SETTINGS)
        self._topic(params["TopicArn"]).attributes[params["AttributeName"]] = params.get("AttributeValue", "")
        return {}

    @operation("TagResource")
    def tag_resource(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        tags = {tag["Key"]: tag["Value"] for tag in params["Tags"]}
        self._topic(params["ResourceArn"], "ResourceNotFound").tags.update(tags)
        return {}

    @operation("UntagResource")
    def untag_resource(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        tags = self._topic(params["ResourceArn"], "ResourceNotFound").tags
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        tags = self._topic(params["ResourceArn"], "ResourceNotFound").tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    @operation("Subscribe")
    def subscribe(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        known = ("TopicArn", "Protocol", "Endpoint", "Attributes", "ReturnSubscriptionArn")
        refuse_others(params, "sns:Subscribe", known)
        attributes = dict(params.get("Attributes", {}))
        refuse_others(attributes, "sns:Subscribe", _SUBSCRIPTION_SETTINGS)
        topic, protocol, endpoint = self._topic(params["TopicArn"]), params["Protocol"], params.get("Endpoint", "")
        there = [s for s in topic.subscriptions.values() if (s.protocol, s.endpoint) == (protocol, endpoint)]
        arn = there[0].arn if there else f"{topic.arn}:{self._ids.draw()}"
        topic.subscriptions.setdefault(arn, Subscription(arn, protocol, endpoint, attributes))
        is_shown = protocol in _CONFIRMED or params.get("ReturnSubscriptionArn")
        return {"SubscriptionArn": arn if is_shown else "pending confirmation"}

    @operation("Unsubscribe")
    def unsubscribe(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        topic = self._topics.get(params["SubscriptionArn"].rpartition(":")[0])
        if topic is not None:
            topic.subscriptions.pop(params["SubscriptionArn"], None)
        return {}

    @operation("SetSubscriptionAttributes")
    def set_subscription_attributes(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        refuse_others({params["AttributeName"]: ""}, "sns:SetSubscriptionAttributes", _SUBSCRIPTION_SETTINGS)
        arn = params["SubscriptionArn"]
        found = self._topic(arn.rpartition(":")[0]).subscriptions.get(arn)
        if found is None:
            raise AwsError("NotFound", "Subscription does not exist", status=404)
        found.attributes[params["AttributeName"]] = params.get("AttributeValue", "")
        return {}

    @operation("ListSubscriptionsByTopic")
    def list_subscriptions_by_topic(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        topic = self._topic(params["TopicArn"])
        return {"Subscriptions": [_shape(topic, item) for item in topic.subscriptions.values()]}

    @operation("Publish")
    def publish(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "sns:Publish", ("TopicArn", "TargetArn", "Message", "Subject", "MessageAttributes"))
        arn = params.get("TopicArn") or params.get("TargetArn") or ""
        topic = self._topic(arn)
        check_notification(params["Message"], params.get("Subject", ""))
        if any(value["DataType"].startswith("Binary") for value in params.get("MessageAttributes", {}).values()):
            raise NotEmulatedError("sns:Publish with MessageAttributes of the type Binary")
        message_id = self._ids.draw()
        for subscription in topic.subscriptions.values():
            self._deliver(scope, topic, subscription, params, message_id)
        return {"MessageId": message_id}

    def _deliver(self, scope: Scope, topic: Topic, to: Subscription, params: Params, message_id: str) -> None:
        """To queues and functions; nobody reads mail here, and nobody confirms an address on the web."""
        if to.protocol not in _CONFIRMED:
            return
        _, _, _, region, account, queue = to.endpoint.split(":", 5)
        given = params.get("MessageAttributes", {})
        envelope = notification(
            topic=topic.arn,
            subscription=to.arn,
            message_id=message_id,
            message=params["Message"],
            subject=params.get("Subject"),
            attributes={name: {"Type": v["DataType"], "Value": v["StringValue"]} for name, v in given.items()},
            now=self.cloud.now,
        )
        if to.protocol == "lambda":
            invoke_subscriber(self.cloud, to.endpoint, envelope, to.arn)
            return
        message = {"MessageBody": params["Message"], **({"MessageAttributes": given} if given else {})}
        if to.attributes.get("RawMessageDelivery") != "true":
            message = {"MessageBody": body_of(envelope)}
        there = type(scope)(account, region)
        url = self.cloud.neighbour.call(there, "sqs", "GetQueueUrl", {"QueueName": queue})["QueueUrl"]
        self.cloud.neighbour.call(there, "sqs", "SendMessage", {"QueueUrl": url, **message})

    def _topic(self, arn: str, code: str = "NotFound") -> Topic:
        topic = self._topics.get(arn)
        if topic is None:
            raise topic_not_found(code)
        return topic


def _shape(topic: Topic, subscription: Subscription) -> dict[str, Any]:
    arn = subscription.arn if subscription.protocol in _CONFIRMED else "PendingConfirmation"
    owner = topic.arn.split(":")[4]
    return {
        "SubscriptionArn": arn,
        "Owner": owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": topic.arn,
    }
