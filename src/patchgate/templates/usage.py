"""Which parameters of a template matter for a stack: those that one of its resources or outputs uses.

A lane's stack has the resources of its own operating system alone; the other systems' parameters change nothing there.
CloudFormation then refuses an update with "No updates are to be performed" (assumption: AWS documents the message for
updates without changes, not that a parameter without a use is none).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from patchgate.templates.catalogue import build_templates

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)\}")


def used_parameters(template: str, values: Mapping[str, str]) -> frozenset[str]:
    """The parameters that the stack uses which has these values; what conditions read is always among them.

    Where a condition cannot be decided here, both of its sides count.
    """
    found = build_templates()[template]
    defaults = {each.name: str(each.default) for each in found.parameters if each.default is not None}
    known = defaults | dict(values)
    decided = tuple((name, _decide(node, found.conditions, known)) for name, node in found.conditions.items())
    return _used(template, decided)


@cache
def _used(template: str, decided: tuple[tuple[str, bool | None], ...]) -> frozenset[str]:
    found, conditions = build_templates()[template], dict(decided)
    body = found.body()
    parts = [*body["Resources"].values(), *body.get("Outputs", {}).values()]
    there = [part for part in parts if conditions.get(part.get("Condition", ""), True) is not False]
    names = {name for part in (*there, *found.conditions.values()) for name in _references(part, conditions)}
    return frozenset(names & {each.name for each in found.parameters})


def _references(node: Any, conditions: Mapping[str, bool | None]) -> Iterator[str]:
    """The names that a part of a template refers to, without the side of a choice that is not taken."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "Ref":
                yield str(value)
            elif name == "Fn::Sub":
                yield from _VARIABLE.findall(value if isinstance(value, str) else value[0])
                yield from _references(value[1:] if isinstance(value, list) else (), conditions)
            elif name == "Fn::If":
                decided = conditions.get(value[0])
                yield from _references([side for side, left in zip(value[1:], (False, True), strict=True)
                                        if decided is not left], conditions)  # fmt: skip
            else:
                yield from _references(value, conditions)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _references(value, conditions)


def _decide(node: Any, conditions: Mapping[str, Any], values: Mapping[str, str]) -> bool | None:
    """Whether a condition holds; None when that depends on more than parameters."""
    ((function, given),) = node.items()
    if function == "Condition":
        return _decide(conditions[given], conditions, values)
    if function == "Fn::Equals":
        sides = [values.get(side["Ref"]) if isinstance(side, Mapping) and "Ref" in side else side for side in given]
        return sides[0] == sides[1] if all(isinstance(side, str) for side in sides) else None
    if function == "Fn::Not":
        inner = _decide(given[0], conditions, values)
        return None if inner is None else not inner
    return None
