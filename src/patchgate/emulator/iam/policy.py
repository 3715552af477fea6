"""Statements of policies and what they say to one request: the same for roles, boundaries, trust and buckets.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html

Of policy variables, resources know ``${aws:PrincipalAccount}``.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

Whatever the evaluation does not know (an operator, a condition key, ``NotAction``, another variable) is refused when it
would decide, and never guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import unquote

from patchgate.emulator.errors import NotEmulatedError

Answer = Literal["allow", "deny", "silent"]
Context = Mapping[str, str]
"""Condition keys of a request in lower case, such as ``aws:principalorgid``, with their values."""

_KNOWN_KEYS = frozenset(
    {
        "aws:currenttime",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:requestedregion",
        "aws:securetransport",
        "aws:sourceaccount",
        "aws:sourcearn",
        "iam:passedtoservice",
        "kms:calleraccount",
        "kms:grantisforawsresource",
        "kms:viaservice",
        "s3:prefix",
        "s3:x-amz-acl",
        "sts:externalid",
    }
)
"""The keys that requests carry here when AWS's would; one that a request lacks is absent in AWS too."""

_ACCOUNT = re.compile(r"\$\{aws:principalaccount\}", re.IGNORECASE)

_KNOWN_FAMILIES = ("aws:resourcetag/", "ec2:resourcetag/", "ssm:resourcetag/", "kms:encryptioncontext:")


_NOTHING: Context = {}


class Patterns:
    """Texts with ``*`` and ``?``; whether one of them fits. Wildcards in one part of an ARN stay within that part.

    Parts that an ARN lacks are wildcards: ``arn:aws:sqs`` is ``arn:aws:sqs:*:*:*``.
    """

    __slots__ = ("_everything", "_exact", "_expressions", "_fold", "_variable")

    def __init__(self, patterns: Iterable[str], *, fold: bool = False) -> None:
        listed = [pattern.lower() if fold else pattern for pattern in patterns]
        self._fold = fold
        self._variable = [pattern for pattern in listed if "${" in pattern]
        plain = [pattern for pattern in listed if "${" not in pattern]
        self._everything = "*" in plain
        self._exact = frozenset(pattern for pattern in plain if not _is_wild(pattern))
        self._expressions = [re.compile(_expression(pattern), re.DOTALL) for pattern in plain if _is_wild(pattern)]

    def fit(self, text: str, context: Context = _NOTHING) -> bool:
        """Whether a pattern fits. ``context`` has the values of variables: without its value a pattern does not fit.

        NotEmulatedError when only one with a variable that is not known here might.
        """
        if self._everything:
            return True
        if self._fold:
            text = text.lower()
        if text in self._exact:
            return True
        for expression in self._expressions:
            if expression.fullmatch(text):
                return True
        return bool(self._variable) and any(_fits_variable(pattern, text, context) for pattern in self._variable)


def _fits_variable(pattern: str, text: str, context: Context) -> bool:
    account = context.get("aws:principalaccount")
    if "${" in _ACCOUNT.sub("", pattern):
        raise NotEmulatedError(f"policy variables ({pattern})")
    return account is not None and _compiled(_ACCOUNT.sub(account, pattern), arn=True).fullmatch(text) is not None


