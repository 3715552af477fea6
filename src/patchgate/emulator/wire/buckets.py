"""Who may use a bucket that moto keeps: its policy, read with conditions, and other accounts only where it allows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from patchgate.emulator.bucket_policy import ObjectRequest, evaluate_bucket_policy
from patchgate.emulator.cloud import partition_of
from patchgate.emulator.errors import AwsError

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Scope


class BucketGuard:
    """Decides one S3 request at a time: ``caller`` and ``headers`` are those of the request that moto works on.

    Identity policies are not looked at. ``organization`` is the id of which every account of the cloud is a member.
    """

    def __init__(self, organization: str) -> None:
        self.organization = organization
        self.caller: Scope | None = None
        self.headers: dict[str, Any] = {}

    def check(self, owner: str, policy: bytes | None, action: str, resource: str) -> None:
        """Raise AwsError AccessDenied unless the caller may do that to the bucket or object."""
        if self.caller is None:
            raise AwsError("AccessDenied", "Access Denied", status=403)
        answer = "silent"
        if policy is not None:
            principal = self.caller.principal or _root_of(self.caller)
            context = {"aws:principalaccount": self.caller.account, **self._context(principal)}
            request = ObjectRequest(principal, action, resource, context)
            answer = evaluate_bucket_policy(json.loads(policy), request)
        if answer == "deny" or (answer == "silent" and self.caller.account != owner):
            raise AwsError("AccessDenied", "Access Denied", status=403)

    def _context(self, principal: str) -> dict[str, str]:
        context = {"aws:principalarn": principal, "aws:securetransport": "true"}
        if self.organization:
            context["aws:principalorgid"] = self.organization
        acl = self.headers.get("x-amz-acl")
        if acl:
            context["s3:x-amz-acl"] = acl.decode() if isinstance(acl, bytes) else str(acl)
        return context


def _root_of(caller: Scope) -> str:
    return f"arn:{partition_of(caller.region)}:iam::{caller.account}:root"
