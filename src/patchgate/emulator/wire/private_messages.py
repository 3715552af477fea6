"""What messages and alarms need of moto that is no documented interface: the rest of wire/private.py, each with a test.

==============================================  ====================================================================
name                                            what the door needs it for
==============================================  ====================================================================
``moto.cloudwatch.models.Alarm``                its ``state_value``: a new alarm has insufficient data
``moto.cloudwatch.models.CloudWatchBackend``    ``put_metric_alarm`` forgets the state of an alarm, and
                                                ``delete_alarms`` takes names that there are none of: both replaced
``moto.sqs.models.SQSBackend``                  ``send_message`` counts letters instead of bytes, ``get_queue`` keeps
                                                what is over: replaced, with a queue's ``_messages`` and
                                                ``pending_messages``
``moto.sns.models.SNSBackend.publish``          takes empty messages, and looks for an endpoint when there is no topic
``moto.sns.models.SNSBackend.get_topic``        what ``publish`` looks for
``moto.sns.models.Subscription``                ``get_post_data`` signs with a key of the system's chance, ``publish``
                                                posts to the web and knows moto's functions only: both replaced, with
                                                ``_filter_policy_matcher`` and ``_parse_message_structure``
==============================================  ====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import moto.cloudwatch.models
import moto.core.utils
import moto.sns.models
import moto.sqs.models

from patchgate.emulator.alarm_actions import UNEVALUATED
from patchgate.emulator.errors import AwsError
from patchgate.emulator.messages import check_notification, check_queue_message, notification, topic_not_found
from patchgate.emulator.sdk_private import replaced


@contextmanager
def alarms_without_data() -> Iterator[None]:
    """moto's alarms begin as AWS's do, with insufficient data; moto says OK. Put again, an alarm keeps its state."""
    original = moto.cloudwatch.models.Alarm.__init__

    def begin(alarm: Any, *args: Any, **named: Any) -> None:
        original(alarm, *args, **named)
        alarm.state_value, alarm.state_reason = "INSUFFICIENT_DATA", UNEVALUATED

    backends = moto.cloudwatch.models.CloudWatchBackend
    put, delete = backends.put_metric_alarm, backends.delete_alarms

    def delete_alarms(backend: Any, alarm_names: list[str]) -> None:
        if not all(name in backend.alarms for name in alarm_names):
            raise moto.cloudwatch.models.ResourceNotFound
        delete(backend, alarm_names)

    def put_metric_alarm(backend: Any, *args: Any, **named: Any) -> Any:
        there = backend.alarms.get(named["name"])
        made = put(backend, *args, **named)
        for name in ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp", "history"):
            if there is not None:
                setattr(made, name, getattr(there, name))
        return made

    with (
        replaced(moto.cloudwatch.models.Alarm, "__init__", begin),
        replaced(backends, "put_metric_alarm", put_metric_alarm),
        replaced(backends, "delete_alarms", delete_alarms),
    ):
        yield


@contextmanager
def checked_messages() -> Iterator[None]:
    """SNS and SQS refuse what ``emulator.messages`` refuses."""
    publish, send = moto.sns.models.SNSBackend.publish, moto.sqs.models.SQSBackend.send_message

    def publish_checked(backend: Any, message: str, arn: str | None, *others: Any, **named: Any) -> Any:
        if arn and "/" not in arn:  # an endpoint of an application has one
            try:
                backend.get_topic(arn)
            except moto.sns.models.TopicNotFound:
                raise topic_not_found() from None
        try:
            check_notification(message or "", named.get("subject") or "")
        except AwsError as error:  # as moto's, because a batch goes on with its other entries
            raise moto.sns.models.InvalidParameterValue(error.message) from error
        return publish(backend, message, arn, *others, **named)

    def send_checked(backend: Any, queue_name: str, body: str, *others: Any, **named: Any) -> Any:
        queue = backend.get_queue(queue_name)
        attributes, delay = named.get("message_attributes") or {}, int(named.get("delay_seconds") or 0)
        check_queue_message(body or "", attributes, delay, queue.maximum_message_size)
        return send(backend, queue_name, body, *others, **named)

    with (
        replaced(moto.sns.models.SNSBackend, "publish", publish_checked),
        replaced(moto.sqs.models.SQSBackend, "send_message", send_checked),
    ):
        yield


@contextmanager
def kept_messages() -> Iterator[None]:
    """A queue's messages are gone when their retention is over; moto goes on counting them."""
    find = moto.sqs.models.SQSBackend.get_queue

    def get_queue(backend: Any, queue_name: str) -> Any:
        queue = find(backend, queue_name)
        oldest = moto.core.utils.unix_time_millis() - int(queue.message_retention_period) * 1000
        for message in [item for item in queue._messages if item.sent_timestamp < oldest]:  # noqa: SLF001
            queue.pending_messages.discard(message)
            queue._messages.remove(message)  # noqa: SLF001
        return queue

    with replaced(moto.sqs.models.SQSBackend, "get_queue", get_queue):
        yield


@contextmanager
def delivered_notifications(invoke: Callable[[str, dict[str, Any], str], None]) -> Iterator[None]:
    """What a topic hands on is what ``emulator.messages`` says.

    ``invoke(function, notification, subscription)`` is for functions, of which moto's SNS knows its own only. Addresses
    on the web get nothing: nobody can confirm them here.
    """
    deliver = moto.sns.models.Subscription.publish

    def publish(subscription: Any, message: str, message_id: str, *others: Any, **named: Any) -> None:
        if subscription.protocol in ("http", "https"):
            return
        if subscription.protocol != "lambda":
            deliver(subscription, message, message_id, *others, **named)
            return
        attributes, matcher = named.get("message_attributes"), subscription._filter_policy_matcher  # noqa: SLF001
        if matcher is not None and not matcher.matches(attributes, message):
            return
        if named.get("message_structure") == "json":
            message = subscription._parse_message_structure(message, "lambda")  # noqa: SLF001
        subject = named.get("subject")
        envelope = get_post_data(subscription, message, message_id, subject, message_attributes=attributes)
        invoke(subscription.endpoint, envelope, subscription.arn)

    def get_post_data(subscription: Any, message: str, message_id: str, subject: str | None, **named: Any) -> Any:
        return notification(
            topic=subscription.topic.arn,
            subscription=subscription.arn,
            message_id=message_id,
            message=message,
            subject=subject,
            attributes=named.get("message_attributes"),
            now=moto.core.utils.utcnow(),
        )

    with (
        replaced(moto.sns.models.Subscription, "get_post_data", get_post_data),
        replaced(moto.sns.models.Subscription, "publish", publish),
    ):
        yield
