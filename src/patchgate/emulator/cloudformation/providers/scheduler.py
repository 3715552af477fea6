"""AWS::Scheduler::*."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    Request,
    pick,
    tag_list,
)
from patchgate.emulator.errors import AwsError

_GONE = frozenset({"ResourceNotFoundException"})
_DEFAULT_GROUP = "default"


class Schedule(Provider):
    """AWS::Scheduler::Schedule; Ref is its name."""

    type = "AWS::Scheduler::Schedule"
    name_property = "Name"
    gone = _GONE
    _settings = (
        "Description", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "ScheduleExpression",
        "ScheduleExpressionTimezone", "State", "Target",
    )  # fmt: skip
    supported = frozenset({*_settings, "Name", "StartDate", "EndDate"})
    compared = frozenset(_settings) - {"Target", "GroupName"}
    attributes = frozenset({"Arn"})

    def read(self, request: Request) -> Properties:
        group = request.properties.get("GroupName", _DEFAULT_GROUP)
        found = request.call("scheduler", "GetSchedule", {"Name": request.physical_id, "GroupName": group})
        return pick(found, *self.compared)

    def create(self, request: Request) -> Physical:
        name = request.name("Name", 64)
        arn = request.call("scheduler", "CreateSchedule", self._shaped(request.properties, name))["ScheduleArn"]
        return Physical(name, {"Arn": arn})

    def update(self, request: Request) -> Physical:
        name = request.physical_id
        if request.changed("GroupName"):
            raise AwsError("ValidationException", "A schedule cannot move to another schedule group.")
        arn = request.call("scheduler", "UpdateSchedule", self._shaped(request.properties, name))["ScheduleArn"]
        return Physical(name, {"Arn": arn})

    def delete(self, request: Request) -> None:
        group = request.properties.get("GroupName", _DEFAULT_GROUP)
        request.call("scheduler", "DeleteSchedule", {"Name": request.physical_id, "GroupName": group})

    def _shaped(self, properties: Properties, name: str) -> dict[str, Any]:
        dates = {key: _instant(properties[key]) for key in ("StartDate", "EndDate") if key in properties}
        return {"Name": name} | pick(properties, *self._settings) | dates


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise AwsError("ValidationException", f"{text} is not a date and time of ISO 8601.") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


class ScheduleGroup(Provider):
    """AWS::Scheduler::ScheduleGroup; Ref is its name."""

    type = "AWS::Scheduler::ScheduleGroup"
    name_property = "Name"
    gone = _GONE
    supported = frozenset({"Name", "Tags"})
    attributes = frozenset({"Arn", "CreationDate", "LastModificationDate", "State"})

    def create(self, request: Request) -> Physical:
        name = request.name("Name", 64)
        params = {"Name": name} | pick(request.properties, "Tags")
        arn = request.call("scheduler", "CreateScheduleGroup", params)["ScheduleGroupArn"]
        now = request.cloud.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        return Physical(name, {"Arn": arn, "CreationDate": now, "LastModificationDate": now, "State": "ACTIVE"})

    def update(self, request: Request) -> Physical:
        tags, removed = request.tag_changes()
        target = {"ResourceArn": request.attributes["Arn"]}
        if tags:
            request.call("scheduler", "TagResource", target | {"Tags": tag_list(tags)})
        if removed:
            request.call("scheduler", "UntagResource", target | {"TagKeys": removed})
        return Physical(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        request.call("scheduler", "DeleteScheduleGroup", {"Name": request.physical_id})


PROVIDERS = (Schedule(), ScheduleGroup())
