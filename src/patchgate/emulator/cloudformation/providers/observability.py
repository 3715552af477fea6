"""AWS::Logs::* and AWS::CloudWatch::*."""

from __future__ import annotations

from typing import Any

from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    Request,
    document,
    pick,
    renamed,
    tag_list,
    tag_map,
)

_GONE = frozenset({"ResourceNotFoundException", "ResourceNotFound"})


class LogGroup(Provider):
    """AWS::Logs::LogGroup; Ref is its name, and its ARN ends in ``:*`` as Fn::GetAtt returns it."""

    type = "AWS::Logs::LogGroup"
    name_property = "LogGroupName"
    gone = _GONE
    supported = frozenset({
        "DataProtectionPolicy", "KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags",
    })  # fmt: skip
    attributes = frozenset({"Arn"})

    def create(self, request: Request) -> Physical:
        name, properties = request.name("LogGroupName", 512), request.properties
        request.call("logs", "CreateLogGroup", {
            "logGroupName": name,
            "kmsKeyId": properties.get("KmsKeyId"),
            "logGroupClass": properties.get("LogGroupClass"),
            "tags": tag_map(properties.get("Tags")) or None,
        })  # fmt: skip
        physical = request.claim(name, {"Arn": request.scope.arn("logs", f"log-group:{name}:*")})
        self._configure(request, name)
        return physical

    def update(self, request: Request) -> Physical:
        name, target = request.physical_id, {"logGroupName": request.physical_id}
        if request.changed("KmsKeyId"):
            key = request.properties.get("KmsKeyId")
            operation = "AssociateKmsKey" if key else "DisassociateKmsKey"
            request.call("logs", operation, target | ({"kmsKeyId": key} if key else {}))
        arn = request.attributes["Arn"].removesuffix(":*")
        tags, removed = request.tag_changes()
        if tags:
            request.call("logs", "TagResource", {"resourceArn": arn, "tags": tags})
        if removed:
            request.call("logs", "UntagResource", {"resourceArn": arn, "tagKeys": removed})
        self._configure(request, name)
        return Physical(name, request.attributes)

    def delete(self, request: Request) -> None:
        request.call("logs", "DeleteLogGroup", {"logGroupName": request.physical_id})

    def _configure(self, request: Request, name: str) -> None:
        if request.changed("RetentionInDays"):
            days = request.properties.get("RetentionInDays")
            operation = "PutRetentionPolicy" if days else "DeleteRetentionPolicy"
            request.call("logs", operation, {"logGroupName": name, "retentionInDays": days})
        if request.changed("DataProtectionPolicy"):
            policy = request.properties.get("DataProtectionPolicy")
            operation = "PutDataProtectionPolicy" if policy else "DeleteDataProtectionPolicy"
            text = document(policy) if policy else None
            request.call("logs", operation, {"logGroupIdentifier": name, "policyDocument": text})


_TRANSFORMATION = {
    "MetricName": "metricName",
    "MetricNamespace": "metricNamespace",
    "MetricValue": "metricValue",
    "DefaultValue": "defaultValue",
    "Dimensions": "dimensions",
    "Unit": "unit",
}


class MetricFilter(Provider):
    """AWS::Logs::MetricFilter; Ref is its name."""

    type = "AWS::Logs::MetricFilter"
    name_property = "FilterName"
    gone = _GONE
    supported = frozenset({"FilterName", "FilterPattern", "LogGroupName", "MetricTransformations"})

    def create(self, request: Request) -> Physical:
        return self._put(request, request.name("FilterName", 512))

    def update(self, request: Request) -> Physical:
        return self._put(request, request.physical_id)

    def delete(self, request: Request) -> None:
        params = {"logGroupName": request.properties["LogGroupName"], "filterName": request.physical_id}
        request.call("logs", "DeleteMetricFilter", params)

    def _put(self, request: Request, name: str) -> Physical:
        request.call("logs", "PutMetricFilter", {
            "logGroupName": request.properties["LogGroupName"],
            "filterName": name,
            "filterPattern": request.properties["FilterPattern"],
            "metricTransformations": [_transformation(item) for item in request.properties["MetricTransformations"]],
        })  # fmt: skip
        return Physical(name)


def _transformation(given: Properties) -> dict[str, Any]:
    shaped = renamed(given, _TRANSFORMATION, "AWS::Logs::MetricFilter MetricTransformations")
    if "dimensions" in shaped:
        shaped["dimensions"] = {item["Key"]: item["Value"] for item in shaped["dimensions"]}
    return shaped


class Alarm(Provider):
    """AWS::CloudWatch::Alarm; Ref is its name."""

    type = "AWS::CloudWatch::Alarm"
    note = "The embedded AWS keeps this alarm and does not evaluate it: SetAlarmState changes its state."
    name_property = "AlarmName"
    gone = _GONE
    _settings = (
        "ActionsEnabled", "AlarmActions", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm", "Dimensions",
        "EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions",
        "MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic", "Threshold", "ThresholdMetricId",
        "TreatMissingData", "Unit",
    )  # fmt: skip
    supported = frozenset({*_settings, "AlarmName", "Tags"})
    attributes = frozenset({"Arn"})

    def create(self, request: Request) -> Physical:
        name = request.name("AlarmName", 255)
        self._put(request, name, pick(request.properties, "Tags"))
        return Physical(name, {"Arn": request.scope.arn("cloudwatch", f"alarm:{name}")})

    def update(self, request: Request) -> Physical:
        if request.changed(*self._settings):
            self._put(request, request.physical_id, {})
        tags, removed = request.tag_changes()
        arn = request.attributes["Arn"]
        if tags:
            request.call("cloudwatch", "TagResource", {"ResourceARN": arn, "Tags": tag_list(tags)})
        if removed:
            request.call("cloudwatch", "UntagResource", {"ResourceARN": arn, "TagKeys": removed})
        return Physical(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        request.call("cloudwatch", "DeleteAlarms", {"AlarmNames": [request.physical_id]})

    def _put(self, request: Request, name: str, tags: Properties) -> None:
        settings = pick(request.properties, *self._settings)
        request.call("cloudwatch", "PutMetricAlarm", {"AlarmName": name, **settings, **tags})


PROVIDERS = (LogGroup(), MetricFilter(), Alarm())
