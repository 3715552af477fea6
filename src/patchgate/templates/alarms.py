"""Who is told: the topic, and the alarms on errors, failures, silence, missed cycles and windows left open.

Alarms cannot publish to a topic encrypted with AWS's own SNS key: without a customer key the topic is not encrypted,
and a customer key has to admit cloudwatch.amazonaws.com.
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
"""

from __future__ import annotations

from typing import Any

from patchgate.plan import names
from patchgate.templates.intrinsics import Node, get_att, ref, sub, when
from patchgate.templates.parameters import Group, Parameter, is_given
from patchgate.templates.policies import policy

LOG_RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""The days that CloudWatch Logs takes.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
"""

GROUP = Group(
    "Notification",
    (
        Parameter("NotificationEmail", "Address that is told; blank: none.", default="", pattern="^$|^[^@ ]+@[^@ ]+$"),
        Parameter("LogRetentionDays", "Days for which the functions' logs are kept.", "Number", 365, LOG_RETENTIONS),
    ),
)
CONDITIONS = {"HasEmail": is_given("NotificationEmail")}

HOURS_OF_SILENCE = 26
"""Hours without a daily watchdog before its alarm: one day, the hour of a DST change, and one of slack."""


def build_alarm_resources() -> dict[str, Node]:
    """logical id -> resource."""
    return {
        "NotificationTopic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "TopicName": sub(names.TOPIC.as_sub()),
                "KmsMasterKeyId": when("HasKey", ref("KmsKeyArn")),
            },
        },
        "NotificationTopicPolicy": _topic_policy(),
        "NotificationSubscription": {
            "Type": "AWS::SNS::Subscription",
            "Condition": "HasEmail",
            "Properties": {
                "TopicArn": ref("NotificationTopic"),
                "Protocol": "email",
                "Endpoint": ref("NotificationEmail"),
            },
        },
        "FailureQueueAlarm": _alarm(
            "failures",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": get_att("FailureQueue", "QueueName")},
        ),
        "CyclesWithoutVerdictAlarm": _gate_alarm("cycles-without-verdict", "CyclesWithoutVerdict"),
        "WatchdogSilentAlarm": _gate_alarm(
            "watchdog-silent",
            "WatchdogRan",
            Period=3600,
            EvaluationPeriods=HOURS_OF_SILENCE,
            ComparisonOperator="LessThanThreshold",
            TreatMissingData="breaching",
        ),
    }


def _gate_alarm(name: str, metric: str, **settings: Any) -> Node:
    lane = {"OperatingSystem": ref("TargetOperatingSystem"), "Environment": ref("Environment")}
    return _alarm(name, "patchgate", metric, lane, **settings)


def _alarm(name: str, namespace: str, metric: str, dimensions: Node, **settings: Any) -> Node:
    """An alarm as soon as the sum over a period is at least one, unless `settings` says otherwise."""
    properties: Node = {
        "AlarmName": sub(names.ALARM.as_sub(alarm=name)),
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [ref("NotificationTopic")],
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties | settings}


def _topic_policy() -> Node:
    statement: Node = {
        "Sid": "AllowAlarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": ref("NotificationTopic"),
        "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
    }
    return {
        "Type": "AWS::SNS::TopicPolicy",
        "Properties": {"Topics": [ref("NotificationTopic")], "PolicyDocument": policy([statement])},
    }
