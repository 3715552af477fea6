"""Evaluation of intrinsic functions, conditions and dynamic references.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from patchgate.emulator.cloudformation.functions import (
    CONDITION_FUNCTIONS,
    function_of,
    get_att_target,
    if_parts,
    sub_parts,
    sub_variables,
)
from patchgate.emulator.cloudformation.parameters import as_text
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.errors import NotEmulatedError


class _NoValue:
    """What AWS::NoValue evaluates to: the property or element is not there."""

    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE = _NoValue()
_DYNAMIC = re.compile(r"\{\{resolve:([^{}]*)\}\}")
_SSM_DYNAMIC = re.compile(r"ssm:([a-zA-Z0-9_.\-/]+)(?::(\d+))?")


class ResourceValues(Protocol):
    """What Ref and GetAtt of the resources return."""

    def ref(self, name: str) -> str:
        """The value of Ref."""

    def attribute(self, name: str, attribute: str) -> Any:
        """The value of GetAtt."""


class NoResources:
    """Where resources cannot be referred to: the Conditions section."""

    def ref(self, name: str) -> str:
        raise invalid(
            f"Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the Conditions "
            "block of the template"
        )

    def attribute(self, name: str, attribute: str) -> Any:  # noqa: ARG002
        return self.ref(name)


@dataclass(slots=True)
class Evaluator:
    """Turns template values into plain ones. Raises AwsError ValidationError with CloudFormation's texts."""

    parameters: Mapping[str, str | list[str]]
    """Values of Ref by name: the template's parameters and the pseudo parameters, without AWS::NoValue."""
    mappings: Mapping[str, Mapping[str, Mapping[str, Any]]]
    conditions: Mapping[str, bool]
    resources: ResourceValues
    read_export: Callable[[str], str]
    read_ssm: Callable[[str, str | None], str]
    """Value of an SSM parameter by name and version (None is the latest)."""

    def properties(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """A resource's properties with all functions evaluated and dynamic references resolved."""
        value = self._dynamic(self.value(node))
        if not isinstance(value, dict):
            raise invalid("Template error: Properties must evaluate to an object")
        return value

    def value(self, node: Any) -> Any:
        """The plain value of a node; NO_VALUE where the node itself is AWS::NoValue."""
        if isinstance(node, list):
            values = (self.value(item) for item in node)
            return [value for value in values if value is not NO_VALUE]
        call = function_of(node)
        if call is not None:
            return self._call(*call)
        if isinstance(node, dict):
            pairs = ((key, self.value(item)) for key, item in node.items())
            return {key: value for key, value in pairs if value is not NO_VALUE}
        return node

    def text(self, node: Any, what: str) -> str:
        """A node that must evaluate to a scalar, as text."""
        value = self.value(node)
        if isinstance(value, dict | list) or value is NO_VALUE:
            raise invalid(f"Template error: {what} must evaluate to a string")
        return as_text(value)

    def _call(self, name: str, argument: Any) -> Any:
        evaluations: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": self._base64,
            "Fn::ImportValue": self._import_value,
        }
        return evaluations[name](argument)

    def _if(self, argument: Any) -> Any:
        condition, yes, no = if_parts(argument)
        return self.value(yes if self.condition(condition) else no)

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(self.text(argument, "Fn::Base64").encode()).decode()

    def _import_value(self, argument: Any) -> str:
        return self.read_export(self.text(argument, "the name in Fn::ImportValue"))

    def condition(self, name: str) -> bool:
        """The value of a named condition."""
        if name not in self.conditions:
            raise invalid(
                f"Template format error: Unresolved condition dependency {name} in the Resources block of the template"
            )
        return self.conditions[name]

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        value = self.parameters.get(name)
        return self.resources.ref(name) if value is None else value

    def _get_att(self, argument: Any) -> Any:
        name, attribute = get_att_target(argument)
        return self.resources.attribute(name, self.text(attribute, "the attribute in Fn::GetAtt"))

    def _sub(self, argument: Any) -> str:
        text, own = sub_parts(argument)
        pieces, end = [], 0
        for match, variable in sub_variables(text):
            pieces.append(text[end : match.start()])
            end = match.end()
            if variable.startswith("!"):
                pieces.append(f"${{{variable[1:]}}}")
            else:
                pieces.append(self._sub_variable(variable, own))
        return "".join(pieces) + text[end:]

    def _sub_variable(self, variable: str, own: Mapping[str, Any]) -> str:
        if variable in own:
            value = self.value(own[variable])
        else:
            resource, dot, attribute = variable.partition(".")
            value = self.resources.attribute(resource, attribute) if dot else self._ref(resource)
        if isinstance(value, dict | list) or value is NO_VALUE:
            raise invalid(f"Template error: Fn::Sub expression does not resolve to a string: ${{{variable}}}")
        return as_text(value)

    def _join(self, argument: Any) -> str:
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str):
            items = self.value(argument[1])
            if isinstance(items, list) and not any(isinstance(item, dict | list) for item in items):
                return argument[0].join(as_text(item) for item in items)
        raise invalid(
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
            "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        )

    def _select(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 2:
            raise invalid("Template error: Fn::Select requires a list argument with two elements")
        index, items = self.text(argument[0], "the index of Fn::Select"), self.value(argument[1])
        if not re.fullmatch(r"\d+", index):
            raise invalid("Template error: Fn::Select requires a list argument with a valid index")
        if not isinstance(items, list):
            raise invalid("Template error: Fn::Select requires a list argument with two elements")
        if int(index) >= len(items):
            raise invalid(f"Template error: Fn::Select  cannot select nonexistent value at index {index}")
        return items[int(index)]

    def _split(self, argument: Any) -> list[str]:
        if not isinstance(argument, list) or len(argument) != 2 or not argument[0] or not isinstance(argument[0], str):
            raise invalid(
                "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a "
                "string to be split or a function that returns a string to be split."
            )
        return self.text(argument[1], "the source of Fn::Split").split(argument[0])

    def _find_in_map(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            raise invalid(
                "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the "
                "attribute for return value"
            )
        name, top, second = (self.text(part, "a key of Fn::FindInMap") for part in argument)
        if name not in self.mappings:
            raise invalid(
                f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of template."
            )
        try:
            return self.mappings[name][top][second]
        except KeyError as error:
            raise invalid(f"Template error: Unable to get mapping for {name}::{top}::{second}") from error

    def _dynamic(self, value: Any) -> Any:
        if isinstance(value, str):
            return _DYNAMIC.sub(self._dynamic_match, value) if "{{resolve:" in value else value
        if isinstance(value, dict):
            return {key: self._dynamic(item) for key, item in value.items()}
        return [self._dynamic(item) for item in value] if isinstance(value, list) else value

    def _dynamic_match(self, match: re.Match[str]) -> str:
        service = match[1].partition(":")[0]
        if service in ("ssm-secure", "secretsmanager"):
            raise NotEmulatedError(f"dynamic references of {service}")
        parts = _SSM_DYNAMIC.fullmatch(match[1])
        if parts is None:
            raise invalid(f"Incorrect format is used in the following SSM reference: [{match[0]}]")
        return self.read_ssm(parts[1], parts[2])


def evaluate_conditions(section: Mapping[str, Any], evaluator: Evaluator) -> dict[str, bool]:
    """Every condition's value. ``evaluator`` knows the parameters; ValidationError on cycles and unknown names."""
    values: dict[str, bool] = {}

    def named(name: str, path: tuple[str, ...]) -> bool:
        if name in path:
            cycle = ", ".join(path[path.index(name) :])
            raise invalid(f"Template format error: Found circular condition dependency: [{cycle}]")
        if name not in section:
            raise invalid(
                f"Template format error: Unresolved condition dependency {name} in the Conditions block of the template"
            )
        if name not in values:
            values[name] = truth(section[name], (*path, name))
        return values[name]

    def truth(node: Any, path: tuple[str, ...]) -> bool:
        call = function_of(node, in_conditions=True)
        if call is None or call[0] not in CONDITION_FUNCTIONS:
            raise invalid(f"Template format error: Every Conditions member must be a condition function. [{path[-1]}]")
        function, argument = call
        if function == "Condition":
            return named(argument, path)
        if function == "Fn::Equals":
            return _equals(argument, evaluator)
        low, high = (1, 1) if function == "Fn::Not" else (2, 10)
        if not isinstance(argument, list) or not low <= len(argument) <= high:
            wants = "one condition" if high == 1 else "2 to 10 conditions"
            raise invalid(
                f"Template validation error: Template error: every {function} object requires a list of {wants}."
            )
        truths = [truth(item, path) for item in argument]
        if function == "Fn::Not":
            return not truths[0]
        return all(truths) if function == "Fn::And" else any(truths)

    for name in section:
        named(name, ())
    return values


def _equals(argument: Any, evaluator: Evaluator) -> bool:
    if not isinstance(argument, list) or len(argument) != 2:
        raise invalid(
            "Template validation error: Template error: every Fn::Equals object requires a list of 2 string parameters."
        )
    left, right = (_comparable(evaluator.value(side)) for side in argument)
    return left == right


def _comparable(value: Any) -> str | Sequence[str]:
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return as_text(value)