def _is_wild(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern or (pattern.startswith("arn:") and pattern.count(":") < 5)


def _expression(pattern: str) -> str:
    if not pattern.startswith("arn:"):
        return _glob(pattern, ".")
    parts = pattern.split(":", 5)
    parts += ["*"] * (6 - len(parts))
    return ":".join([*(_glob(part, "[^:]") for part in parts[:5]), _glob(parts[5], ".")])


def _glob(pattern: str, character: str) -> str:
    return "".join({"*": f"{character}*", "?": character}.get(letter, re.escape(letter)) for letter in pattern)


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of a statement: an operator, a key in lower case, and the values that it is compared with."""

    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, context: Context) -> bool:
        """A key that the request lacks fails a test, and passes a negated or an ``IfExists`` one."""
        if self.key not in _KNOWN_KEYS and not self.key.startswith(_KNOWN_FAMILIES):
            raise NotEmulatedError(f"the condition key {self.key} in a policy")
        operator = self.operator.removesuffix("IfExists")
        actual = context.get(self.key)
        if operator == "Null" and operator == self.operator:
            return any((value.lower() == "true") == (actual is None) for value in self.values)
        if operator not in _OPERATORS:
            raise NotEmulatedError(f"the condition operator {self.operator} in a policy")
        fits, negated = _OPERATORS[operator]
        if actual is None:
            return negated or operator != self.operator
        if any("${" in value for value in self.values):
            raise NotEmulatedError(f"policy variables ({', '.join(self.values)})")
        return any(fits(value, actual) for value in self.values) != negated


def _equal(value: str, actual: str) -> bool:
    return value == actual


def _equal_word(value: str, actual: str) -> bool:
    return value.lower() == actual.lower()


def _like(value: str, actual: str) -> bool:
    return _compiled(value, arn=False).fullmatch(actual) is not None


def _like_arn(value: str, actual: str) -> bool:
    return _compiled(value, arn=True).fullmatch(actual) is not None


@lru_cache(maxsize=1024)
def _compiled(value: str, *, arn: bool) -> re.Pattern[str]:
    return re.compile(_expression(value) if arn else _glob(value, "."), re.DOTALL)


_OPERATORS: Mapping[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (_equal, False),
    "StringNotEquals": (_equal, True),
    "StringEqualsIgnoreCase": (_equal_word, False),
    "StringNotEqualsIgnoreCase": (_equal_word, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (_like_arn, False),
    "ArnLike": (_like_arn, False),
    "ArnNotEquals": (_like_arn, True),
    "ArnNotLike": (_like_arn, True),
    "Bool": (_equal_word, False),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. ``principal`` is None in the policy of a role; ``unknown`` names an element that is refused."""

    allows: bool
    actions: Patterns
    resources: Patterns
    conditions: tuple[Condition, ...] = ()
    principal: Any = None
    unknown: str = ""

    def speaks_of(self, action: str) -> bool:
        """Whether the statement is about an action. NotEmulatedError for NotAction, NotResource, NotPrincipal."""
        if self.unknown:
            raise NotEmulatedError(f"{self.unknown} in a policy")
        return self.actions.fit(action)

    def meets(self, resource: str, context: Context) -> bool:
        """Whether resource and conditions are met."""
        if not self.resources.fit(resource, context):
            return False
        for condition in self.conditions:  # noqa: SIM110 - asked of every call of a role
            if not condition.holds(context):
                return False
        return True


def read_policy(document: str | Mapping[str, Any]) -> tuple[Statement, ...]:
    """The statements of a policy, given as JSON (also percent-encoded, as IAM's API shows it) or parsed."""
    return _read(as_text(document))


def as_text(document: str | Mapping[str, Any]) -> str:
    """A policy as JSON."""
    if isinstance(document, str):
        return unquote(document) if document.startswith("%") else document
    return json.dumps(document)


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[Statement, ...]:
    return tuple(_statement(raw) for raw in as_list(json.loads(text)["Statement"]))


def _statement(raw: Mapping[str, Any]) -> Statement:
    unknown = [element for element in ("NotAction", "NotResource", "NotPrincipal") if element in raw]
    return Statement(
        allows=raw["Effect"] == "Allow",
        actions=Patterns(as_list(raw.get("Action", [])), fold=True),
        resources=Patterns(as_list(raw.get("Resource", "*" if "Principal" in raw else []))),
        conditions=tuple(_conditions(raw.get("Condition", {}))),
        principal=raw.get("Principal"),
        unknown=unknown[0] if unknown else "",
    )


def _conditions(block: Mapping[str, Mapping[str, Any]]) -> Iterator[Condition]:
    for operator, tests in block.items():
        for key, values in tests.items():
            texts = (str(value).lower() if isinstance(value, bool) else str(value) for value in as_list(values))
            yield Condition(operator, key.lower(), tuple(texts))


def evaluate(statements: Iterable[Statement], action: str, resource: str, context: Context) -> Answer:
    """An explicit deny wins over an allow; statements that say nothing of the request are silent."""
    return evaluate_spoken((statement for statement in statements if statement.speaks_of(action)), resource, context)


def evaluate_spoken(statements: Iterable[Statement], resource: str, context: Context) -> Answer:
    """``evaluate`` for statements that all speak of the action."""
    answer: Answer = "silent"
    for statement in statements:
        if statement.meets(resource, context):
            if not statement.allows:
                return "deny"
            answer = "allow"
    return answer


def as_list(value: Any) -> list[Any]:
    """Policies write a list of one as its element."""
    return value if isinstance(value, list) else [value]
