"""What a bucket policy says to one request, as S3 evaluates it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-auth-workflow-object-operation.html

Statements and conditions are read as everywhere (``iam.policy``); here is who a statement is meant for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from patchgate.emulator.iam.policy import Answer, Statement, as_list, evaluate, read_policy

__all__ = ["Answer", "ObjectRequest", "evaluate_bucket_policy"]


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """A request for an object or a bucket: who asks, for what, and what the conditions may look at.

    ``principal`` is an ARN; ``context`` holds condition keys in lower case, such as ``aws:principalorgid``.
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, str]


def evaluate_bucket_policy(policy: Mapping[str, Any] | str, request: ObjectRequest) -> Answer:
    """An explicit deny wins over an allow; a policy that says nothing of the request is silent.

    A policy that is given as JSON is parsed once.
    """
    if isinstance(policy, str):
        meant = _meant_once(policy, request.principal)
    else:
        meant = _meant(read_policy(policy), request.principal)
    return evaluate(meant, request.action, request.resource, request.context)


@lru_cache(maxsize=4096)
def _meant_once(text: str, principal: str) -> tuple[Statement, ...]:
    return _meant(read_policy(text), principal)


def _meant(statements: tuple[Statement, ...], principal: str) -> tuple[Statement, ...]:
    """The statements of a policy that are meant for somebody."""
    return tuple(statement for statement in statements if statement.unknown or _is_meant(statement, principal))


def _is_meant(statement: Any, who: str) -> bool:
    principal = statement.principal
    if principal == "*":
        return True
    accounts = [who.split(":")[4], ":".join([*who.split(":")[:5], "root"]).replace(":sts:", ":iam:")]
    return any(name in ("*", who, *accounts) for name in as_list(principal.get("AWS", [])))
