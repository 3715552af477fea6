"""AWS::SSM::PatchBaseline, Document and Parameter."""

from __future__ import annotations

import json
from typing import Any

from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    Request,
    pick,
    tag_list,
)
from patchgate.emulator.errors import NotEmulatedError

_GONE = frozenset({"DoesNotExistException", "InvalidDocument", "ParameterNotFound"})


def update_tags(request: Request, kind: str, resource_id: str) -> None:
    """Bring the tags of an SSM resource (``kind`` as AddTagsToResource names it) to the new properties."""
    tags, removed = request.tag_changes()
    target = {"ResourceType": kind, "ResourceId": resource_id}
    if tags:
        request.call("ssm", "AddTagsToResource", target | {"Tags": tag_list(tags)})
    if removed:
        request.call("ssm", "RemoveTagsFromResource", target | {"TagKeys": removed})


class PatchBaseline(Provider):
    """AWS::SSM::PatchBaseline with its patch groups; Ref is its id."""

    type = "AWS::SSM::PatchBaseline"
    gone = _GONE
    _settings = (
        "Name", "Description", "GlobalFilters", "ApprovalRules", "ApprovedPatches", "ApprovedPatchesComplianceLevel",
        "ApprovedPatchesEnableNonSecurity", "RejectedPatches", "RejectedPatchesAction", "Sources",
        "AvailableSecurityUpdatesComplianceStatus",
    )  # fmt: skip
    supported = frozenset({*_settings, "OperatingSystem", "PatchGroups", "Tags", "DefaultBaseline"})
    attributes = frozenset({"Id"})

    def create(self, request: Request) -> Physical:
        settings = pick(request.properties, *self._settings, "OperatingSystem", "Tags")
        baseline = request.call("ssm", "CreatePatchBaseline", settings)["BaselineId"]
        physical = request.claim(baseline, {"Id": baseline})
        self._register(request, baseline)
        return physical

    def update(self, request: Request) -> Physical:
        baseline = request.physical_id
        if request.changed(*self._settings):
            settings = pick(request.properties, *self._settings)
            request.call("ssm", "UpdatePatchBaseline", {"BaselineId": baseline, **settings, "Replace": True})
        update_tags(request, "PatchBaseline", baseline)
        self._register(request, baseline)
        return Physical(baseline, request.attributes)

    def delete(self, request: Request) -> None:
        baseline = request.physical_id
        for group in request.properties.get("PatchGroups", ()):
            if _baseline_of(request, group) == baseline:
                params = {"BaselineId": baseline, "PatchGroup": group}
                request.call("ssm", "DeregisterPatchBaselineForPatchGroup", params)
        request.call("ssm", "DeletePatchBaseline", {"BaselineId": baseline})

    def _register(self, request: Request, baseline: str) -> None:
        old, new = request.previous.get("PatchGroups", ()), request.properties.get("PatchGroups", ())
        for verb, groups, others in (("Deregister", old, new), ("Register", new, old)):
            for group in groups:
                if group not in others:
                    params = {"BaselineId": baseline, "PatchGroup": group}
                    request.call("ssm", f"{verb}PatchBaselineForPatchGroup", params)
        if request.changed("DefaultBaseline"):
            if not request.properties.get("DefaultBaseline"):
                raise NotEmulatedError("AWS::SSM::PatchBaseline with DefaultBaseline false")
            request.call("ssm", "RegisterDefaultPatchBaseline", {"BaselineId": baseline})


def _baseline_of(request: Request, group: str) -> str:
    system = request.properties.get("OperatingSystem", "WINDOWS")
    params = {"PatchGroup": group, "OperatingSystem": system}
    return str(request.call("ssm", "GetPatchBaselineForPatchGroup", params)["BaselineId"])


class Document(Provider):
    """AWS::SSM::Document; Ref is its name.

    UpdateMethod NewVersion makes a version and the default of it; Replace, the default, replaces the document.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-document.html
    """

    type = "AWS::SSM::Document"
    name_property = "Name"
    gone = _GONE
    _content = ("Content", "DocumentFormat", "TargetType", "VersionName")
    supported = frozenset({*_content, "DocumentType", "Name", "Tags", "UpdateMethod"})

    def create(self, request: Request) -> Physical:
        name = request.name("Name", 128)
        request.call("ssm", "CreateDocument", {
            "Name": name,
            "Content": _content_text(request.properties),
            **pick(request.properties, "DocumentType", "DocumentFormat", "TargetType", "VersionName", "Tags"),
        })  # fmt: skip
        return Physical(name)

    def update(self, request: Request) -> Physical:
        name = request.physical_id
        if request.changed(*self._content):
            answer = request.call("ssm", "UpdateDocument", {
                "Name": name,
                "Content": _content_text(request.properties),
                "DocumentVersion": "$LATEST",
                **pick(request.properties, "DocumentFormat", "TargetType", "VersionName"),
            })  # fmt: skip
            version = answer["DocumentDescription"]["DocumentVersion"]
            request.call("ssm", "UpdateDocumentDefaultVersion", {"Name": name, "DocumentVersion": version})
        update_tags(request, "Document", name)
        return Physical(name)

    def delete(self, request: Request) -> None:
        request.call("ssm", "DeleteDocument", {"Name": request.physical_id})

    def replaces(self, old: Properties, new: Properties) -> bool:
        differs = any(old.get(name) != new.get(name) for name in self._content)
        return differs and new.get("UpdateMethod", "Replace") == "Replace"


def _content_text(properties: Properties) -> str:
    content = properties["Content"]
    if isinstance(content, str):
        return content
    if properties.get("DocumentFormat", "JSON") != "JSON":
        raise NotEmulatedError("AWS::SSM::Document with Content as an object in a format other than JSON")
    return json.dumps(content)


class Parameter(Provider):
    """AWS::SSM::Parameter; Ref is its name."""

    type = "AWS::SSM::Parameter"
    name_property = "Name"
    gone = _GONE
    _settings = ("Value", "Type", "Description", "AllowedPattern", "Tier", "Policies", "DataType")
    supported = frozenset({*_settings, "Name", "Tags"})
    compared = frozenset({"Value", "Type"})
    attributes = frozenset({"Type", "Value", "Arn"})

    def read(self, request: Request) -> Properties:
        found = request.call("ssm", "GetParameter", {"Name": request.physical_id, "WithDecryption": False})
        return pick(found["Parameter"], *self.compared)

    def create(self, request: Request) -> Physical:
        name = request.properties.get("Name") or f"CFN-{request.name('', 200)}"
        tags = tag_list(request.properties.get("Tags", {}))
        settings = pick(request.properties, *self._settings) | {"Name": name, "Overwrite": False}
        request.call("ssm", "PutParameter", settings | ({"Tags": tags} if tags else {}))
        return Physical(name, self._values(request, name))

    def update(self, request: Request) -> Physical:
        name = request.physical_id
        if request.changed(*self._settings):
            settings = pick(request.properties, *self._settings)
            request.call("ssm", "PutParameter", settings | {"Name": name, "Overwrite": True})
        update_tags(request, "Parameter", name)
        return Physical(name, self._values(request, name))

    def delete(self, request: Request) -> None:
        request.call("ssm", "DeleteParameter", {"Name": request.physical_id})

    def _values(self, request: Request, name: str) -> dict[str, Any]:
        arn = request.scope.arn("ssm", f"parameter/{name.lstrip('/')}")
        return pick(request.properties, "Type", "Value") | {"Arn": arn}


PROVIDERS = (PatchBaseline(), Document(), Parameter())
