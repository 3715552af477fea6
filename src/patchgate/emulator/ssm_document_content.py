"""The content of Systems Manager documents: text to a checked structure, refusing what AWS refuses.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_document_parameters import Parameter, invalid_content, parse_parameters
from patchgate.emulator.ssm_document_steps import (
    BUILT_IN_REFERENCES,
    Step,
    check_command_step,
    parse_automation_steps,
)

MAXIMUM_BYTES = 64 * 1024
REFERENCE = re.compile(r"\{\{\s*([\w:.\-]+)\s*\}\}")
_COMMAND_KEYS = frozenset({"schemaVersion", "description", "parameters", "mainSteps", "$schema"})
_AUTOMATION_KEYS = frozenset(
    {
        "schemaVersion",
        "description",
        "assumeRole",
        "parameters",
        "mainSteps",
        "outputs",
        "variables",
        "files",
        "$schema",
    }
)


@dataclass(frozen=True, slots=True)
class Content:
    """A checked document. ``steps`` are the Automation steps, or Command steps in the same form."""

    kind: str
    schema_version: str
    description: str
    parameters: Mapping[str, Parameter]
    steps: tuple[Step, ...]
    assume_role: str = ""
    outputs: tuple[str, ...] = ()
    platform_types: tuple[str, ...] = ("Windows", "Linux", "MacOS")
    raw: Mapping[str, Any] = field(default_factory=dict)


class _StrictLoader(yaml.SafeLoader):
    """Plain data only: no tags that build objects, no aliases, no key twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not supported")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(map(str, keys))) != len(keys):
            raise yaml.YAMLError("a key is given twice")
        return super().construct_mapping(node, deep)


def parse_content(text: str, document_format: str, kind: str) -> Content:
    """Parse and check a Command or Automation document.

    Raises AwsError MaxDocumentSizeExceeded, InvalidDocumentContent or InvalidDocumentSchemaVersion.
    """
    if len(text.encode()) > MAXIMUM_BYTES:
        raise AwsError("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
    raw = _load(text, document_format)
    return parse_command(raw) if kind == "Command" else parse_automation(raw)


def parse_command(raw: Mapping[str, Any]) -> Content:
    """Check the structure of a Command document, schema version 2.2."""
    _check_keys(raw, _COMMAND_KEYS)
    _check_version(raw, ("2.2",))
    parameters = parse_parameters(raw.get("parameters"))
    steps = [check_command_step(step) for step in _main_steps(raw)]
    _check_unique([step.name for step in steps])
    known = {*parameters}
    for name in references(raw["mainSteps"]):
        if name not in known and ":" not in name:
            raise invalid_content(f"Parameter {name} is used but not defined")
    return Content(
        "Command",
        str(raw["schemaVersion"]),
        _text(raw, "description"),
        parameters,
        tuple(steps),
        platform_types=_platforms(steps),
        raw=raw,
    )


def parse_automation(raw: Mapping[str, Any]) -> Content:
    """Check the structure of an Automation runbook, schema version 0.3."""
    _check_keys(raw, _AUTOMATION_KEYS)
    _check_version(raw, ("0.3",))
    for key in ("variables", "files"):
        if raw.get(key):
            raise NotEmulatedError(f"runbooks with {key}")
    parameters = parse_parameters(raw.get("parameters"))
    steps = parse_automation_steps(_main_steps(raw))
    _check_unique([step.name for step in steps])
    outputs = raw.get("outputs", [])
    if not isinstance(outputs, list) or not all(isinstance(item, str) for item in outputs):
        raise invalid_content("outputs must be a list of references")
    _check_references(raw, parameters, steps)
    return Content(
        "Automation",
        "0.3",
        _text(raw, "description"),
        parameters,
        tuple(steps),
        assume_role=_text(raw, "assumeRole"),
        outputs=tuple(outputs),
        raw=raw,
    )


def references(value: Any) -> Iterator[str]:
    """Every ``{{ name }}`` in a structure, in order."""
    if isinstance(value, str):
        yield from REFERENCE.findall(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from references(key)
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def _load(text: str, document_format: str) -> dict[str, Any]:
    try:
        raw = json.loads(text) if document_format == "JSON" else _load_yaml(text)
    except (ValueError, yaml.YAMLError) as error:
        raise invalid_content(f"{document_format} not well-formed: {error}") from None
    if not isinstance(raw, dict):
        raise invalid_content(f"{document_format} not well-formed: the document is not a map")
    return raw


def _load_yaml(text: str) -> Any:
    return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader


def _check_keys(raw: Mapping[str, Any], allowed: frozenset[str]) -> None:
    unknown = sorted(str(key) for key in raw if key not in allowed)
    if unknown:
        raise invalid_content(f"Unknown properties: {', '.join(unknown)}")


def _check_version(raw: Mapping[str, Any], supported: tuple[str, ...]) -> None:
    version = raw.get("schemaVersion")
    if not isinstance(version, str):
        raise invalid_content("schemaVersion must be a string")
    if version not in supported:
        raise AwsError(
            "InvalidDocumentSchemaVersion", f"The version {version} of the document schema is not supported."
        )


def _main_steps(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    steps = raw.get("mainSteps")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise invalid_content("mainSteps must be a list of at least one step")
    return steps


def _check_unique(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise invalid_content(f"Step names must be unique: {', '.join(twice)}")


def _check_references(raw: Mapping[str, Any], parameters: Mapping[str, Parameter], steps: list[Step]) -> None:
    outputs = {step.name: {output.name for output in step.outputs} | step.built_in_outputs for step in steps}
    for name in references({key: raw.get(key) for key in ("assumeRole", "mainSteps", "outputs")}):
        step, dot, output = name.partition(".")
        known = output in outputs.get(step, ()) if dot else name in parameters or name in BUILT_IN_REFERENCES
        if not known:
            raise invalid_content(f"{{{{ {name} }}}} refers to nothing that the document defines")


def _platforms(steps: list[Step]) -> tuple[str, ...]:
    named = {platform for step in steps if (platform := step.platform)}
    if named and all(step.platform for step in steps):
        return tuple(platform for platform in ("Windows", "Linux", "MacOS") if platform in named)
    return ("Windows", "Linux", "MacOS")


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key, "")
    if not isinstance(value, str):
        raise invalid_content(f"{key} must be a string")
    return value


def substitute(value: Any, parameters: Mapping[str, Any]) -> Any:
    """A command step's inputs with its parameters in them. A string that is one reference becomes the value itself.

    Raises AwsError InvalidParameters for a reference to nothing.
    """
    if isinstance(value, str):
        if "{{" not in value:
            return value
        whole = REFERENCE.fullmatch(value)
        if whole:
            return _value(whole[1], parameters)
        return REFERENCE.sub(lambda found: _as_text(_value(found[1], parameters)), value)
    if isinstance(value, dict | Mapping):
        return {key: substitute(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        expanded = [substitute(item, parameters) for item in value]
        return [line for item in expanded for line in (item if isinstance(item, list) else [item])]
    return value


def _value(name: str, parameters: Mapping[str, Any]) -> Any:
    if name not in parameters:
        raise AwsError("InvalidParameters", f"The document refers to {name}, which has no value.")
    return parameters[name]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
