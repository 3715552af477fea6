"""Parameters and answers as the wire would leave them, without a wire: copies, checked in the same pass.

For each shape of botocore's service models a converter is built once. What a converter of parameters does not take at
once is put before botocore's own validator, whose report and leniency are what counts.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.response import StreamingBody
from botocore.utils import parse_to_aware_datetime, tzutc
from botocore.validate import ParamValidator

Converter = Callable[[Any], Any]

_VALIDATOR = ParamValidator()
_UTC = tzutc()
_WHOLE_SECONDS = frozenset({"ec2", "rest-xml"})
"""Protocols whose answers lose what is below a second on moto's wire."""


class _Doubtful(Exception):  # noqa: N818 - a question to the validator, not an error
    """A parameter is not plainly valid."""


class Parameters:
    """Validated copies of an operation's parameters. ParamValidationError says what botocore would."""

    def __init__(self, shape: Any) -> None:
        self._shape = shape
        self._strict: Converter | None = _Builder(_STRICT).build(shape) if shape is not None else None
        self._lenient: Converter | None = None

    def convert(self, params: dict[str, Any]) -> dict[str, Any]:
        """A copy in which instants are aware datetimes in UTC and blobs are bytes."""
        if self._strict is None:
            return {}
        try:
            converted: dict[str, Any] = self._strict(params)
        except _Doubtful:
            return self._convert_slowly(params)
        return converted

    def _convert_slowly(self, params: dict[str, Any]) -> dict[str, Any]:
        report = _VALIDATOR.validate(params, self._shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        if self._lenient is None:
            self._lenient = _Builder(_LENIENT).build(self._shape)
        converted: dict[str, Any] = self._lenient(params)
        return converted


def answer_converter(operation: Any, protocol: str) -> Converter:
    """What makes copies of an operation's answers: members in the model's order, instants in UTC, streams readable."""
    shape = operation.output_shape
    if shape is None:
        return _nothing
    instant = _to_the_second if protocol in _WHOLE_SECONDS else _in_utc
    convert = _Builder({"timestamp": instant, "structure": _answered_structure}).build(shape)
    if not operation.has_streaming_output:
        return convert
    return partial(_with_stream, convert, shape.serialization["payload"])


def _nothing(_: Any) -> dict[str, Any]:
    return {}


def _with_stream(convert: Converter, payload: str, answer: Any) -> Any:
    copied = convert(answer)
    content = copied.get(payload, b"")
    copied[payload] = StreamingBody(io.BytesIO(content), len(content))
    return copied


class _Builder:
    """Builds a converter for a shape; shapes that contain themselves end in a look-up."""

    def __init__(self, leaves: Mapping[str, Any]) -> None:
        self._leaves = leaves
        self._built: dict[int, Converter] = {}
        self._open: set[str] = set()

    def build(self, shape: Any) -> Converter:
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape)
        if kind == "list":
            minimum = shape.metadata.get("min", 0) if "list" in self._leaves else 0
            return partial(_list, self.build(shape.member), minimum)
        if kind == "map":
            return partial(_map, self.build(shape.key), self.build(shape.value))
        leaf = self._leaves.get(kind, _same)
        return leaf(shape) if isinstance(leaf, type) else leaf  # type: ignore[no-any-return]

    def _structure(self, shape: Any) -> Converter:
        make = self._leaves["structure"]
        if shape.name in self._open or shape.is_document_type:
            return partial(_later, self, shape) if not shape.is_document_type else _copied
        self._open.add(shape.name)
        members = {name: self.build(member) for name, member in shape.members.items()}
        self._open.discard(shape.name)
        converter: Converter = make(shape, members)
        return converter


def _later(builder: _Builder, shape: Any, value: Any) -> Any:
    """A structure within itself: built when one is there."""
    key = id(shape)
    if key not in builder._built:  # noqa: SLF001 - of this module
        builder._built[key] = builder.build(shape)  # noqa: SLF001
    return builder._built[key](value)  # noqa: SLF001


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _same(value: Any) -> Any:
    return value


def _list(member: Converter, minimum: int, value: Any) -> list[Any]:
    if type(value) is not list and not isinstance(value, list | tuple):
        raise _Doubtful
    if len(value) < minimum:
        raise _Doubtful
    return list(value) if member is _same else [member(item) for item in value]


