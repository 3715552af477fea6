"""The parameters of Systems Manager documents: their declarations, and the values that a caller gives them.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from patchgate.emulator.errors import AwsError

_KEYS = frozenset(
    {
        "type",
        "description",
        "default",
        "allowedValues",
        "allowedPattern",
        "displayType",
        "minItems",
        "maxItems",
        "minChars",
        "maxChars",
    }
)
_TYPES = frozenset({"String", "StringList", "Integer", "Boolean", "MapList", "StringMap"})
_AWS_TYPE = re.compile(r"(List<)?AWS::(EC2::Instance::Id|IAM::Role::Arn|S3::Bucket::Name|SSM::Parameter::Name)>?")
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
_MISSING = object()


def invalid_content(why: str) -> AwsError:
    """What CreateDocument and UpdateDocument answer to content that is not a document."""
    return AwsError("InvalidDocumentContent", f"{why}.")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declaration. ``default`` is in the type's own form (a list for StringList); absent when ``required``."""

    name: str
    type: str
    description: str = ""
    required: bool = True
    default: Any = None
    allowed_values: tuple[Any, ...] = ()
    allowed_pattern: str = ""
    minimum_items: int | None = None
    maximum_items: int | None = None
    minimum_characters: int | None = None
    maximum_characters: int | None = None

    @property
    def is_list(self) -> bool:
        return self.type in ("StringList", "MapList") or self.type.startswith("List<")

    def shape(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DocumentParameter.html"""
        shape = {"Name": self.name, "Type": "StringList" if self.is_list else "String"}
        if self.description:
            shape["Description"] = self.description
        if not self.required:
            shape["DefaultValue"] = self.default if isinstance(self.default, str) else json.dumps(self.default)
        return shape

    def value(self, given: list[str]) -> Any:
        """The value in the type's own form, from the list of strings that requests carry.

        Raises ValueError with what is wrong.
        """
        if self.is_list:
            value: Any = [json.loads(item) for item in given] if self.type == "MapList" else list(given)
        elif len(given) != 1:
            raise ValueError(f"Parameter {self.name} takes one value, not {len(given)}")
        else:
            value = self._scalar(given[0])
        self._check(value)
        return value

    def _scalar(self, text: str) -> Any:
        if self.type == "Integer":
            return int(text)
        if self.type == "Boolean":
            if text.lower() not in ("true", "false"):
                raise ValueError(f"Parameter {self.name} is a Boolean, not {text!r}")
            return text.lower() == "true"
        if self.type == "StringMap":
            value = json.loads(text)
            if not isinstance(value, dict):
                raise ValueError(f"Parameter {self.name} is a map")
            return value
        return text

    def _check(self, value: Any) -> None:
        items = value if self.is_list else [value]
        for item in items:
            if self.allowed_values and item not in self.allowed_values:
                raise ValueError(f"Parameter {self.name} has a value that is not allowed: {item!r}")
            if self.allowed_pattern and not re.search(self.allowed_pattern, str(item)):
                raise ValueError(f"Parameter {self.name} does not match {self.allowed_pattern}: {item!r}")
            if self.minimum_characters is not None and len(str(item)) < self.minimum_characters:
                raise ValueError(f"Parameter {self.name} is shorter than {self.minimum_characters} characters")
            if self.maximum_characters is not None and len(str(item)) > self.maximum_characters:
                raise ValueError(f"Parameter {self.name} is longer than {self.maximum_characters} characters")
        if self.minimum_items is not None and len(items) < self.minimum_items:
            raise ValueError(f"Parameter {self.name} has fewer than {self.minimum_items} items")
        if self.maximum_items is not None and len(items) > self.maximum_items:
            raise ValueError(f"Parameter {self.name} has more than {self.maximum_items} items")


def parse_parameters(raw: Any) -> dict[str, Parameter]:
    """The ``parameters`` of a document; raises AwsError InvalidDocumentContent."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise invalid_content("parameters must be a map")
    return {name: _parse_parameter(name, declaration) for name, declaration in raw.items()}


def bind_parameters(parameters: Mapping[str, Parameter], given: Mapping[str, list[str]], code: str) -> dict[str, Any]:
    """The value of every parameter, defaults included, in its type's own form.

    Raises AwsError ``code`` for an unknown, missing or unfitting one.
    """
    unknown = sorted(set(given) - set(parameters))
    if unknown:
        raise AwsError(code, f"The document does not define the parameters {', '.join(unknown)}.")
    bound: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if name not in given:
            if parameter.required:
                raise AwsError(code, f"Parameter {name} is required and was not supplied.")
            bound[name] = parameter.default
            continue
        try:
            bound[name] = parameter.value(given[name])
        except ValueError as error:
            raise AwsError(code, f"{error}.") from None
    return bound


def _parse_parameter(name: Any, raw: Any) -> Parameter:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid_content(f"{name!r} is not a parameter name")
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise invalid_content(f"Parameter {name} needs a type")
    unknown = sorted(str(key) for key in raw if key not in _KEYS)
    if unknown:
        raise invalid_content(f"Parameter {name} has unknown properties: {', '.join(unknown)}")
    if raw["type"] not in _TYPES and not _AWS_TYPE.fullmatch(raw["type"]):
        raise invalid_content(f"Parameter {name} has the unknown type {raw['type']}")
    allowed = raw.get("allowedValues", [])
    if not isinstance(allowed, list):
        raise invalid_content(f"allowedValues of parameter {name} must be a list")
    parameter = Parameter(
        name,
        raw["type"],
        str(raw.get("description", "")),
        required="default" not in raw,
        default=raw.get("default"),
        allowed_values=tuple(allowed),
        allowed_pattern=_pattern(name, raw.get("allowedPattern", "")),
        minimum_items=raw.get("minItems"),
        maximum_items=raw.get("maxItems"),
        minimum_characters=raw.get("minChars"),
        maximum_characters=raw.get("maxChars"),
    )
    _check_default(parameter, raw.get("default", _MISSING))
    return parameter


def _pattern(name: str, pattern: Any) -> str:
    try:
        re.compile(pattern)
    except (re.error, TypeError):
        raise invalid_content(f"allowedPattern of parameter {name} is not a regular expression") from None
    return str(pattern)


def _check_default(parameter: Parameter, default: Any) -> None:
    if default is _MISSING:
        return
    kinds: dict[str, type] = {"Integer": int, "Boolean": bool, "StringMap": dict}
    expected = list if parameter.is_list else kinds.get(parameter.type, str)
    if not isinstance(default, expected):
        raise invalid_content(f"The default of parameter {parameter.name} is not a {parameter.type}")
    values = default if isinstance(default, list) else [default]
    if parameter.allowed_values and any(value not in parameter.allowed_values for value in values):
        raise invalid_content(f"The default of parameter {parameter.name} is not one of its allowedValues")
    checked = bool(parameter.allowed_pattern) and parameter.type == "String"
    if checked and not re.search(parameter.allowed_pattern, str(default)):
        raise invalid_content(f"The default of parameter {parameter.name} does not match its allowedPattern")
