"""Template parameters: their declarations, and the values that a stack operation gives them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.errors import AwsError, NotEmulatedError

MAX_VALUE_BYTES = 4096
MASK = "****"
"""What Describe calls show in place of a NoEcho parameter's value."""

_KEYS = {
    "Type", "Default", "AllowedValues", "AllowedPattern", "ConstraintDescription", "Description", "MaxLength",
    "MinLength", "MaxValue", "MinValue", "NoEcho",
}  # fmt: skip
_SSM_STRING = "AWS::SSM::Parameter::Value<String>"
_TYPES = ("String", "Number", "List<Number>", "CommaDelimitedList", _SSM_STRING)

ReadSsmParameter = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ParameterDeclaration:
    """One entry of Parameters. Bounds are inclusive; ``default`` is text as AWS keeps it, None where there is none."""

    name: str
    type: str
    default: str | None = None
    allowed_values: tuple[str, ...] = ()
    allowed_pattern: str | None = None
    constraint_description: str | None = None
    description: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_value: Decimal | None = None
    max_value: Decimal | None = None
    no_echo: bool = False


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """What a parameter is in one stack: ``given`` text, and the ``value`` that Ref returns (a string or a list)."""

    declaration: ParameterDeclaration
    given: str
    value: str | list[str]
    resolved: str | None = None

    def described(self) -> dict[str, str]:
        """The parameter as DescribeStacks shows it."""
        shown = {"ParameterKey": self.declaration.name, "ParameterValue": self.given}
        if self.declaration.no_echo:
            return shown | {"ParameterValue": MASK}
        return shown | ({"ResolvedValue": self.resolved} if self.resolved is not None else {})


def as_text(value: Any) -> str:
    """A template's scalar as CloudFormation writes it as a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def declare_parameters(section: Mapping[str, Mapping[str, Any]]) -> dict[str, ParameterDeclaration]:
    """The declarations of a template's Parameters section, or AwsError ValidationError."""
    return {name: _declare(name, spec) for name, spec in section.items()}


def _declare(name: str, spec: Mapping[str, Any]) -> ParameterDeclaration:
    for key, value in spec.items():
        if key not in _KEYS:
            raise invalid(f"Invalid template parameter property '{key}'")
        if key == "AllowedValues":
            if not isinstance(value, list) or not value or any(isinstance(item, dict | list) for item in value):
                raise invalid(f"Template format error: AllowedValues of parameter {name} must be a list of strings.")
        elif isinstance(value, dict | list):
            raise invalid(f"Template format error: Every {key} member must be a string.")
    kind = spec.get("Type")
    if not isinstance(kind, str):
        raise invalid(
            f"Template format error: [/Parameters/{name}] Every Parameters object must contain a Type member."
        )
    if kind.startswith(("AWS::", "List<AWS::")) and kind not in _TYPES:
        raise NotEmulatedError(f"the parameter type {kind} ({name})")
    if kind not in _TYPES:
        raise invalid(f"Template format error: Unrecognized parameter type: {kind}")
    pattern = spec.get("AllowedPattern")
    if pattern is not None:
        _compiled(name, str(pattern))
    return ParameterDeclaration(
        name=name,
        type=kind,
        default=as_text(spec["Default"]) if "Default" in spec else None,
        allowed_values=tuple(as_text(value) for value in spec.get("AllowedValues", ())),
        allowed_pattern=str(pattern) if pattern is not None else None,
        constraint_description=spec.get("ConstraintDescription"),
        description=_description(name, spec),
        min_length=_bound(name, spec, "MinLength", int),
        max_length=_bound(name, spec, "MaxLength", int),
        min_value=_bound(name, spec, "MinValue", Decimal),
        max_value=_bound(name, spec, "MaxValue", Decimal),
        no_echo=as_text(spec.get("NoEcho", False)).lower() == "true",
    )


def _description(name: str, spec: Mapping[str, Any]) -> str | None:
    description = spec.get("Description")
    if description is not None and len(str(description)) > 4000:
        raise invalid(f"Template format error: Description of parameter {name} is longer than 4000 characters.")
    return description


def _bound(name: str, spec: Mapping[str, Any], key: str, convert: Callable[[str], Any]) -> Any:
    if key not in spec:
        return None
    if key.endswith("Length") != (spec["Type"] in ("String", _SSM_STRING)):
        raise invalid(f"Template format error: {key} of parameter {name} is not allowed for type {spec['Type']}.")
    try:
        return convert(as_text(spec[key]))
    except (ValueError, InvalidOperation) as error:
        raise invalid(f"Template format error: {key} of parameter {name} must be a number.") from error


