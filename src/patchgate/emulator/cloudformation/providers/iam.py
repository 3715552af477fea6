"""AWS::IAM::*."""

from __future__ import annotations

from collections.abc import Mapping

from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    Request,
    document,
    pick,
    tag_list,
)

_GONE = frozenset({"NoSuchEntity"})


class Role(Provider):
    """AWS::IAM::Role."""

    type = "AWS::IAM::Role"
    name_property = "RoleName"
    gone = _GONE
    supported = frozenset({
        "AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration", "Path",
        "PermissionsBoundary", "Policies", "RoleName", "Tags",
    })  # fmt: skip
    attributes = frozenset({"Arn", "RoleId"})

    def create(self, request: Request) -> Physical:
        properties, name = request.properties, request.name("RoleName", 64)
        role = request.call("iam", "CreateRole", {
            "RoleName": name,
            "AssumeRolePolicyDocument": document(properties["AssumeRolePolicyDocument"]),
            **pick(properties, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags"),
        })["Role"]  # fmt: skip
        physical = request.claim(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})
        self._policies(request, name)
        return physical

    def update(self, request: Request) -> Physical:
        name, properties = request.physical_id, request.properties
        if request.changed("AssumeRolePolicyDocument"):
            trust = document(properties["AssumeRolePolicyDocument"])
            request.call("iam", "UpdateAssumeRolePolicy", {"RoleName": name, "PolicyDocument": trust})
        if request.changed("Description", "MaxSessionDuration"):
            settings = {"Description": "", "MaxSessionDuration": 3600} | pick(
                properties, "Description", "MaxSessionDuration"
            )
            request.call("iam", "UpdateRole", {"RoleName": name, **settings})
        if request.changed("PermissionsBoundary"):
            boundary = properties.get("PermissionsBoundary")
            operation = "PutRolePermissionsBoundary" if boundary else "DeleteRolePermissionsBoundary"
            request.call("iam", operation, {"RoleName": name, "PermissionsBoundary": boundary or None})
        tags, removed = request.tag_changes()
        if tags:
            request.call("iam", "TagRole", {"RoleName": name, "Tags": tag_list(tags)})
        if removed:
            request.call("iam", "UntagRole", {"RoleName": name, "TagKeys": removed})
        self._policies(request, name)
        return Physical(name, request.attributes)

    def _policies(self, request: Request, name: str) -> None:
        """Bring attached and inline policies from what the previous properties say to what the new ones say."""
        old, new = _attached(request.previous), _attached(request.properties)
        for arn in new:
            if arn not in old:
                request.call("iam", "AttachRolePolicy", {"RoleName": name, "PolicyArn": arn})
        for arn in old:
            if arn not in new:
                request.call("iam", "DetachRolePolicy", {"RoleName": name, "PolicyArn": arn})
        before, after = _inline(request.previous), _inline(request.properties)
        for policy, text in after.items():
            if before.get(policy) != text:
                params = {"RoleName": name, "PolicyName": policy, "PolicyDocument": text}
                request.call("iam", "PutRolePolicy", params)
        for policy in before:
            if policy not in after:
                request.call("iam", "DeleteRolePolicy", {"RoleName": name, "PolicyName": policy})

    def delete(self, request: Request) -> None:
        name = request.physical_id
        for arn in request.call("iam", "ListAttachedRolePolicies", {"RoleName": name})["AttachedPolicies"]:
            if arn["PolicyArn"] in _attached(request.properties):
                request.call("iam", "DetachRolePolicy", {"RoleName": name, "PolicyArn": arn["PolicyArn"]})
        for policy in request.call("iam", "ListRolePolicies", {"RoleName": name})["PolicyNames"]:
            if policy in _inline(request.properties):
                request.call("iam", "DeleteRolePolicy", {"RoleName": name, "PolicyName": policy})
        request.call("iam", "DeleteRole", {"RoleName": name})


def _attached(properties: Properties) -> list[str]:
    return list(properties.get("ManagedPolicyArns", ()))


def _inline(properties: Properties) -> Mapping[str, str]:
    return {item["PolicyName"]: document(item["PolicyDocument"]) for item in properties.get("Policies", ())}


