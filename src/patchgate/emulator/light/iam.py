"""IAM: roles, managed policies with versions, inline policies. Nothing is evaluated here: see ``emulator.iam``.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import functools
import json
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.light.requests import derived_id, refuse_others

_ROLE = {
    "RoleName", "AssumeRolePolicyDocument", "Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags",
}  # fmt: skip
_LONG_AGO = datetime(2015, 2, 6, tzinfo=UTC)
LARGEST_ROLE_POLICIES = 10


@dataclass(slots=True)
class Role:
    """One role. ``trust`` and the inline policies are JSON text."""

    name: str
    arn: str
    path: str
    trust: str
    created: datetime
    description: str = ""
    longest_session: int = 3600
    boundary: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)
    inline: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return derived_id("AROA", f"{self.arn} {self.created.isoformat()}", 21)


@dataclass(slots=True)
class Policy:
    """One managed policy; ``versions`` are JSON text by version id."""

    name: str
    arn: str
    path: str
    description: str
    created: datetime
    versions: dict[str, str]
    default: str = "v1"
    numbered: int = 1

    @property
    def id(self) -> str:
        return derived_id("ANPA", f"{self.arn} {self.created.isoformat()}", 21)


class Iam(Component):
    """Roles and policies by account and partition. Of AWS's managed policies those of ``managed_policies.json``."""

    service = "iam"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._roles: dict[tuple[str, str], dict[str, Role]] = {}
        self._policies: dict[str, Policy] = {}

    # Roles

    @operation("CreateRole")
    def create_role(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "iam:CreateRole", _ROLE)
        name, path, trust = params["RoleName"], params.get("Path", "/"), params["AssumeRolePolicyDocument"]
        roles = self._roles.setdefault(_place(scope), {})
        if name in roles:
            raise AwsError("EntityAlreadyExists", f"Role with name {name} already exists.", status=409)
        arn = f"arn:{scope.partition}:iam::{scope.account}:role{path}{name}"
        role = roles[name] = Role(name, arn, path, trust, self.cloud.now, params.get("Description", ""))
        role.longest_session = params.get("MaxSessionDuration", 3600)
        role.boundary = params.get("PermissionsBoundary", "")
        role.tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}
        return {"Role": _role_shape(role)}

    @operation("GetRole")
    def get_role(self, scope: Scope, params: Params) -> Result:
        return {"Role": _role_shape(self._role(scope, params))}

    @operation("ListRoles")
    def list_roles(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "iam:ListRoles", ("PathPrefix", "MaxItems"))
        roles, prefix = self._roles.get(_place(scope), {}), params.get("PathPrefix", "/")
        found = [_role_shape(roles[name]) for name in sorted(roles) if roles[name].path.startswith(prefix)]
        return {"Roles": found, "IsTruncated": False}

    @operation("UpdateRole")
    def update_role(self, scope: Scope, params: Params) -> Result:
        role = self._role(scope, params)
        role.description = params.get("Description", role.description)
        role.longest_session = params.get("MaxSessionDuration", role.longest_session)
        return {}

    @operation("UpdateAssumeRolePolicy")
    def update_assume_role_policy(self, scope: Scope, params: Params) -> Result:
        self._role(scope, params).trust = params["PolicyDocument"]
        return {}

    @operation("DeleteRole")
    def delete_role(self, scope: Scope, params: Params) -> Result:
        role = self._role(scope, params)
        if role.attached:
            message = "Cannot delete entity, must detach all policies first."
            raise AwsError("DeleteConflict", message, status=409)
        if role.inline:
            raise AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.", status=409)
        del self._roles[_place(scope)][role.name]
        return {}

    @operation("PutRolePermissionsBoundary")
    def put_role_permissions_boundary(self, scope: Scope, params: Params) -> Result:
        self._role(scope, params).boundary = params["PermissionsBoundary"]
        return {}

    @operation("DeleteRolePermissionsBoundary")
    def delete_role_permissions_boundary(self, scope: Scope, params: Params) -> Result:
        self._role(scope, params).boundary = ""
        return {}

    @operation("TagRole")
    def tag_role(self, scope: Scope, params: Params) -> Result:
        self._role(scope, params).tags.update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {}

    @operation("UntagRole")
    def untag_role(self, scope: Scope, params: Params) -> Result:
        tags = self._role(scope, params).tags
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    @operation("ListRoleTags")
    def list_role_tags(self, scope: Scope, params: Params) -> Result:
        return {"Tags": _tags(self._role(scope, params).tags), "IsTruncated": False}

    # What roles may do

    @operation("PutRolePolicy")
    def put_role_policy(self, scope: Scope, params: Params) -> Result:
        self._role(scope, params).inline[params["PolicyName"]] = params["PolicyDocument"]
        return {}

    @operation("GetRolePolicy")
    def get_role_policy(self, scope: Scope, params: Params) -> Result:
        role, name = self._role(scope, params), params["PolicyName"]
        if name not in role.inline:
            raise AwsError("NoSuchEntity", f"Policy Document {name} not attached to role {role.name}", status=404)
        return {"RoleName": role.name, "PolicyName": name, "PolicyDocument": json.loads(role.inline[name])}

    @operation("ListRolePolicies")
    def list_role_policies(self, scope: Scope, params: Params) -> Result:
        return {"PolicyNames": list(self._role(scope, params).inline), "IsTruncated": False}

    @operation("DeleteRolePolicy")
    def delete_role_policy(self, scope: Scope, params: Params) -> Result:
        if self._role(scope, params).inline.pop(params["PolicyName"], None) is None:
            message = f"The role policy with name {params['PolicyName']} cannot be found."
            raise AwsError("NoSuchEntity", message, status=404)
        return {}

    @operation("AttachRolePolicy")
    def attach_role_policy(self, scope: Scope, params: Params) -> Result:
        role, arn = self._role(scope, params), params["PolicyArn"]
        if arn not in self._policies and managed_policy(arn) is None:
            message = f"Policy {arn} does not exist or is not attachable."
            raise AwsError("NoSuchEntity", message, status=404)
        if arn not in role.attached:
            if len(role.attached) >= LARGEST_ROLE_POLICIES:
                message = f"Cannot exceed quota for PoliciesPerRole: {LARGEST_ROLE_POLICIES}"
                raise AwsError("LimitExceeded", message, status=409)
            role.attached.append(arn)
        return {}

    @operation("DetachRolePolicy")
    def detach_role_policy(self, scope: Scope, params: Params) -> Result:
        role, arn = self._role(scope, params), params["PolicyArn"]
        if arn not in role.attached:
            raise AwsError("NoSuchEntity", f"Policy {arn} was not found.", status=404)
        role.attached.remove(arn)
        return {}

    @operation("ListAttachedRolePolicies")
    def list_attached_role_policies(self, scope: Scope, params: Params) -> Result:
        attached = self._role(scope, params).attached
        listed = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached]
        return {"AttachedPolicies": listed, "IsTruncated": False}

    # Managed policies

    @operation("CreatePolicy")
    def create_policy(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "iam:CreatePolicy", ("PolicyName", "PolicyDocument", "Path", "Description"))
        name, path = params["PolicyName"], params.get("Path", "/")
        arn = f"arn:{scope.partition}:iam::{scope.account}:policy{path}{name}"
        if arn in self._policies:
            message = f"A policy called {name} already exists. Duplicate names are not allowed."
            raise AwsError("EntityAlreadyExists", message, status=409)
        versions = {"v1": params["PolicyDocument"]}
        policy = Policy(name, arn, path, params.get("Description", ""), self.cloud.now, versions)
        self._policies[arn] = policy
        return {"Policy": self._policy_shape(policy)}

    @operation("GetPolicy")
    def get_policy(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        return {"Policy": self._policy_shape(self._policy(params["PolicyArn"]))}

    @operation("DeletePolicy")
    def delete_policy(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        policy = self._own_policy(params["PolicyArn"])
        if self._holders(policy.arn):
            raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", status=409)
        if len(policy.versions) > 1:
            message = "This policy has more than one version. Before you delete a policy, you must delete the policy's "
            raise AwsError("DeleteConflict", f"{message}versions. The default version is deleted with the policy.")
        del self._policies[policy.arn]
        return {}

    @operation("ListEntitiesForPolicy")
    def list_entities_for_policy(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        refuse_others(params, "iam:ListEntitiesForPolicy", ("PolicyArn", "EntityFilter"))
        roles = [{"RoleName": role.name, "RoleId": role.id} for role in self._holders(params["PolicyArn"])]
        return {"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": roles, "IsTruncated": False}

    @operation("CreatePolicyVersion")
    def create_policy_version(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        policy, text = self._own_policy(params["PolicyArn"]), params["PolicyDocument"]
        if len(policy.versions) >= 5:
            message = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an "
            raise AwsError("LimitExceeded", f"{message}existing version.", status=409)
        policy.numbered += 1
        version = f"v{policy.numbered}"
        policy.versions[version] = text
        if params.get("SetAsDefault"):
            policy.default = version
        return {"PolicyVersion": _version_shape(policy, version)}

    @operation("GetPolicyVersion")
    def get_policy_version(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        policy = self._policy(params["PolicyArn"])
        version = _known_version(policy, params["VersionId"])
        document = json.loads(policy.versions[version])
        return {"PolicyVersion": _version_shape(policy, version) | {"Document": document}}

    @operation("ListPolicyVersions")
    def list_policy_versions(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        policy = self._policy(params["PolicyArn"])
        return {"Versions": [_version_shape(policy, version) for version in policy.versions], "IsTruncated": False}

    @operation("DeletePolicyVersion")
    def delete_policy_version(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        policy = self._own_policy(params["PolicyArn"])
        version = _known_version(policy, params["VersionId"])
        if version == policy.default:
            message = "Cannot delete the default version of a policy."
            raise AwsError("DeleteConflict", message, status=409)
        del policy.versions[version]
        return {}

    def _role(self, scope: Scope, params: Params) -> Role:
        name = params["RoleName"]
        role = self._roles.get(_place(scope), {}).get(name)
        if role is None:
            raise AwsError("NoSuchEntity", f"Role {name} not found", status=404)
        return role

    def _own_policy(self, arn: str) -> Policy:
        policy = self._policies.get(arn)
        if policy is None:
            raise AwsError("NoSuchEntity", f"Policy {arn} not found", status=404)
        return policy

    def _policy(self, arn: str) -> Policy:
        text = None if arn in self._policies else managed_policy(arn)
        if text is None:
            return self._own_policy(arn)
        path, _, name = arn.partition(":policy")[2].rpartition("/")
        return Policy(name, arn, f"{path}/", "", _LONG_AGO, {"v1": text})

    def _holders(self, arn: str) -> list[Role]:
        return [role for roles in self._roles.values() for role in roles.values() if arn in role.attached]

    def _policy_shape(self, policy: Policy) -> dict[str, Any]:
        shape = {
            "PolicyName": policy.name,
            "PolicyId": policy.id,
            "Arn": policy.arn,
            "Path": policy.path,
            "DefaultVersionId": policy.default,
            "AttachmentCount": len(self._holders(policy.arn)),
            "IsAttachable": True,
            "CreateDate": policy.created,
            "UpdateDate": policy.created,
        }
        return shape | ({"Description": policy.description} if policy.description else {})


def managed_policy(arn: str) -> str | None:
    """The document of a policy of AWS's own as JSON text; None when the ARN is not one of those.

    NotEmulatedError for one that is not among those kept here.
    """
    owner, _, name = arn.partition(":policy/")
    if not owner.endswith(":iam::aws"):
        return None
    known = _managed_policies()
    if name not in known:
        raise NotEmulatedError(f"the AWS managed policy {name}")
    return json.dumps(known[name])


@functools.cache
def _managed_policies() -> dict[str, Any]:
    text = resources.files("patchgate.emulator.light").joinpath("managed_policies.json").read_text(encoding="utf-8")
    known: dict[str, Any] = json.loads(text)
    return known


def _place(scope: Scope) -> tuple[str, str]:
    return scope.account, scope.partition


def _known_version(policy: Policy, version: str) -> str:
    if version not in policy.versions:
        message = f"Policy {policy.arn} version {version} does not exist or is not attachable."
        raise AwsError("NoSuchEntity", message, status=404)
    return version


def _version_shape(policy: Policy, version: str) -> dict[str, Any]:
    return {"VersionId": version, "IsDefaultVersion": version == policy.default, "CreateDate": policy.created}


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _role_shape(role: Role) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": json.loads(role.trust),
        "MaxSessionDuration": role.longest_session,
        "RoleLastUsed": {},
    }
    if role.description:
        shape["Description"] = role.description
    if role.boundary:
        kind = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": role.boundary}
        shape["PermissionsBoundary"] = kind
    return deepcopy(shape) | ({"Tags": _tags(role.tags)} if role.tags else {})
