"""The anatomy of a template: its sections, checked for structure and turned into frozen records.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html. Where AWS documents no text for
an error, the text here is ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from patchgate.emulator.cloudformation.reader import invalid, read_template_text
from patchgate.emulator.errors import NotEmulatedError

FORMAT_VERSION = "2010-09-09"
_SECTIONS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources",
    "Outputs", "Rules", "Transform", "Hooks",
}  # fmt: skip
_RESOURCE_KEYS = {
    "Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata",
    "CreationPolicy", "UpdatePolicy",
}  # fmt: skip
_OUTPUT_KEYS = {"Description", "Value", "Export", "Condition"}
_DELETION_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot")
_REPLACE_POLICIES = ("Delete", "Retain", "Snapshot")
_LIMITS = {"Parameters": 200, "Mappings": 200, "Resources": 500, "Outputs": 200}


@dataclass(frozen=True, slots=True)
class ResourceDeclaration:
    """One entry of Resources, its properties still with their intrinsic functions."""

    name: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OutputDeclaration:
    """One entry of Outputs; ``value`` and ``export_name`` may hold intrinsic functions, None is no export."""

    name: str
    value: Any
    description: str | None = None
    export_name: Any = None
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A template whose structure is sound. Treat everything in it as read-only: parsed templates are shared."""

    body: str
    description: str | None
    version: str | None
    metadata: Mapping[str, Any] | None
    parameters: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Mapping[str, Mapping[str, Any]]]
    conditions: Mapping[str, Any]
    resources: Mapping[str, ResourceDeclaration]
    outputs: Mapping[str, OutputDeclaration] = field(default_factory=dict)


@lru_cache(maxsize=64)
def parse_template(body: str) -> Template:
    """The template of a TemplateBody, or AwsError ValidationError as CreateStack and ValidateTemplate raise it."""
    document = read_template_text(body)
    if not isinstance(document, dict):
        raise invalid("Template format error: unsupported structure.")
    unknown = [name for name in document if name not in _SECTIONS]
    if unknown:
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    for section in ("Transform", "Rules", "Hooks"):
        if section in document:
            raise NotEmulatedError(f"the template section {section}")
    version = document.get("AWSTemplateFormatVersion")
    if "AWSTemplateFormatVersion" in document and version != FORMAT_VERSION:
        raise invalid("Template format error: unsupported value for AWSTemplateFormatVersion.")
    _refuse_nulls(document)
    if not document.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    sections = {
        name: _section(document, name) for name in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs")
    }
    return Template(
        body=body,
        description=_description(document),
        version=version,
        metadata=_mapping(document.get("Metadata"), "Metadata") if "Metadata" in document else None,
        parameters={name: _mapping(spec, f"Parameters/{name}") for name, spec in sections["Parameters"].items()},
        mappings={name: _mapping_table(name, table) for name, table in sections["Mappings"].items()},
        conditions=sections["Conditions"],
        resources={name: _resource(name, spec) for name, spec in sections["Resources"].items()},
        outputs={name: _output(name, spec) for name, spec in sections["Outputs"].items()},
    )


def _refuse_nulls(value: Any, path: str = "") -> None:
    if value is None:
        raise invalid(f"Template format error: [{path}] 'null' values are not allowed in templates")
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in members:
        if isinstance(item, dict | list) or item is None:
            _refuse_nulls(item, f"{path}/{key}")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"Template format error: [/{where}] must be an object.")
    return value


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = _mapping(document.get(name, {}), name)
    limit = _LIMITS.get(name)
    if limit and len(section) > limit:
        raise invalid(
            f"Template format error: Number of {name.lower()}, {len(section)}, is greater than maximum allowed, {limit}"
        )
    singular = {"Parameters": "Parameter", "Resources": "Resource", "Outputs": "Output"}.get(name)
    for entry in section if singular else ():
        if not re.fullmatch(r"[A-Za-z0-9]{1,255}", entry):
            raise invalid(f"Template format error: {singular} name {entry} is non alphanumeric.")
    both = [entry for entry in section if name == "Resources" and entry in (document.get("Parameters") or {})]
    if both:
        raise invalid(f"Template format error: Duplicate name [{', '.join(both)}] in Parameters and Resources")
    return section


