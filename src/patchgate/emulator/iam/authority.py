"""The check of every call that a role makes, and of every service that assumes one.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html

A call is allowed when the role's policies allow every need of its operation, and its permissions boundary as well; for
a bucket of the role's own account the bucket's policy may allow it instead. A call that uses a key of this cloud needs
the key to allow it as well (``key_uses``). The policies of topics, queues and functions give roles nothing here, which
is stricter than AWS. Every denial is recorded in the history.

Assumption: in messages, the session of an assumed role is named after the function or execution that runs, else
``session``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from patchgate.emulator.bucket_policy import ObjectRequest, evaluate_bucket_policy
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.iam.key_uses import KEYED, KeyRefusal, refusal_of, refusal_of_call
from patchgate.emulator.iam.requirements import EVERYTHING, REQUIREMENTS, Need, Table
from patchgate.emulator.iam.requirements_neighbours import NEIGHBOUR_REQUIREMENTS
from patchgate.emulator.iam.requirements_owned import OWNED_REQUIREMENTS
from patchgate.emulator.iam.requirements_ssm import SSM_REQUIREMENTS
from patchgate.emulator.iam.roles import Role, RoleBook, Ruling
from patchgate.emulator.kms import Kms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from patchgate.emulator.cloud import Cloud, Params, Scope
    from patchgate.emulator.iam.policy import Context

KNOWN_OPERATIONS: Table = OWNED_REQUIREMENTS | NEIGHBOUR_REQUIREMENTS | REQUIREMENTS | SSM_REQUIREMENTS

_CODES = {
    "cloudformation": ("AccessDenied", 403),
    "cloudwatch": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "iam": ("AccessDenied", 403),
    "s3": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "sqs": ("AccessDenied", 403),
    "ssm": ("AccessDeniedException", 400),
    "logs": ("AccessDeniedException", 400),
}
"""service -> error code and HTTP status of a denial; the rest say AccessDeniedException with 403."""

_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+")

_SPELLINGS = {"sns:Publish": "SNS:Publish", "sqs:SendMessage": "sqs:sendmessage"}
"""Actions as the messages of their service spell them."""

_UNNAMED = frozenset({"ec2", "backup"})
"""Services whose messages leave the resource out when the action has none; the others show a star."""

_WHY: Mapping[Ruling, str] = {
    "explicit deny": "with an explicit deny in an identity-based policy",
    "no identity": "because no identity-based policy allows the {action} action",
    "no boundary": "because no permissions boundary allows the {action} action",
}


class RoleAuthority:
    """cloud.Authority on the roles of the cloud's IAM."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._book = RoleBook(cloud)
        self._callers: dict[tuple[str, str, str], dict[str, str]] = {}

    def forget(self) -> None:
        """Roles or policies have changed."""
        self._book.forget()

    def check(self, scope: Scope, service: str, operation: str, params: Params) -> None:
        """Raise AwsError unless the scope's role may make the call; NotEmulatedError when what it needs is unknown."""
        role = self._book.role(scope, scope.principal)
        if service == "kms" and self._cloud.has_component(Kms):
            self._check_key_call(scope, role, operation, params)
            return
        requirement = KNOWN_OPERATIONS.get((service, operation))
        if requirement is None:
            if role is not None and role.is_administrator:
                return
            raise NotEmulatedError(f"the permissions of {service}:{operation}, called by {scope.principal}")
        caller = self._caller(scope)
        for need in requirement(self._cloud, scope, params):
            ruling: Ruling = (
                role.ruling(need.action, need.resource, need.facts, caller) if role is not None else "no identity"
            )
            if ruling != "allow" and not (ruling == "no identity" and self._bucket_allows(scope, role, need)):
                self._deny(scope, service, operation, need, ruling)
        if (service, operation) in KEYED and self._cloud.has_component(Kms):
            self._check_key(scope, role, caller, service, operation, params)

    def _check_key(
        self, scope: Scope, role: Role | None, caller: Context, service: str, operation: str, params: Params
    ) -> None:
        if self._cloud.component(Kms).has_keys:
            refusal = refusal_of(self._cloud, role, caller, scope, (service, operation), params)
            self._refuse(scope, service, operation, refusal)

    def _check_key_call(self, scope: Scope, role: Role | None, operation: str, params: Params) -> None:
        keys, caller = self._cloud.component(Kms), self._caller(scope)
        self._refuse(scope, "kms", operation, refusal_of_call(keys, role, caller, scope, operation, params))

    def _refuse(self, scope: Scope, service: str, operation: str, refusal: KeyRefusal | None) -> None:
        if refusal is not None:
            self._record(scope, service, operation, refusal.action or "kms:*", refusal.resource)
            raise AwsError(refusal.code, self._key_message(scope, refusal), status=403 if service == "s3" else 400)

    def _key_message(self, scope: Scope, refusal: KeyRefusal) -> str:
        if not refusal.action:
            return refusal.why
        on = f"{refusal.action} on resource: {refusal.resource}"
        return f"User: {self._session_arn(scope)} is not authorized to perform: {on} {refusal.why}"

    def trusts(self, scope: Scope, role_arn: str, service: str, source_arn: str | None = None) -> bool:
        """Whether the role exists and its trust policy lets the service assume it."""
        role = self._book.role(scope, role_arn)
        if role is None:
            return False
        known = {"aws:sourceaccount": scope.account, "aws:sourcearn": source_arn} if source_arn is not None else None
        return role.trusts(service, known)

    def check_assuming(self, scope: Scope, params: Params) -> None:
        """Raise AwsError AccessDenied unless the caller may assume ``params["RoleArn"]``.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html: the
        role must be there and trust the caller. Trust in an account asks for the caller's own permission too, as does
        any role of another account. The operator has every permission; that AWS lets no root user assume roles is not
        held against him.
        """
        arn = str(params.get("RoleArn") or "")
        if not _ROLE_ARN.fullmatch(arn):
            raise AwsError("ValidationError", f"{arn} is invalid")
        role = self._book.role(scope, arn)
        root = f"arn:{scope.partition}:iam::{scope.account}:root"
        who = self._session_arn(scope) if scope.principal else root
        context = {
            "aws:principalaccount": scope.account,
            "aws:principalarn": scope.principal or root,
            "aws:requestedregion": scope.region,
            "aws:securetransport": "true",
        }
        if self._cloud.organization_id:
            context["aws:principalorgid"] = self._cloud.organization_id
        if params.get("ExternalId"):
            context["sts:externalid"] = str(params["ExternalId"])
        answer, itself = role.lets_in({scope.principal, who}, scope.account, context) if role else ("silent", False)
        suffices = itself and arn.split(":")[4] == scope.account
        if answer == "allow" and scope.principal:
            own = self._book.role(scope, scope.principal)
            ruling = own.ruling("sts:AssumeRole", arn, {}, self._caller(scope)) if own is not None else "no identity"
            answer = "allow" if ruling == "allow" or (suffices and ruling == "no identity") else "silent"
        if answer != "allow":
            if scope.principal:
                self._record(scope, "sts", "AssumeRole", "sts:AssumeRole", arn)
            text = f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise AwsError("AccessDenied", text, status=403)

    def _caller(self, scope: Scope) -> Context:
        """The condition keys that every call of a role carries."""
        organization = self._cloud.organization_id
        known = self._callers.get((scope.principal, scope.region, organization))
        if known is None:
            known = {
                "aws:principalaccount": scope.principal.split(":")[4],
                "aws:principalarn": scope.principal,
                "aws:requestedregion": scope.region,
                "aws:securetransport": "true",
            }
            if organization:
                known["aws:principalorgid"] = organization
            self._callers[scope.principal, scope.region, organization] = known
        return known

    def _bucket_allows(self, scope: Scope, role: Role | None, need: Need) -> bool:
        """Whether the policy of a bucket in the role's own account allows what the role's policies do not mention."""
        if role is None or not need.action.startswith("s3:") or role.boundary is not None:
            return False
        if need.resource == EVERYTHING:
            return False
        bucket = need.resource.split(":", 5)[5].partition("/")[0]
        owner = type(scope)(scope.principal.split(":")[4], scope.region)
        call = self._cloud.neighbour.call
        if bucket not in [item["Name"] for item in call(owner, "s3", "ListBuckets", {})["Buckets"]]:
            return False
        try:
            policy = call(owner, "s3", "GetBucketPolicy", {"Bucket": bucket})["Policy"]
        except NotEmulatedError:
            raise
        except AwsError as error:
            if error.code != "NoSuchBucketPolicy":
                raise
            return False
        context = {**self._caller(scope), **need.facts}
        request = ObjectRequest(scope.principal, need.action, need.resource, context)
        return evaluate_bucket_policy(json.loads(policy), request) == "allow"

    def _deny(self, scope: Scope, service: str, operation: str, need: Need, ruling: Ruling) -> None:
        self._record(scope, service, operation, need.action, need.resource)
        code, status = _CODES.get(service, ("AccessDeniedException", 403))
        raise AwsError(code, self._message(scope, service, need, ruling), status=status)

    def _record(self, scope: Scope, service: str, operation: str, action: str, resource: str) -> None:
        self._cloud.record(
            scope,
            "CallDenied",
            principal=scope.principal,
            service=service,
            operation=operation,
            action=action,
            resource=resource,
        )

    def _session_arn(self, scope: Scope) -> str:
        process = self._cloud.kernel.current
        session = process.name.split(" ")[0].split("/")[0] if process is not None else "session"
        _, partition, _, _, account, path = scope.principal.split(":", 5)
        return f"arn:{partition}:sts::{account}:assumed-role/{path.rpartition('/')[2]}/{session}"

    def _message(self, scope: Scope, service: str, need: Need, ruling: Ruling) -> str:
        who = self._session_arn(scope)
        action = _SPELLINGS.get(need.action, need.action)
        resource = need.resource if need.resource != "*" else scope.arn(service, "*")
        shown = f'"{resource}"' if service == "s3" else resource
        on = "" if need.resource == "*" and service in _UNNAMED else f" on resource: {shown}"
        text = f"User: {who} is not authorized to perform: {action}{on} {_WHY[ruling].format(action=action)}"
        return f"You are not authorized to perform this operation. {text}" if service == "ec2" else text