class ManagedPolicy(Provider):
    """AWS::IAM::ManagedPolicy, attached to roles; its physical id and Ref are its ARN."""

    type = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    gone = _GONE
    supported = frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles"})
    attributes = frozenset({"PolicyArn", "PolicyId", "DefaultVersionId"})

    def create(self, request: Request) -> Physical:
        policy = request.call("iam", "CreatePolicy", {
            "PolicyName": request.name("ManagedPolicyName", 128),
            "PolicyDocument": document(request.properties["PolicyDocument"]),
            **pick(request.properties, "Path", "Description"),
        })["Policy"]  # fmt: skip
        arn = policy["Arn"]
        attributes = {
            "PolicyArn": arn,
            "PolicyId": policy["PolicyId"],
            "DefaultVersionId": policy["DefaultVersionId"],
        }
        physical = request.claim(arn, attributes)
        self._attach(request, arn)
        return physical

    def update(self, request: Request) -> Physical:
        arn, attributes = request.physical_id, dict(request.attributes)
        if request.changed("PolicyDocument"):
            self._make_room(request, arn)
            text = document(request.properties["PolicyDocument"])
            params = {"PolicyArn": arn, "PolicyDocument": text, "SetAsDefault": True}
            version = request.call("iam", "CreatePolicyVersion", params)["PolicyVersion"]
            attributes["DefaultVersionId"] = version["VersionId"]
        self._attach(request, arn)
        return Physical(arn, attributes)

    def delete(self, request: Request) -> None:
        arn = request.physical_id
        entities = request.call("iam", "ListEntitiesForPolicy", {"PolicyArn": arn, "EntityFilter": "Role"})
        for role in entities["PolicyRoles"]:
            if role["RoleName"] in request.properties.get("Roles", ()):
                request.call("iam", "DetachRolePolicy", {"RoleName": role["RoleName"], "PolicyArn": arn})
        for version in request.call("iam", "ListPolicyVersions", {"PolicyArn": arn})["Versions"]:
            if not version["IsDefaultVersion"]:
                request.call("iam", "DeletePolicyVersion", {"PolicyArn": arn, "VersionId": version["VersionId"]})
        request.call("iam", "DeletePolicy", {"PolicyArn": arn})

    def _make_room(self, request: Request, arn: str) -> None:
        """A policy has at most five versions: drop the oldest that is not the default."""
        versions = request.call("iam", "ListPolicyVersions", {"PolicyArn": arn})["Versions"]
        spare = [item["VersionId"] for item in versions if not item["IsDefaultVersion"]]
        if len(versions) >= 5:
            oldest = min(spare, key=lambda version: int(version.removeprefix("v")))
            request.call("iam", "DeletePolicyVersion", {"PolicyArn": arn, "VersionId": oldest})

    def _attach(self, request: Request, arn: str) -> None:
        old, new = request.previous.get("Roles", ()), request.properties.get("Roles", ())
        for role in new:
            if role not in old:
                request.call("iam", "AttachRolePolicy", {"RoleName": role, "PolicyArn": arn})
        for role in old:
            if role not in new:
                request.call("iam", "DetachRolePolicy", {"RoleName": role, "PolicyArn": arn})


class Policy(Provider):
    """AWS::IAM::Policy: one inline policy in several roles."""

    type = "AWS::IAM::Policy"
    gone = _GONE
    supported = frozenset({"PolicyDocument", "PolicyName", "Roles"})
    attributes = frozenset({"Id"})

    def create(self, request: Request) -> Physical:
        physical_id = request.name("", 64)
        physical = request.claim(physical_id, {"Id": physical_id})
        self._put(request)
        return physical

    def update(self, request: Request) -> Physical:
        self._put(request)
        renamed = request.changed("PolicyName")
        for role in request.previous.get("Roles", ()):
            if renamed or role not in request.properties.get("Roles", ()):
                params = {"RoleName": role, "PolicyName": request.previous["PolicyName"]}
                request.call("iam", "DeleteRolePolicy", params)
        return Physical(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        for role in request.properties.get("Roles", ()):
            if request.properties["PolicyName"] in _inline_names(request, role):
                params = {"RoleName": role, "PolicyName": request.properties["PolicyName"]}
                request.call("iam", "DeleteRolePolicy", params)

    def _put(self, request: Request) -> None:
        for role in request.properties.get("Roles", ()):
            text = document(request.properties["PolicyDocument"])
            params = {
                "RoleName": role,
                "PolicyName": request.properties["PolicyName"],
                "PolicyDocument": text,
            }
            request.call("iam", "PutRolePolicy", params)


def _inline_names(request: Request, role: str) -> list[str]:
    return list(request.call("iam", "ListRolePolicies", {"RoleName": role})["PolicyNames"])


class RolePolicy(Provider):
    """AWS::IAM::RolePolicy: one inline policy in one role; Ref is ``<PolicyName>|<RoleName>``."""

    type = "AWS::IAM::RolePolicy"
    gone = _GONE
    supported = frozenset({"PolicyDocument", "PolicyName", "RoleName"})

    def create(self, request: Request) -> Physical:
        return self._put(request)

    def update(self, request: Request) -> Physical:
        return self._put(request)

    def delete(self, request: Request) -> None:
        request.call("iam", "DeleteRolePolicy", pick(request.properties, "RoleName", "PolicyName"))

    def _put(self, request: Request) -> Physical:
        properties = request.properties
        text = document(properties.get("PolicyDocument", {}))
        request.call("iam", "PutRolePolicy", pick(properties, "RoleName", "PolicyName") | {"PolicyDocument": text})
        return Physical(f"{properties['PolicyName']}|{properties['RoleName']}")


PROVIDERS = (Role(), ManagedPolicy(), Policy(), RolePolicy())
