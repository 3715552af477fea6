"""AWS::KMS::*."""

from __future__ import annotations

from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Provider,
    Request,
    document,
    pick,
    tag_map,
)

_GONE = frozenset({"NotFoundException"})


class Key(Provider):
    """AWS::KMS::Key; Ref is its id. Deleting it schedules its deletion, as CloudFormation does."""

    type = "AWS::KMS::Key"
    gone = _GONE
    supported = frozenset({
        "Description", "Enabled", "EnableKeyRotation", "KeyPolicy", "KeySpec", "KeyUsage", "MultiRegion",
        "PendingWindowInDays", "Tags",
    })  # fmt: skip
    attributes = frozenset({"Arn", "KeyId"})

    def create(self, request: Request) -> Physical:
        params = pick(request.properties, "Description", "KeySpec", "KeyUsage", "MultiRegion")
        if "KeyPolicy" in request.properties:
            params["Policy"] = document(request.properties["KeyPolicy"])
        tags = _tags(tag_map(request.properties.get("Tags")))
        key = request.call("kms", "CreateKey", params | ({"Tags": tags} if tags else {}))["KeyMetadata"]
        physical = request.claim(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})
        self._switch(request, key["KeyId"])
        return physical

    def update(self, request: Request) -> Physical:
        key = {"KeyId": request.physical_id}
        if request.changed("Description"):
            request.call(
                "kms",
                "UpdateKeyDescription",
                key | {"Description": request.properties.get("Description", "")},
            )
        if request.changed("KeyPolicy") and "KeyPolicy" in request.properties:
            policy = {"PolicyName": "default", "Policy": document(request.properties["KeyPolicy"])}
            request.call("kms", "PutKeyPolicy", key | policy)
        tags, removed = request.tag_changes()
        if tags:
            request.call("kms", "TagResource", key | {"Tags": _tags(tags)})
        if removed:
            request.call("kms", "UntagResource", key | {"TagKeys": removed})
        self._switch(request, request.physical_id)
        return Physical(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        days = request.properties.get("PendingWindowInDays", 30)
        request.call("kms", "ScheduleKeyDeletion", {"KeyId": request.physical_id, "PendingWindowInDays": days})

    def _switch(self, request: Request, key: str) -> None:
        for name, noun, default in (("EnableKeyRotation", "KeyRotation", False), ("Enabled", "Key", True)):
            new = request.properties.get(name, default)
            if request.previous.get(name, default) != new:
                request.call("kms", f"{'Enable' if new else 'Disable'}{noun}", {"KeyId": key})


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


class Alias(Provider):
    """AWS::KMS::Alias; Ref is its name."""

    type = "AWS::KMS::Alias"
    name_property = "AliasName"
    gone = _GONE
    supported = frozenset({"AliasName", "TargetKeyId"})

    def create(self, request: Request) -> Physical:
        request.call("kms", "CreateAlias", pick(request.properties, "AliasName", "TargetKeyId"))
        return Physical(request.properties["AliasName"])

    def update(self, request: Request) -> Physical:
        request.call("kms", "UpdateAlias", pick(request.properties, "AliasName", "TargetKeyId"))
        return Physical(request.physical_id)

    def delete(self, request: Request) -> None:
        request.call("kms", "DeleteAlias", {"AliasName": request.physical_id})


PROVIDERS = (Key(), Alias())
