"""The roles that IAM keeps, with everything that decides what they may do; read once and kept until IAM changes.

IAM is the neighbour's. Users are not emulated: their calls are those of the operator.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.iam.policy import (
    Answer,
    Context,
    Statement,
    as_list,
    as_text,
    evaluate,
    evaluate_spoken,
    read_policy,
)

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud, Scope

Ruling = Literal["allow", "explicit deny", "no identity", "no boundary"]
"""Allowed, or why not: a deny, no identity-based policy that allows it, no permissions boundary that allows it."""

MAXIMUM_REMEMBERED = 10_000

_SERVICE_LINKED = {
    "AWSServiceRoleForAmazonSSM": ("ssm.amazonaws.com", "AmazonSSMServiceRolePolicy"),
    "AWSServiceRoleForBackup": ("backup.amazonaws.com", "AWSBackupServiceLinkedRolePolicyForBackup"),
}
"""Service-linked roles that are in every account: the service, and the AWS managed policy."""


class Policies:
    """The statements of one kind of policy, sorted by the action that they speak of when it is first asked for."""

    def __init__(self, statements: tuple[Statement, ...]) -> None:
        self.statements = statements
        self._by_action: dict[str, tuple[Statement, ...]] = {}

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements that speak of an action."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(statement for statement in self.statements if statement.speaks_of(action))
            self._by_action[action] = found
        return found

    def answer(self, action: str, resource: str, context: Context) -> Answer:
        return evaluate_spoken(self.about(action), resource, context)

    def is_conditional(self, action: str) -> bool:
        """Whether what they say of an action depends on more than the resource."""
        return any(statement.conditions for statement in self.about(action))

    @property
    def allow_everything(self) -> bool:
        """Whether they allow whatever there is, as AdministratorAccess does."""
        probe = "\0:\0"
        return all(s.allows and not s.unknown for s in self.statements) and any(
            not s.conditions and s.actions.fit(probe) and s.resources.fit(probe) for s in self.statements
        )


@dataclass(slots=True)
class Role:
    """One role as IAM has it now."""

    arn: str
    trust: tuple[Statement, ...]
    identity: Policies
    boundary: Policies | None
    _conditional: dict[str, bool] = field(default_factory=dict)
    _rulings: dict[tuple[Any, ...], Ruling] = field(default_factory=dict)
    _assumed_by: dict[str, list[Statement]] = field(default_factory=dict)

    @property
    def is_administrator(self) -> bool:
        """Whether every call is allowed, whatever it needs."""
        return self.identity.allow_everything and (self.boundary is None or self.boundary.allow_everything)

    def ruling(self, action: str, resource: str, facts: Context, caller: Context) -> Ruling:
        """Whether an action on a resource is allowed. ``facts`` are the condition keys that belong to the action and
        ``caller`` those of the call; the same ones are ruled on once.
        """
        conditional = self._conditional.get(action)
        if conditional is None:
            conditional = self.identity.is_conditional(action)
            conditional = conditional or (self.boundary is not None and self.boundary.is_conditional(action))
            self._conditional[action] = conditional
        key = (action, resource, *facts.items(), *caller.items()) if conditional else (action, resource)
        ruling = self._rulings.get(key)
        if ruling is None:
            ruling = self._rule(action, resource, {**caller, **facts} if conditional else {})
            if len(self._rulings) >= MAXIMUM_REMEMBERED:
                self._rulings.clear()
            self._rulings[key] = ruling
        return ruling

    def _rule(self, action: str, resource: str, context: Context) -> Ruling:
        identity = self.identity.answer(action, resource, context)
        boundary = self.boundary.answer(action, resource, context) if self.boundary is not None else "allow"
        if "deny" in (identity, boundary):
            return "explicit deny"
        if identity == "silent":
            return "no identity"
        return "allow" if boundary == "allow" else "no boundary"

    def trusts(self, service: str, source: Context | None) -> bool:
        """Whether the trust policy lets a service assume the role; ``source`` None: what it sets is not documented."""
        meant = self._assumed_by.get(service)
        if meant is None:
            meant = [s for s in self.trust if s.unknown or _names_service(s.principal, service)]
            self._assumed_by[service] = meant
        if source is None and (tested := [c.key for s in meant for c in s.conditions]):
            raise NotEmulatedError(f"{tested[0]} in a trust policy for {service}, which is not documented to set it")
        return evaluate(meant, "sts:AssumeRole", "*", source or {}) == "allow"

    def lets_in(self, callers: Collection[str], account: str, context: Context) -> tuple[Answer, bool]:
        """What the trust policy says to a caller of ``account``, known by each of the ARNs ``callers``, and whether it
        names the caller itself rather than the account.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
        """
        whole = {"*", account, f"arn:{self.arn.split(':')[1]}:iam::{account}:root"}
        meant, itself = [], False
        for statement in self.trust:
            named = set() if statement.unknown else _accounts(statement.principal)
            if statement.unknown or named & whole or named & set(callers):
                meant.append(statement)
                itself = itself or bool(statement.allows and named & set(callers))
        return evaluate(meant, "sts:AssumeRole", "*", context), itself


def _accounts(principal: Any) -> set[str]:
    """What a principal names of accounts, roles and users."""
    return {"*"} if principal == "*" else {str(name) for name in as_list(principal.get("AWS", []))}


def _names_service(principal: Any, service: str) -> bool:
    if principal == "*":
        raise NotEmulatedError("a trust policy for everybody")
    return service in as_list(principal.get("Service", []))


class RoleBook:
    """The roles that have been asked for, by ARN."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._roles: dict[str, Role | None] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_roles": {}}

    def forget(self) -> None:
        self._roles.clear()

    def role(self, scope: Scope, arn: str) -> Role | None:
        """The role of that ARN, None when there is none. NotEmulatedError for any other principal."""
        if arn not in self._roles:
            self._roles[arn] = self._read(scope, arn)
        return self._roles[arn]

    def _read(self, scope: Scope, arn: str) -> Role | None:
        kind, _, path = arn.split(":", 5)[5].partition("/")
        if kind != "role":
            raise NotEmulatedError(f"what {arn} may do: only roles have policies here")
        name = path.rpartition("/")[2]
        if path.startswith("aws-service-role/"):
            return self._service_linked(scope, arn, name)
        reader = _Reader(self._cloud, scope, arn.split(":")[4])
        try:
            role = reader.ask("GetRole", RoleName=name)["Role"]
        except NotEmulatedError:
            raise
        except AwsError as error:
            if error.code != "NoSuchEntity":
                raise
            return None
        if role["Arn"] != arn:
            return None
        boundary = (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
        return _role_of(
            arn,
            as_text(role["AssumeRolePolicyDocument"]),
            tuple(reader.identity(name)),
            reader.managed(boundary) if boundary else None,
        )

    def _service_linked(self, scope: Scope, arn: str, name: str) -> Role:
        if name not in _SERVICE_LINKED:
            raise NotEmulatedError(f"the service-linked role {name}")
        service, policy = _SERVICE_LINKED[name]
        managed = f"arn:{scope.partition}:iam::aws:policy/aws-service-role/{policy}"
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        reader = _Reader(self._cloud, scope, arn.split(":")[4])
        return _role_of(arn, as_text({"Statement": trust}), (reader.managed(managed),), None)


@lru_cache(maxsize=256)
def _role_of(arn: str, trust: str, identity: tuple[str, ...], boundary: str | None) -> Role:
    """The role that these documents make: what it may do follows from them alone, for every cloud that has it."""
    return Role(
        arn,
        read_policy(trust),
        Policies(tuple(statement for document in identity for statement in read_policy(document))),
        Policies(read_policy(boundary)) if boundary is not None else None,
    )


class _Reader:
    """Reads an account's IAM as its operator."""

    def __init__(self, cloud: Cloud, scope: Scope, account: str) -> None:
        self._cloud = cloud
        self._scope = type(scope)(account, scope.region)

    def ask(self, operation: str, **params: str) -> dict[str, Any]:
        return self._cloud.neighbour.call(self._scope, "iam", operation, params)

    def identity(self, role: str) -> Iterator[str]:
        """The documents of a role's inline and attached policies, as JSON."""
        for name in self._list("ListRolePolicies", "PolicyNames", role):
            yield as_text(self.ask("GetRolePolicy", RoleName=role, PolicyName=name)["PolicyDocument"])
        for attached in self._list("ListAttachedRolePolicies", "AttachedPolicies", role):
            yield self.managed(attached["PolicyArn"])

    def managed(self, arn: str) -> str:
        """The document of a managed policy's default version, as JSON; AWS's own are written for this partition."""
        version = self.ask("GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = self.ask("GetPolicyVersion", PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        text = as_text(document)
        return text.replace("arn:aws:", f"arn:{self._scope.partition}:") if ":iam::aws:policy/" in arn else text

    def _list(self, operation: str, into: str, role: str) -> Iterator[Any]:
        page = self.ask(operation, RoleName=role)
        yield from page[into]
        while page.get("IsTruncated"):
            page = self.ask(operation, RoleName=role, Marker=page["Marker"])
            yield from page[into]