def _compiled(name: str, pattern: str) -> re.Pattern[str]:
    """The pattern as Python reads it; AWS reads Java's dialect, which agrees on what templates commonly use."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise invalid(
            f"Template format error: AllowedPattern of parameter {name} is not a regular expression: {error}"
        ) from error


def bind_parameters(
    declarations: Mapping[str, ParameterDeclaration],
    given: Sequence[Mapping[str, Any]],
    previous: Mapping[str, str] | None,
    read_ssm_parameter: ReadSsmParameter,
) -> dict[str, ParameterValue]:
    """The value of every declared parameter, or AwsError ValidationError that names the parameters at fault.

    ``previous`` holds the texts that the stack has now, None for a stack that is being created.
    ``read_ssm_parameter`` returns the value of an SSM parameter.
    """
    texts = _given_texts(given, previous)
    unknown = [name for name in texts if name not in declarations]
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, item in declarations.items() if name not in texts and item.default is None]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    return {
        name: _bind(item, texts[name] if name in texts else str(item.default), read_ssm_parameter)
        for name, item in declarations.items()
    }


def _given_texts(given: Sequence[Mapping[str, Any]], previous: Mapping[str, str] | None) -> dict[str, str]:
    texts: dict[str, str] = {}
    for item in given:
        name = item.get("ParameterKey")
        if not name:
            raise invalid("Parameters: every parameter must have a ParameterKey")
        if name in texts:
            raise invalid(f"Parameters: [{name}] is given more than once")
        if not item.get("UsePreviousValue"):
            if item.get("ParameterValue") is None:
                raise invalid(f"Parameters: [{name}] must have values")
            texts[name] = str(item["ParameterValue"])
        elif item.get("ParameterValue") is not None:
            raise invalid(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non empty value "
                "for a parameter"
            )
        elif previous is None or name not in previous:
            raise invalid(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key "
                "not in the previous template"
            )
        else:
            texts[name] = previous[name]
    return texts


def _bind(item: ParameterDeclaration, text: str, read_ssm_parameter: ReadSsmParameter) -> ParameterValue:
    if len(text.encode()) > MAX_VALUE_BYTES:
        raise invalid(f"Parameter '{item.name}' must not be longer than {MAX_VALUE_BYTES} bytes")
    if item.type == _SSM_STRING:
        _check(item, [text])
        try:
            resolved = read_ssm_parameter(text)
        except AwsError as error:
            raise invalid(f"Unable to fetch parameters [{text}] from parameter store for this account.") from error
        return ParameterValue(item, text, resolved, resolved)
    if item.type in ("CommaDelimitedList", "List<Number>"):
        elements = [element.strip() for element in text.split(",")]  # of "" it is one empty element: an assumption
        _check(item, elements)
        return ParameterValue(item, text, elements)
    _check(item, [text])
    return ParameterValue(item, text, text)


def _check(item: ParameterDeclaration, elements: list[str]) -> None:
    """Hold each element (a list's, or the one value) against the declaration's constraints."""
    for element in elements:
        problem = _number_problem(item, element) if "Number" in item.type else None
        problem = problem or _text_problem(item, element)
        if problem:
            if item.constraint_description and problem != "must be a number":
                raise invalid(f"Parameter '{item.name}' failed to satisfy constraint: {item.constraint_description}")
            raise invalid(f"Parameter '{item.name}' {problem}")


def _number_problem(item: ParameterDeclaration, element: str) -> str | None:
    try:
        number = Decimal(element)
    except InvalidOperation:
        return "must be a number"
    if not number.is_finite():
        return "must be a number"
    if item.min_value is not None and number < item.min_value:
        return f"must be a number not less than {item.min_value}"
    if item.max_value is not None and number > item.max_value:
        return f"must be a number not greater than {item.max_value}"
    return None


def _text_problem(item: ParameterDeclaration, element: str) -> str | None:
    if item.min_length is not None and len(element) < item.min_length:
        return f"must contain at least {item.min_length} characters"
    if item.max_length is not None and len(element) > item.max_length:
        return f"must contain at most {item.max_length} characters"
    if item.allowed_values and element not in item.allowed_values:
        return "must be one of AllowedValues"
    if item.allowed_pattern is not None and not _compiled(item.name, item.allowed_pattern).fullmatch(element):
        return f"must match pattern {item.allowed_pattern}"
    return None