def _description(document: Mapping[str, Any]) -> str | None:
    description = document.get("Description")
    if description is None:
        return None
    if not isinstance(description, str):
        raise invalid("Template format error: every Description member must be a string.")
    if len(description.encode()) > 1024:
        raise invalid("Template format error: 'Description' length is greater than 1024.")
    return description


def _mapping_table(name: str, table: Any) -> Mapping[str, Mapping[str, Any]]:
    for top, attributes in _mapping(table, f"Mappings/{name}").items():
        for key, value in _mapping(attributes, f"Mappings/{name}/{top}").items():
            scalars = value if isinstance(value, list) else [value]
            if not all(isinstance(item, str | int | float) for item in scalars):
                raise invalid(
                    f"Template format error: Every Mappings attribute must be a String or a List. [{name}/{top}/{key}]"
                )
    return table  # type: ignore[no-any-return]


def _resource(name: str, spec: Any) -> ResourceDeclaration:
    spec = _mapping(spec, f"Resources/{name}")
    for key in spec:
        if key not in _RESOURCE_KEYS:
            raise invalid(f"Invalid template resource property '{key}'")
    for key in ("CreationPolicy", "UpdatePolicy"):
        if key in spec:
            raise NotEmulatedError(f"{key} of a resource ({name})")
    kind = spec.get("Type")
    if not isinstance(kind, str):
        raise invalid(f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member.")
    depends = spec.get("DependsOn", [])
    depends = [depends] if isinstance(depends, str) else depends
    if not isinstance(depends, list) or not all(isinstance(item, str) for item in depends):
        raise invalid(f"Template format error: DependsOn of resource {name} must be a string or list of strings.")
    return ResourceDeclaration(
        name=name,
        type=kind,
        properties=_mapping(spec.get("Properties", {}), f"Resources/{name}/Properties"),
        depends_on=tuple(depends),
        condition=_condition_name(spec, f"resource {name}"),
        deletion_policy=_policy(name, spec, "DeletionPolicy", _DELETION_POLICIES),
        update_replace_policy=_policy(name, spec, "UpdateReplacePolicy", _REPLACE_POLICIES),
        metadata=_mapping(spec["Metadata"], f"Resources/{name}/Metadata") if "Metadata" in spec else None,
    )


def _policy(name: str, spec: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    policy = spec.get(key, "Delete")
    if policy not in allowed:
        raise invalid(f"Template error: unrecognized {key} {policy} for resource {name}; allowed: {', '.join(allowed)}")
    if policy == "Snapshot":
        raise invalid(f"Template error: resource type {spec['Type']} does not support {key.lower()} Snapshot")
    return str(policy)


def _condition_name(spec: Mapping[str, Any], where: str) -> str | None:
    condition = spec.get("Condition")
    if condition is not None and not isinstance(condition, str):
        raise invalid(f"Template format error: Condition of {where} must be a string.")
    return condition


def _output(name: str, spec: Any) -> OutputDeclaration:
    spec = _mapping(spec, f"Outputs/{name}")
    unknown = [key for key in spec if key not in _OUTPUT_KEYS]
    if unknown:
        raise invalid(f"Invalid template output property '{unknown[0]}'")
    if "Value" not in spec:
        raise invalid(f"Template format error: Output {name} must contain a Value member.")
    if isinstance(spec["Value"], list):
        raise invalid(
            f"Template format error: The Value field of every Outputs member must evaluate to a String. [{name}]"
        )
    export = _mapping(spec.get("Export", {}), f"Outputs/{name}/Export")
    if "Export" in spec and set(export) != {"Name"}:
        raise invalid(
            f"Template format error: Output {name} is malformed. The Export field must hold a Name and no more"
        )
    description = spec.get("Description")
    if description is not None and not isinstance(description, str):
        raise invalid(f"Template format error: every Description member must be a string. [/Outputs/{name}]")
    return OutputDeclaration(
        name, spec["Value"], description, export.get("Name"), _condition_name(spec, f"output {name}")
    )
