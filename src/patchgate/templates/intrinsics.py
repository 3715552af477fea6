"""CloudFormation's intrinsic functions, as the long form that JSON has; ``yaml_text`` writes their short form.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Node = dict[str, Any]
"""A mapping of a template: an intrinsic, a resource, a policy statement."""


def ref(name: str) -> Node:
    return {"Ref": name}


def sub(text: str, **values: Any) -> Node:
    return {"Fn::Sub": [text, values] if values else text}


def get_att(resource: str, attribute: str) -> Node:
    return {"Fn::GetAtt": [resource, attribute]}


def choose(condition: str, then: Any, otherwise: Any) -> Node:
    return {"Fn::If": [condition, then, otherwise]}


def when(condition: str, then: Any) -> Node:
    """The value if the condition holds, and no property or list item at all otherwise."""
    return choose(condition, then, NO_VALUE)


def equals(left: Any, right: Any) -> Node:
    return {"Fn::Equals": [left, right]}


def negate(condition: Node) -> Node:
    return {"Fn::Not": [condition]}


def select(index: int, values: Any) -> Node:
    return {"Fn::Select": [index, values]}


def split(delimiter: str, text: Any) -> Node:
    return {"Fn::Split": [delimiter, text]}


def find_in_map(mapping: str, key: Any, name: str) -> Node:
    return {"Fn::FindInMap": [mapping, key, name]}


NO_VALUE = ref("AWS::NoValue")


def is_intrinsic(value: Any) -> bool:
    """Whether the value is a call of an intrinsic function."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))


def walk(value: Any) -> Sequence[Any]:
    """Every node at and below a value, parents first."""
    found: list[Any] = [value]
    children: Sequence[Any] = ()
    if isinstance(value, Mapping):
        children = list(value.values())
    elif isinstance(value, list):
        children = value
    for child in children:
        found += walk(child)
    return found
