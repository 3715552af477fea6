"""STS, as far as it says who asks."""

from __future__ import annotations

from patchgate.emulator.cloud import Component, Params, Result, Scope, operation


class Identity(Component):
    """Who asks is who the door says."""

    service = "sts"

    @operation("GetCallerIdentity")
    def get_caller_identity(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
        return describe_caller(scope)


def describe_caller(scope: Scope) -> Result:
    """The answer of GetCallerIdentity: an operator is the root of his account, a role has a session.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    arn = f"arn:{scope.partition}:iam::{scope.account}:root"
    if scope.principal:
        name = scope.principal.rpartition("/")[2]
        arn = f"arn:{scope.partition}:sts::{scope.account}:assumed-role/{name}/session"
    return {"UserId": scope.account, "Account": scope.account, "Arn": arn}
