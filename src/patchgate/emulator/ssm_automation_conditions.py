"""The choices of an aws:branch step.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-branch-condition.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "EqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
    "Contains": str.__contains__,
}
_NUMBER: Mapping[str, Callable[[float, float], bool]] = {
    "NumericEquals": float.__eq__,
    "NumericGreater": float.__gt__,
    "NumericLesser": float.__lt__,
    "NumericGreaterOrEquals": float.__ge__,
    "NumericLesserOrEquals": float.__le__,
}
OPERATORS = frozenset({*_TEXT, *_NUMBER, "BooleanEquals"})


def malformed(condition: Any) -> str:
    """What is wrong with a condition (a choice without its NextStep), or "" when nothing is."""
    if not isinstance(condition, Mapping):
        return "a condition must be a map"
    keys = set(condition)
    if keys == {"Not"}:
        return malformed(condition["Not"])
    for word in ("And", "Or"):
        if keys == {word}:
            inner = condition[word]
            if not isinstance(inner, list) or not inner:
                return f"{word} needs a list of conditions"
            return next((problem for item in inner if (problem := malformed(item))), "")
    if "Variable" not in keys or len(keys) != 2 or not keys - {"Variable"} <= OPERATORS:
        return f"a condition needs Variable and one known operation, not {', '.join(sorted(map(str, keys)))}"
    return ""


def holds(condition: Mapping[str, Any]) -> bool:
    """Whether a well-formed condition with its references resolved is true.

    Raises ValueError where a number or a boolean is asked of something else.
    """
    if "Not" in condition:
        return not holds(condition["Not"])
    if "And" in condition:
        return all(holds(item) for item in condition["And"])
    if "Or" in condition:
        return any(holds(item) for item in condition["Or"])
    value = condition["Variable"]
    operator, wanted = next((key, item) for key, item in condition.items() if key != "Variable")
    if operator in _TEXT:
        return _TEXT[operator](_text(value), _text(wanted))
    if operator in _NUMBER:
        return _NUMBER[operator](float(value), float(wanted))
    return _boolean(value) == _boolean(wanted)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a string")  # noqa: TRY004 - a value of the runbook, not of this program
    return value


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise ValueError(f"{value!r} is not a boolean")
