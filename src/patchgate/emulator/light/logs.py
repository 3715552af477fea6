"""CloudWatch Logs: groups, streams and events.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError
from patchgate.emulator.light.requests import milliseconds, refuse_others

Event = tuple[int, str, int]
"""Timestamp and ingestion time in milliseconds since the Unix epoch, the message between them."""


@dataclass(slots=True)
class Stream:
    """One log stream."""

    name: str
    created: int
    events: list[Event] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """One log group. ``retention`` in days, 0 for ever."""

    name: str
    arn: str
    created: int
    key: str = ""
    log_class: str = "STANDARD"
    retention: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)


class Logs(Component):
    """Log groups by scope. Nothing expires."""

    service = "logs"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._groups: dict[tuple[str, str], dict[str, Group]] = {}

    @operation("CreateLogGroup")
    def create_log_group(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "logs:CreateLogGroup", ("logGroupName", "kmsKeyId", "logGroupClass", "tags"))
        groups, name = self._groups.setdefault(scope.key, {}), params["logGroupName"]
        if name in groups:
            raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
        arn = scope.arn("logs", f"log-group:{name}")
        group = groups[name] = Group(name, arn, milliseconds(self.cloud.now), params.get("kmsKeyId", ""))
        group.log_class = params.get("logGroupClass", "STANDARD")
        group.tags.update(params.get("tags", {}))
        return {}

    @operation("DeleteLogGroup")
    def delete_log_group(self, scope: Scope, params: Params) -> Result:
        del self._groups[scope.key][self._group(scope, params).name]
        return {}

    @operation("DescribeLogGroups")
    def describe_log_groups(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "logs:DescribeLogGroups", ("logGroupNamePrefix", "limit"))
        prefix = params.get("logGroupNamePrefix", "")
        groups = self._groups.get(scope.key, {})
        return {"logGroups": [_group_shape(groups[name]) for name in sorted(groups) if name.startswith(prefix)]}

    @operation("PutRetentionPolicy")
    def put_retention_policy(self, scope: Scope, params: Params) -> Result:
        self._group(scope, params).retention = params["retentionInDays"]
        return {}

    @operation("DeleteRetentionPolicy")
    def delete_retention_policy(self, scope: Scope, params: Params) -> Result:
        self._group(scope, params).retention = 0
        return {}

    @operation("AssociateKmsKey")
    def associate_kms_key(self, scope: Scope, params: Params) -> Result:
        self._group(scope, params).key = params["kmsKeyId"]
        return {}

    @operation("DisassociateKmsKey")
    def disassociate_kms_key(self, scope: Scope, params: Params) -> Result:
        self._group(scope, params).key = ""
        return {}

    @operation("TagResource")
    def tag_resource(self, scope: Scope, params: Params) -> Result:
        self._by_arn(scope, params["resourceArn"]).tags.update(params["tags"])
        return {}

    @operation("UntagResource")
    def untag_resource(self, scope: Scope, params: Params) -> Result:
        tags = self._by_arn(scope, params["resourceArn"]).tags
        for key in params["tagKeys"]:
            tags.pop(key, None)
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, scope: Scope, params: Params) -> Result:
        return {"tags": dict(self._by_arn(scope, params["resourceArn"]).tags)}

    @operation("CreateLogStream")
    def create_log_stream(self, scope: Scope, params: Params) -> Result:
        group, name = self._group(scope, params), params["logStreamName"]
        if name in group.streams:
            raise AwsError("ResourceAlreadyExistsException", "The specified log stream already exists")
        group.streams[name] = Stream(name, milliseconds(self.cloud.now))
        return {}

    @operation("DescribeLogStreams")
    def describe_log_streams(self, scope: Scope, params: Params) -> Result:
        known = ("logGroupName", "logStreamNamePrefix", "limit", "orderBy", "descending")
        refuse_others(params, "logs:DescribeLogStreams", known)
        group, prefix = self._group(scope, params), params.get("logStreamNamePrefix", "")
        found = [group.streams[name] for name in sorted(group.streams) if name.startswith(prefix)]
        if params.get("orderBy") == "LastEventTime":
            found.sort(key=lambda stream: stream.events[-1][0] if stream.events else 0)
        if params.get("descending"):
            found.reverse()
        return {"logStreams": [_stream_shape(group, stream) for stream in found[: params.get("limit", 50)]]}

    @operation("PutLogEvents")
    def put_log_events(self, scope: Scope, params: Params) -> Result:
        known = ("logGroupName", "logStreamName", "logEvents", "sequenceToken")
        refuse_others(params, "logs:PutLogEvents", known)
        stream = self._stream(scope, params)
        ingested = milliseconds(self.cloud.now)
        stream.events += [(event["timestamp"], event["message"], ingested) for event in params["logEvents"]]
        return {"nextSequenceToken": f"{len(stream.events):056d}"}

    @operation("GetLogEvents")
    def get_log_events(self, scope: Scope, params: Params) -> Result:
        known = ("logGroupName", "logStreamName", "startTime", "endTime", "startFromHead", "nextToken", "limit")
        refuse_others(params, "logs:GetLogEvents", known)
        events = _between(self._stream(scope, params).events, params)
        if params.get("nextToken"):
            events = []
        shaped = [{"timestamp": at, "message": text, "ingestionTime": ingested} for at, text, ingested in events]
        return {"events": shaped, "nextForwardToken": f"f/{0:056d}", "nextBackwardToken": f"b/{0:056d}"}

    @operation("FilterLogEvents")
    def filter_log_events(self, scope: Scope, params: Params) -> Result:
        known = ("logGroupName", "logStreamNames", "startTime", "endTime", "limit")
        refuse_others(params, "logs:FilterLogEvents", known)
        group = self._group(scope, params)
        names = params.get("logStreamNames") or list(group.streams)
        found = [
            {"logStreamName": name, "timestamp": at, "message": text, "ingestionTime": ingested}
            for name in names
            for at, text, ingested in _between(group.streams[name].events if name in group.streams else [], params)
        ]
        return {"events": sorted(found, key=lambda event: event["timestamp"]), "searchedLogStreams": []}

    def _group(self, scope: Scope, params: Params) -> Group:
        group = self._groups.get(scope.key, {}).get(params["logGroupName"])
        if group is None:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    def _stream(self, scope: Scope, params: Params) -> Stream:
        stream = self._group(scope, params).streams.get(params["logStreamName"])
        if stream is None:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        return stream

    def _by_arn(self, scope: Scope, arn: str) -> Group:
        return self._group(scope, {"logGroupName": arn.split(":", 6)[6].removesuffix(":*")})


def _between(events: list[Event], params: Params) -> list[Event]:
    start, end = params.get("startTime", 0), params.get("endTime")
    return [event for event in events if event[0] >= start and (end is None or event[0] < end)]


def _group_shape(group: Group) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "logGroupName": group.name,
        "creationTime": group.created,
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "logGroupArn": group.arn,
        "logGroupClass": group.log_class,
        "storedBytes": sum(len(text) for stream in group.streams.values() for _, text, _ in stream.events),
    }
    shape |= {"retentionInDays": group.retention} if group.retention else {}
    return shape | ({"kmsKeyId": group.key} if group.key else {})


def _stream_shape(group: Group, stream: Stream) -> dict[str, Any]:
    shape = {"logStreamName": stream.name, "creationTime": stream.created, "storedBytes": 0}
    shape["arn"] = f"{group.arn}:log-stream:{stream.name}"
    if stream.events:
        shape["firstEventTimestamp"], shape["lastEventTimestamp"] = stream.events[0][0], stream.events[-1][0]
        shape["lastIngestionTime"] = stream.events[-1][2]
    return shape
