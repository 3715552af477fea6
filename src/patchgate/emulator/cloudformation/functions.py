"""Intrinsic functions: finding what they refer to, without evaluating them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.errors import NotEmulatedError

PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}"
    for name in (
        "AccountId",
        "NotificationARNs",
        "NoValue",
        "Partition",
        "Region",
        "StackId",
        "StackName",
        "URLSuffix",
    )
)
CONDITION_FUNCTIONS = frozenset({"Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Condition"})
VALUE_FUNCTIONS = frozenset(
    {"Ref"}
    | {
        f"Fn::{name}"
        for name in ("Base64", "FindInMap", "GetAtt", "If", "ImportValue", "Join", "Select", "Split", "Sub")
    }
)
_IN_CONDITIONS = CONDITION_FUNCTIONS | {
    "Ref",
    "Fn::FindInMap",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
}
_NOT_EMULATED = frozenset({"Fn::Cidr", "Fn::GetAZs", "Fn::Transform"})
_SUB_VARIABLE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that a function refers to: by Ref (``attribute`` None), or by GetAtt; Sub counts as either."""

    name: str
    attribute: str | None = None


def function_of(node: Any, *, in_conditions: bool = False) -> tuple[str, Any] | None:
    """The function that a node calls, as (name, argument), or None where it is a plain value.

    Raises ValidationError for a function that CloudFormation does not have here, NotEmulatedError for one that the
    embedded AWS lacks. ``Condition`` is a function in the Conditions section only: policies have such a key too.
    """
    if not isinstance(node, dict):
        return None
    names = [key for key in node if key == "Ref" or key.startswith("Fn::") or (in_conditions and key == "Condition")]
    if not names:
        return None
    name = names[0]
    if len(node) != 1:
        raise invalid(
            f"Template format error: an object with {name} must have no other keys, found [{', '.join(node)}]"
        )
    if name in _NOT_EMULATED:
        raise NotEmulatedError(f"the intrinsic function {name}")
    supported = _IN_CONDITIONS if in_conditions else VALUE_FUNCTIONS
    if name not in supported:
        raise invalid(
            f"Template error: Encountered unsupported function: {name} Supported functions are: "
            f"[{', '.join(sorted(supported))}]"
        )
    return name, node[name]


def get_att_target(argument: Any) -> tuple[str, Any]:
    """Resource name and attribute (which may be a function) of a GetAtt in either form."""
    if isinstance(argument, str):
        name, dot, attribute = argument.partition(".")
        argument = [name, attribute] if dot else []
    if (
        not isinstance(argument, list)
        or len(argument) != 2
        or not all(isinstance(argument[0], str) and part for part in argument)
    ):
        raise invalid(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
            "resource attribute"
        )
    return argument[0], argument[1]


def sub_parts(argument: Any) -> tuple[str, Mapping[str, Any]]:
    """Text and own variables of a Sub in either form."""
    if isinstance(argument, str):
        return argument, {}
    if (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
    ):
        return argument[0], argument[1]
    raise invalid(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string "
        "as first argument, and an optional second argument to specify a mapping of values to replace in the string"
    )


def sub_variables(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each ``${name}`` of a Sub's text with its match; literals ``${!name}`` have a name that starts with ``!``."""
    for match in _SUB_VARIABLE.finditer(text):
        name = match[1]
        if not name.startswith("!") and not re.fullmatch(r"[A-Za-z0-9_.:]+", name):
            raise invalid(
                "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, "
                f"underscores, periods, and colons (found ${{{name}}})"
            )
        yield match, name


def if_parts(argument: Any) -> tuple[str, Any, Any]:
    """Condition name and both branches of an If."""
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
        raise invalid(
            "Template error: every Fn::If object requires three parameters: the name of a condition, the value if it "
            "is true, and the value if it is false"
        )
    return argument[0], argument[1], argument[2]


def references(
    node: Any, conditions: Mapping[str, bool] | None = None, *, in_conditions: bool = False
) -> Iterator[Reference]:
    """Everything that a node refers to. With ``conditions`` only the branches of If that they choose are followed."""
    if isinstance(node, list):
        for item in node:
            yield from references(item, conditions, in_conditions=in_conditions)
        return
    call = function_of(node, in_conditions=in_conditions)
    if call is None:
        for item in node.values() if isinstance(node, dict) else ():
            yield from references(item, conditions, in_conditions=in_conditions)
        return
    name, argument = call
    if name == "Ref":
        if not isinstance(argument, str):
            raise invalid("Template error: every Ref object must have a single String value.")
        yield Reference(argument)
    elif name == "Fn::GetAtt":
        resource, attribute = get_att_target(argument)
        yield Reference(resource, attribute if isinstance(attribute, str) else "")
        yield from references(attribute, conditions)
    elif name == "Fn::Sub":
        yield from _sub_references(argument, conditions, in_conditions=in_conditions)
    elif name == "Fn::If":
        condition, *branches = if_parts(argument)
        chosen = branches if conditions is None else [branches[0 if _known(conditions, condition) else 1]]
        yield from references(chosen, conditions)
    elif name != "Condition":
        yield from references(argument, conditions, in_conditions=in_conditions)


def _known(conditions: Mapping[str, bool], name: str) -> bool:
    if name not in conditions:
        raise invalid(
            f"Template format error: Unresolved condition dependency {name} in the Resources block of the template"
        )
    return conditions[name]


def _sub_references(
    argument: Any, conditions: Mapping[str, bool] | None, *, in_conditions: bool
) -> Iterator[Reference]:
    text, own = sub_parts(argument)
    for _, variable in sub_variables(text):
        if variable not in own and not variable.startswith("!"):
            resource, dot, attribute = variable.partition(".")
            yield Reference(resource, attribute if dot else None)
    yield from references(list(own.values()), conditions, in_conditions=in_conditions)


def used_conditions(node: Any) -> Iterator[str]:
    """The names of the conditions that a node's If functions ask for."""
    if isinstance(node, list):
        for item in node:
            yield from used_conditions(item)
    elif isinstance(node, dict):
        for key, item in node.items():
            if key == "Fn::If":
                yield if_parts(item)[0]
            yield from used_conditions(item)
