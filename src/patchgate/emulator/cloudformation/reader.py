"""Template text to plain values: JSON, or YAML with CloudFormation's short tags, read without executing anything.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from patchgate.emulator.errors import AwsError

MAX_TEMPLATE_BYTES = 51_200
"""The longest TemplateBody that an API call may carry, in bytes of UTF-8."""
MAX_OBJECT_BYTES = 1_000_000
"""The longest template that there may be, in an object of S3."""

DEEPEST = 100
"""Levels of a template. An assumption: AWS refuses templates that are nested too deeply, and documents no number."""

_SHORT_FUNCTIONS = (
    "And", "Base64", "Cidr", "Equals", "FindInMap", "GetAZs", "If", "ImportValue", "Join", "Not", "Or", "Select",
    "Split", "Sub", "Transform",
)  # fmt: skip
_SHORT_TAGS = {f"!{name}": f"Fn::{name}" for name in _SHORT_FUNCTIONS} | {
    "!Ref": "Ref",
    "!Condition": "Condition",
    "!GetAtt": "Fn::GetAtt",
}
_STANDARD = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_STANDARD + kind for kind in ("null", "bool", "int", "float", "str", "map", "seq")}


def invalid(message: str) -> AwsError:
    """CloudFormation's ValidationError."""
    return AwsError("ValidationError", message)


def read_template_text(body: str) -> Any:
    """The template's plain values (dict, list, str, int, float, bool, None), or AwsError ValidationError.

    Raises on a body over 1 MB, text that is not well-formed, duplicate keys, anchors and aliases, merge keys,
    and every tag that is not one of CloudFormation's own; the message names the line where the format has lines.
    """
    refuse_size(body, MAX_OBJECT_BYTES)
    kind = "JSON" if body.lstrip().startswith("{") else "YAML"
    try:
        value = _read_json(body) if kind == "JSON" else _YamlReader(body).document()
    except RecursionError:
        value = None
    else:
        if _is_shallow(value):
            return value
    raise invalid(f"Template format error: {kind} not well-formed. (nested too deeply)")


def _is_shallow(value: Any) -> bool:
    """Whether a value is nested no deeper than ``DEEPEST``, found without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            item
            for each in level
            if isinstance(each, (dict, list))
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return True
    return False


def refuse_size(body: str, most: int) -> None:
    """ValidationError for a template that is empty or has more than ``most`` bytes."""
    size = len(body.encode())
    if not 0 < size <= most:
        bound = f"less than or equal to {most}" if size else "greater than or equal to 1"
        raise invalid(
            f"1 validation error detected: Value of {size} bytes at 'templateBody' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )


def _read_json(body: str) -> Any:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(items)
        if len(members) != len(items):
            names = [name for name, _ in items]
            twice = next(name for name in names if names.count(name) > 1)
            raise invalid(f"Template format error: Duplicate key {twice} in a JSON object")
        return members

    def constant(name: str) -> Any:
        raise invalid(f"Template format error: JSON not well-formed. ({name} is not a JSON value)")

    try:
        return json.loads(body, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        place = f"(line {error.lineno}, column {error.colno})"
        raise invalid(f"Template format error: JSON not well-formed. {place}") from error


class _YamlReader:
    """Builds values from libyaml's events, so that nothing but the plain YAML types can come out."""

    def __init__(self, body: str) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[Any] = yaml.parse(body, Loader=loader)
        self._scalars = yaml.SafeLoader("")

    def document(self) -> Any:
        try:
            self._next(yaml.StreamStartEvent)
            event = next(self._events)
            if isinstance(event, yaml.StreamEndEvent):
                raise invalid("Template format error: unsupported structure.")
            value = self._value(next(self._events))
            self._next(yaml.DocumentEndEvent)
            if not isinstance(event := next(self._events), yaml.StreamEndEvent):
                raise _at(event, "a template is one YAML document")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f"(line {mark.line + 1}, column {mark.column + 1})" if mark else ""
            raise invalid(f"Template format error: YAML not well-formed. {place}") from error
        except yaml.reader.ReaderError as error:
            raise invalid(
                f"Template format error: YAML not well-formed. (character at position {error.position})"
            ) from error
        return value

    def _next(self, kind: type[Any]) -> None:
        event = next(self._events)
        if not isinstance(event, kind):
            raise _at(event, "unexpected content")

    def _value(self, event: Any) -> Any:
        if isinstance(event, yaml.AliasEvent):
            raise _at(event, f"aliases are not supported (*{event.anchor})")
        if event.anchor is not None:
            raise _at(event, f"anchors are not supported (&{event.anchor})")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        tag = self._checked_tag(event)
        plain: Any = self._mapping() if isinstance(event, yaml.MappingStartEvent) else self._sequence()
        return {_SHORT_TAGS[tag]: plain} if tag else plain

    def _checked_tag(self, event: Any) -> str | None:
        """The short tag of an event, None where it has none; every other tag is refused."""
        tag: str | None = event.tag
        if tag is None or tag == "!" or tag in _PLAIN_TAGS:
            return None
        if tag not in _SHORT_TAGS:
            raise _at(event, f"unsupported tag {tag}")
        return tag

    def _scalar(self, event: Any) -> Any:
        tag = self._checked_tag(event)
        if tag is None:
            return self._plain_scalar(event)
        if tag == "!GetAtt":
            name, _, attribute = event.value.partition(".")
            return {"Fn::GetAtt": [name, attribute]}
        return {_SHORT_TAGS[tag]: event.value}

    def _plain_scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag in (None, "!"):
            tag = self._scalars.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        if tag == _STANDARD + "merge":
            raise _at(event, "hash merges are not supported")
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        build = {
            "null": lambda _: None,
            "bool": self._scalars.construct_yaml_bool,
            "int": self._scalars.construct_yaml_int,
            "float": self._scalars.construct_yaml_float,
        }.get(tag.removeprefix(_STANDARD))
        try:
            return build(node) if build else event.value
        except (ValueError, KeyError) as error:
            raise _at(event, f"{event.value!r} is not a value of its tag") from error

    def _sequence(self) -> list[Any]:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event))
        return items

    def _mapping(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event)
            if key in members:
                raise _at(event, f"duplicate key {key}")
            members[key] = self._value(next(self._events))
        return members

    def _key(self, event: Any) -> str:
        """A mapping's key, always a string: ``2010:`` and ``true:`` are the names that they look like."""
        if not isinstance(event, yaml.ScalarEvent):
            raise _at(event, "a key must be a scalar")
        if event.tag is not None and event.tag != _STANDARD + "str":
            raise _at(event, f"unsupported tag {event.tag} on a key")
        if event.anchor is not None:
            raise _at(event, f"anchors are not supported (&{event.anchor})")
        if event.value == "<<" and event.implicit[0]:
            raise _at(event, "hash merges are not supported")
        return str(event.value)


def _at(event: Any, problem: str) -> AwsError:
    mark = event.start_mark
    return invalid(f"Template format error: {problem} (line {mark.line + 1}, column {mark.column + 1})")
