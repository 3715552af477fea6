"""AWS::Events::*."""

from __future__ import annotations

from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    Request,
    pick,
    tag_list,
    tag_map,
)
from patchgate.emulator.errors import AwsError


class Rule(Provider):
    """AWS::Events::Rule on the default bus; Ref is its name."""

    type = "AWS::Events::Rule"
    name_property = "Name"
    gone = frozenset({"ResourceNotFoundException"})
    _settings = ("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State", "EventBusName")
    supported = frozenset({*_settings, "Name", "Tags", "Targets"})
    compared = frozenset({"Description", "ScheduleExpression", "State"})
    attributes = frozenset({"Arn"})

    def create(self, request: Request) -> Physical:
        name = request.name("Name", 64)
        tags = tag_list(tag_map(request.properties.get("Tags"))) or None
        settings = pick(request.properties, *self._settings)
        arn = request.call("events", "PutRule", {"Name": name, **settings, "Tags": tags})["RuleArn"]
        physical = request.claim(name, {"Arn": arn})
        self._put_targets(request, name)
        return physical

    def update(self, request: Request) -> Physical:
        name = request.physical_id
        request.call("events", "PutRule", {"Name": name, **pick(request.properties, *self._settings)})
        kept = {target["Id"] for target in request.properties.get("Targets", ())}
        gone = [target["Id"] for target in request.previous.get("Targets", ()) if target["Id"] not in kept]
        if gone:
            request.call("events", "RemoveTargets", {"Rule": name, "Ids": gone})
        self._put_targets(request, name)
        tags, removed = request.tag_changes()
        target = {"ResourceARN": request.attributes["Arn"]}
        if tags:
            request.call("events", "TagResource", target | {"Tags": tag_list(tags)})
        if removed:
            request.call("events", "UntagResource", target | {"TagKeys": removed})
        return Physical(name, request.attributes)

    def delete(self, request: Request) -> None:
        name = request.physical_id
        targets = [target["Id"] for target in request.properties.get("Targets", ())]
        if targets:
            request.call("events", "RemoveTargets", {"Rule": name, "Ids": targets})
        request.call("events", "DeleteRule", {"Name": name})

    def read(self, request: Request) -> Properties:
        return pick(request.call("events", "DescribeRule", {"Name": request.physical_id}), *self.compared)

    def _put_targets(self, request: Request, name: str) -> None:
        targets = request.properties.get("Targets")
        if not targets:
            return
        answer = request.call("events", "PutTargets", {"Rule": name, "Targets": list(targets)})
        if answer.get("FailedEntryCount"):
            failed = answer["FailedEntries"][0]
            raise AwsError(failed["ErrorCode"], failed["ErrorMessage"])


PROVIDERS = (Rule(),)