def _map(key: Converter, member: Converter, value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise _Doubtful
    return {key(name): member(item) for name, item in value.items()}


class _StrictStructure:
    """A structure of parameters: required members there, unknown ones not."""

    __slots__ = ("_members", "_required", "_union")

    def __init__(self, shape: Any, members: dict[str, Converter]) -> None:
        self._members = members
        self._required = frozenset(shape.metadata.get("required", ()))
        self._union = bool(shape.is_tagged_union)

    def __call__(self, value: Any) -> dict[str, Any]:
        if type(value) is not dict or not self._required <= value.keys() or (self._union and len(value) != 1):
            raise _Doubtful
        members = self._members
        try:
            return {name: members[name](item) for name, item in value.items()}
        except KeyError:
            raise _Doubtful from None


class _LenientStructure:
    """A structure that the validator has taken."""

    __slots__ = ("_members",)

    def __init__(self, _shape: Any, members: dict[str, Converter]) -> None:
        self._members = members

    def __call__(self, value: Any) -> dict[str, Any]:
        return {name: self._members[name](item) for name, item in value.items()}


class _answered_structure:  # noqa: N801 - a leaf among functions
    """A structure of an answer: what travels in headers first, else in the model's order, and without what is None.

    The orders seen are remembered.
    """

    __slots__ = ("_members", "_orders")

    def __init__(self, shape: Any, members: dict[str, Converter]) -> None:
        self._members = dict(sorted(members.items(), key=lambda member: _is_in_body(shape.members[member[0]])))
        self._orders: dict[tuple[str, ...], tuple[tuple[str, ...], list[tuple[str, Converter]]]] = {}

    def __call__(self, value: Any) -> dict[str, Any]:
        names = tuple(value)
        known = self._orders.get(names)
        if known is None:
            order = tuple(name for name in self._members if name in value)
            changed = [(name, self._members[name]) for name in order if self._members[name] is not _same]
            known = self._orders[names] = (order, changed)
        order, changed = known
        answer = dict(value) if order == names else {name: value[name] for name in order}
        if None in answer.values():
            answer = {name: item for name, item in answer.items() if item is not None}
            changed = [(name, convert) for name, convert in changed if name in answer]
        for name, convert in changed:
            answer[name] = convert(answer[name])
        return answer


def _is_in_body(member: Any) -> bool:
    return "location" not in member.serialization


class _StrictString:
    __slots__ = ("_minimum",)

    def __init__(self, shape: Any) -> None:
        self._minimum = shape.metadata.get("min", 0)

    def __call__(self, value: Any) -> Any:
        if type(value) is not str or len(value) < self._minimum:
            raise _Doubtful
        return value


class _StrictInteger:
    __slots__ = ("_minimum",)

    def __init__(self, shape: Any) -> None:
        self._minimum = shape.metadata.get("min")

    def __call__(self, value: Any) -> Any:
        if type(value) is not int or (self._minimum is not None and value < self._minimum):
            raise _Doubtful
        return value


def _strict_boolean(value: Any) -> Any:
    if value is not True and value is not False:
        raise _Doubtful
    return value


def _strict_blob(value: Any) -> bytes:
    if type(value) is not bytes:
        raise _Doubtful
    return value


def _doubt(_: Any) -> Any:
    raise _Doubtful


def _strict_instant(value: Any) -> datetime:
    if type(value) is not datetime or value.tzinfo is None:
        raise _Doubtful
    return value.astimezone(_UTC)


def _blob(value: Any) -> bytes:
    content = value.read() if hasattr(value, "read") else value
    return content.encode() if isinstance(content, str) else bytes(content)


def _instant(value: Any) -> datetime:
    when: datetime = parse_to_aware_datetime(value)
    return when.astimezone(_UTC)


def _in_utc(value: Any) -> Any:
    if value.tzinfo is UTC:
        return value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=_UTC)
    return value.replace(microsecond=value.microsecond // 1000 * 1000).astimezone(_UTC)


def _to_the_second(value: Any) -> Any:
    return value.replace(microsecond=0).astimezone(_UTC)


_STRICT: Mapping[str, Any] = {
    "structure": _StrictStructure,
    "list": True,
    "string": _StrictString,
    "character": _StrictString,
    "integer": _StrictInteger,
    "long": _StrictInteger,
    "boolean": _strict_boolean,
    "blob": _strict_blob,
    "timestamp": _strict_instant,
    "double": _doubt,
    "float": _doubt,
}
_LENIENT: Mapping[str, Any] = {"structure": _LenientStructure, "blob": _blob, "timestamp": _instant}
