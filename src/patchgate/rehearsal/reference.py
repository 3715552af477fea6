"""The reference pages of this room, made from the code: world files, and recorded histories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from patchgate.rehearsal.history import COMMON, EVENTS
from patchgate.rehearsal.worlds import WorldFile

_WORLD = """\
A world is what a rehearsal starts from: a directory of YAML files, read together, which stand for the machines that
AWS has and for what befalls them. `examples/world` is a complete one. An [engine](engine-protocol.md) takes the content
of one file as JSON.

- Every problem is reported at once, as `file:line:column`. Unknown keys are refused.
- Ids of instances and volumes are derived from account, Region and name: they never change.
- Hours count from the start of the world, which `--start` overrides."""

_HISTORY = """\
A run is recorded as JSON lines: UTF-8, one record a line, each line ended by a line feed. `patchgate rehearse --history
FILE` and `patchgate emulator history` write it. The judge and the summary of a rehearsal read the events below and
nothing else: a test takes everything else out of a history and sees the same result. An [engine](engine-protocol.md)
may record other events and other facts.

The embedded AWS writes keys sorted, ASCII only, instants in UTC with milliseconds: the same run is the same bytes."""


_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping of names to texts",
}


def build_world_page(notice: str) -> str:
    """The reference of world files: every key."""
    schema = WorldFile.model_json_schema()
    parts = [notice, "# World files", _WORLD]
    for path, model in _models(schema, schema, ""):
        required = model.get("required", ())
        rows = [_row(schema, name, value, required=name in required) for name, value in model["properties"].items()]
        title = f"`{path}`" if path else "The file"
        parts += [f"## {title}", _in_one_line(model.get("description", "")), _table("key | value | ", rows)]
    return "\n\n".join(parts) + "\n"


def build_history_page(notice: str) -> str:
    """The reference of recorded histories: every event that judge and summary read, and its facts."""
    parts = [notice, "# History", _HISTORY, "## Every record", _facts(COMMON, {})]
    for name, contract in sorted(EVENTS.items()):
        parts += [f"## `{name}`", contract.says, _facts(contract.facts, contract.also)]
    return "\n\n".join(parts) + "\n"


def _facts(facts: Mapping[str, str], also: Mapping[str, str]) -> str:
    rows = [f"| `{name}` | always | {meaning} |" for name, meaning in facts.items()]
    rows += [f"| `{name}` | where there is any | {meaning} |" for name, meaning in also.items()]
    return _table("fact | | ", rows)


def _table(head: str, rows: list[str]) -> str:
    return "\n".join([f"| {head}|", "|---|---|---|", *rows])


def _models(schema: dict[str, Any], model: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, schema) of an object and of those below it."""
    yield path, model
    for name, value in model["properties"].items():
        inner, is_list = _object_of(schema, value)
        if inner is not None:
            yield from _models(schema, inner, f"{path}.{name}".lstrip(".") + ("[]" if is_list else ""))


def _object_of(schema: dict[str, Any], value: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    """The object that a value is, or that a list of it holds; and whether it is a list."""
    kind = _given(value)
    if kind.get("type") == "array":
        return _object_of(schema, kind["items"])[0], True
    reference = kind.get("$ref", "")
    return schema["$defs"].get(reference.rpartition("/")[2]), False


def _given(value: dict[str, Any]) -> dict[str, Any]:
    """What a value is when it is there at all."""
    choices = [choice for choice in value.get("anyOf", ()) if choice.get("type") != "null"]
    return choices[0] if choices else value


def _row(schema: dict[str, Any], name: str, value: dict[str, Any], *, required: bool) -> str:
    inner, _ = _object_of(schema, value)
    said = value.get("description") or (inner or {}).get("description", "")
    default = value.get("default")
    states = (
        "required" if required else f"`{default}`" if isinstance(default, str | int | float) and default != "" else ""
    )
    described = ", ".join(part for part in (_kind(schema, value), states or "optional") if part)
    return f"| `{name}` | {described} | {_in_one_line(said)} |"


def _kind(schema: dict[str, Any], value: dict[str, Any]) -> str:
    given = _given(value)
    if "const" in given or "enum" in given:
        return " or ".join(f"`{choice}`" for choice in given.get("enum", [given.get("const")]))
    if "$ref" in given:
        return "mapping"
    if given["type"] == "array":
        return "list of mappings" if _object_of(schema, given)[0] is not None else "list of texts"
    return "instant" if given.get("format") == "date-time" else _KINDS[given["type"]]


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
