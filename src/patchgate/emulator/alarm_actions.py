"""What an alarm does when its state changes, alike behind both doors, and what is said of alarms that nobody evaluates.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html

Assumption: the members of the notification and its subject, which AWS shows in examples only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.regions import describe_region

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud, Scope

UNEVALUATED = (
    "Unchecked: Initial alarm creation. The embedded AWS evaluates no metrics: SetAlarmState changes this state."
)
"""The StateReason of an alarm that is new: AWS's, and why it will stay."""

_ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_SUBJECT_LENGTH = 100
Alarm = Mapping[str, Any]
"""An alarm as DescribeAlarms returns it."""


def topics_of(alarm: Alarm, state: str) -> list[str]:
    """The topics that hear of a change to ``state``: none when nothing changes, or actions are disabled.

    NotEmulatedError for an action that is no topic.
    """
    if alarm["StateValue"] == state or not alarm.get("ActionsEnabled", True):
        return []
    actions = list(alarm.get(_ACTIONS[state]) or ())
    others = [action for action in actions if ":sns:" not in action]
    if others:
        raise NotEmulatedError(f"the alarm actions {', '.join(others)} (alarm {alarm['AlarmName']})")
    return actions


def notify(cloud: Cloud, scope: Scope, alarm: Alarm, topics: list[str], state: str, reason: str) -> None:
    """Tell the topics of a change; ``alarm`` is as it was before."""
    place = describe_region(scope.region)
    subject = f'{state}: "{alarm["AlarmName"]}" in {place}'[:_SUBJECT_LENGTH]
    message = json.dumps(_notification(cloud.now, scope, alarm, state, reason, place))
    for topic in topics:
        params = {"TopicArn": topic, "Subject": subject, "Message": message}
        cloud.invoke(type(scope)(scope.account, scope.region), "sns", "Publish", params)


def _notification(now: datetime, scope: Scope, alarm: Alarm, state: str, reason: str, place: str) -> dict[str, Any]:
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": scope.account,
        "AlarmConfigurationUpdatedTimestamp": _instant(alarm["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": _instant(now),
        "Region": place,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": alarm["StateValue"],
        **{name: list(alarm.get(name) or ()) for name in ("OKActions", "AlarmActions", "InsufficientDataActions")},
        "Trigger": {
            "MetricName": alarm.get("MetricName"),
            "Namespace": alarm.get("Namespace"),
            "StatisticType": "ExtendedStatistic" if alarm.get("ExtendedStatistic") else "Statistic",
            "Statistic": str(alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "").upper(),
            "Unit": alarm.get("Unit"),
            "Dimensions": [{"value": each["Value"], "name": each["Name"]} for each in alarm.get("Dimensions") or ()],
            "Period": alarm.get("Period"),
            "EvaluationPeriods": alarm.get("EvaluationPeriods"),
            "ComparisonOperator": alarm.get("ComparisonOperator"),
            "Threshold": float(alarm["Threshold"]) if "Threshold" in alarm else None,
            "TreatMissingData": alarm.get("TreatMissingData") or "",
            "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile") or "",
        },
    }


def _instant(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}+0000"
