"""Alarms of CloudWatch: kept and described; no metric ever moves them, SetAlarmState does.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from patchgate.emulator.alarm_actions import UNEVALUATED, notify, topics_of
from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError
from patchgate.emulator.light.requests import refuse_others

_SETTINGS = {
    "ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "ComparisonOperator", "DatapointsToAlarm",
    "Dimensions", "EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic",
    "InsufficientDataActions", "MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic", "Threshold",
    "ThresholdMetricId", "TreatMissingData", "Unit",
}  # fmt: skip


@dataclass(slots=True)
class Alarm:
    """One alarm, with the settings that it was put with."""

    arn: str
    settings: dict[str, Any]
    tags: dict[str, str]
    updated: datetime
    state: str = "INSUFFICIENT_DATA"
    reason: str = UNEVALUATED
    reason_data: str = ""
    changed: datetime | None = None
    """When it was last set; None for never."""


class Alarms(Component):
    """Alarms by scope. A new alarm has insufficient data, and stays so until somebody sets its state."""

    service = "cloudwatch"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._alarms: dict[tuple[str, str], dict[str, Alarm]] = {}

    @operation("PutMetricAlarm")
    def put_metric_alarm(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "cloudwatch:PutMetricAlarm", _SETTINGS | {"Tags"})
        alarms, name = self._alarms.setdefault(scope.key, {}), params["AlarmName"]
        settings = {key: deepcopy(value) for key, value in params.items() if key != "Tags"}
        there = alarms.get(name)
        tags = there.tags if there else {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}
        made = Alarm(scope.arn("cloudwatch", f"alarm:{name}"), settings, tags, self.cloud.now)
        if (
            there
        ):  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html: state stays
            made.state, made.reason, made.reason_data = there.state, there.reason, there.reason_data
            made.changed = there.changed or there.updated
        alarms[name] = made
        return {}

    @operation("SetAlarmState")
    def set_alarm_state(self, scope: Scope, params: Params) -> Result:
        alarm = self._alarms.get(scope.key, {}).get(params["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", "Unknown", status=404)
        state, reason, shown = params["StateValue"], params["StateReason"], _shape(alarm)
        topics = topics_of(shown, state)
        alarm.state, alarm.reason, alarm.changed = state, reason, self.cloud.now
        alarm.reason_data = params.get("StateReasonData", "")
        notify(self.cloud, scope, shown, topics, state, reason)
        return {}

    @operation("DescribeAlarms")
    def describe_alarms(self, scope: Scope, params: Params) -> Result:
        known = ("AlarmNames", "AlarmNamePrefix", "StateValue", "MaxRecords", "AlarmTypes")
        refuse_others(params, "cloudwatch:DescribeAlarms", known)
        alarms, wanted = self._alarms.get(scope.key, {}), params.get("AlarmNames")
        names = [
            name
            for name in sorted(alarms)
            if (not wanted or name in wanted) and name.startswith(params.get("AlarmNamePrefix", ""))
        ]
        if "StateValue" in params:
            names = [name for name in names if alarms[name].state == params["StateValue"]]
        return {"CompositeAlarms": [], "MetricAlarms": [_shape(alarms[name]) for name in names]}

    @operation("DeleteAlarms")
    def delete_alarms(self, scope: Scope, params: Params) -> Result:
        alarms = self._alarms.get(scope.key, {})
        if not all(name in alarms for name in params["AlarmNames"]):
            raise AwsError("ResourceNotFound", "Unknown", status=404)
        for name in set(params["AlarmNames"]):
            del alarms[name]
        return {}

    @operation("TagResource")
    def tag_resource(self, scope: Scope, params: Params) -> Result:
        self._by_arn(scope, params).tags.update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {}

    @operation("UntagResource")
    def untag_resource(self, scope: Scope, params: Params) -> Result:
        tags = self._by_arn(scope, params).tags
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, scope: Scope, params: Params) -> Result:
        tags = self._by_arn(scope, params).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _by_arn(self, scope: Scope, params: Params) -> Alarm:
        found = [alarm for alarm in self._alarms.get(scope.key, {}).values() if alarm.arn == params["ResourceARN"]]
        if not found:
            raise AwsError("ResourceNotFoundException", "Unknown", status=404)
        return found[0]


def _shape(alarm: Alarm) -> dict[str, Any]:
    defaults = {"ActionsEnabled": True, "OKActions": [], "AlarmActions": [], "InsufficientDataActions": []}
    state = {
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.updated,
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": alarm.changed or alarm.updated,
    }
    if alarm.reason_data:
        state["StateReasonData"] = alarm.reason_data
    return defaults | {"Dimensions": []} | deepcopy(alarm.settings) | state
