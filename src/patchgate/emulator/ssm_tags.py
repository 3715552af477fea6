"""Tags of Systems Manager resources.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_constraints import one_of, required, tag_map
from patchgate.emulator.ssm_parameters import Parameters

MAXIMUM_TAGS = 50
_TYPES = (
    "Document",
    "ManagedInstance",
    "MaintenanceWindow",
    "Parameter",
    "PatchBaseline",
    "OpsItem",
    "OpsMetadata",
    "Automation",
    "Association",
)
_LOOK_UPS = {
    "Document": ("DescribeDocument", "Name"),
    "MaintenanceWindow": ("GetMaintenanceWindow", "WindowId"),
    "Parameter": ("GetParameter", "Name"),
    "PatchBaseline": ("GetPatchBaseline", "BaselineId"),
    "Automation": ("GetAutomationExecution", "AutomationExecutionId"),
}


class ResourceTags(Component):
    """Tags by resource type and id. Components put them on creation and forget them on deletion."""

    service: ClassVar[str] = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._tags: dict[tuple[str, str], dict[tuple[str, str], dict[str, str]]] = {}

    def put(self, scope: Scope, resource_type: str, resource_id: str, tags: Mapping[str, str]) -> None:
        """Add tags to a resource, or overwrite those of the same key; AwsError TooManyTagsError beyond 50."""
        live = self._live(scope, resource_type, resource_id)
        if len(live | dict(tags)) > MAXIMUM_TAGS:
            raise AwsError("TooManyTagsError", f"A resource has at most {MAXIMUM_TAGS} tags.")
        live.update(tags)

    def forget(self, scope: Scope, resource_type: str, resource_id: str) -> None:
        """Drop the tags of a resource that is gone."""
        self._tags.get(scope.key, {}).pop((resource_type, resource_id), None)

    def of(self, scope: Scope, resource_type: str, resource_id: str) -> dict[str, str]:
        """The tags of a resource."""
        return dict(self._live(scope, resource_type, resource_id))

    def listed(self, scope: Scope, resource_type: str, resource_id: str) -> list[dict[str, str]]:
        """The tags in the form of AWS's lists, by key."""
        return [
            {"Key": key, "Value": value} for key, value in sorted(self.of(scope, resource_type, resource_id).items())
        ]

    @operation("AddTagsToResource")
    def add_tags_to_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html"""
        required(params, "ResourceType", "ResourceId", "Tags")
        kind, resource_id = self._resource(scope, params)
        self.put(scope, kind, resource_id, tag_map(params["Tags"]))
        return {}

    @operation("RemoveTagsFromResource")
    def remove_tags_from_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RemoveTagsFromResource.html"""
        required(params, "ResourceType", "ResourceId", "TagKeys")
        kind, resource_id = self._resource(scope, params)
        tags = self._live(scope, kind, resource_id)
        for key in params["TagKeys"]:
            tags.pop(str(key), None)
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListTagsForResource.html"""
        required(params, "ResourceType", "ResourceId")
        kind, resource_id = self._resource(scope, params)
        return {"TagList": self.listed(scope, kind, resource_id)}

    def _live(self, scope: Scope, resource_type: str, resource_id: str) -> dict[str, str]:
        """The tags themselves; those of parameters belong to Parameter Store."""
        if resource_type == "Parameter":
            return self.cloud.component(Parameters).tags(scope, resource_id)
        return self._tags.setdefault(scope.key, {}).setdefault((resource_type, resource_id), {})

    def _resource(self, scope: Scope, params: Params) -> tuple[str, str]:
        kind, resource_id = str(one_of(params, "ResourceType", _TYPES)), str(params["ResourceId"])
        if kind not in _LOOK_UPS:
            raise NotEmulatedError(f"tags of {kind} resources")
        name, member = _LOOK_UPS[kind]
        try:
            self.cloud.invoke(scope.as_principal(""), self.service, name, {member: resource_id})
        except NotEmulatedError:
            raise
        except AwsError:
            raise AwsError("InvalidResourceId", f"The resource ID {resource_id} is not valid.") from None
        return kind, resource_id
