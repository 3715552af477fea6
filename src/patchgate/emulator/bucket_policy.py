"""What a bucket policy says to one request, as S3 evaluates it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html

Whatever the evaluation does not know (an operator, ``NotAction``, a policy variable) is refused and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from patchgate.emulator.errors import NotEmulatedError

Answer = Literal["allow", "deny", "silent"]


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """A request for an object or a bucket: who asks, for what, and what the conditions may look at.

    ``principal`` is an ARN; ``context`` holds condition keys in lower case, such as ``aws:principalorgid``.
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, str]


def evaluate_bucket_policy(policy: Mapping[str, Any], request: ObjectRequest) -> Answer:
    """An explicit deny wins over an allow; a policy that says nothing of the request is silent."""
    effects = {s["Effect"] for s in _as_list(policy["Statement"]) if _applies(s, request)}
    if "Deny" in effects:
        return "deny"
    return "allow" if "Allow" in effects else "silent"


def _applies(statement: Mapping[str, Any], request: ObjectRequest) -> bool:
    for element in ("NotAction", "NotResource", "NotPrincipal"):
        if element in statement:
            raise NotEmulatedError(f"{element} in a bucket policy")
    return (
        _is_meant(statement["Principal"], request.principal)
        and any(_like(pattern, request.action, fold=True) for pattern in _as_list(statement["Action"]))
        and any(_like(pattern, request.resource) for pattern in _as_list(statement["Resource"]))
        and all(
            _holds(operator, key, _as_list(values), request.context)
            for operator, tests in statement.get("Condition", {}).items()
            for key, values in tests.items()
        )
    )


def _is_meant(principal: Any, who: str) -> bool:
    if principal == "*":
        return True
    accounts = [who.split(":")[4], ":".join([*who.split(":")[:5], "root"]).replace(":sts:", ":iam:")]
    return any(name in ("*", who, *accounts) for name in _as_list(principal.get("AWS", [])))


def _holds(operator: str, key: str, values: list[str], context: Mapping[str, str]) -> bool:
    """One condition; a key that the request does not have fails a test and passes a negated one."""
    if operator not in _OPERATORS:
        raise NotEmulatedError(f"the condition operator {operator} in a bucket policy")
    positive, negated = _OPERATORS[operator]
    actual = context.get(key.lower())
    if actual is None:
        return negated
    return any(positive(value, actual) for value in values) != negated


def _equal(value: str, actual: str) -> bool:
    return value == actual


def _equal_word(value: str, actual: str) -> bool:
    return str(value).lower() == actual.lower()


def _matches(pattern: str, actual: str) -> bool:
    return _like(pattern, actual)


def _like(pattern: str, actual: str, *, fold: bool = False) -> bool:
    if "${" in pattern:
        raise NotEmulatedError(f"policy variables in a bucket policy ({pattern})")
    expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, actual, re.DOTALL | (re.IGNORECASE if fold else 0)) is not None


_OPERATORS: Mapping[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (_equal, False),
    "StringNotEquals": (_equal, True),
    "StringLike": (_matches, False),
    "StringNotLike": (_matches, True),
    "ArnEquals": (_matches, False),
    "ArnLike": (_matches, False),
    "ArnNotEquals": (_matches, True),
    "ArnNotLike": (_matches, True),
    "Bool": (_equal_word, False),
}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
