"""The CloudFormation registry's resource type schemas: which types a Region has, and whether properties fit them.

The schemas are data files of the ``cfn-lint`` distribution, read one type at a time and kept; cfn-lint's code is not
imported. https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from patchgate.emulator.cloudformation.validation import Validator
from patchgate.errors import MissingExtraError

Pointer = tuple[str, ...]
_FALLBACK_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class ResourceSchema:
    """One resource type. Pointers are property paths; ``*`` in one stands for every element of a list."""

    type: str
    document: Mapping[str, Any]
    create_only: tuple[Pointer, ...]
    conditionally_create_only: tuple[Pointer, ...]
    read_only: tuple[Pointer, ...]
    tag_property: str | None
    """The name of the top-level property that takes tags, None where the type has none."""
    tags_are_map: bool

    def validate(self, properties: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The properties, coerced to the schema's types, and every problem in CloudFormation's words.

        CloudFormation reads ``"5"`` where a number is wanted and ``5`` where a string is, likewise with booleans.
        """
        validator = Validator(self.document)
        coerced = validator.check(self.document, dict(properties), "#")
        problems = validator.problems
        for pointer in self.read_only:
            if values_at(properties, pointer):
                problems.append(f"#: read-only property [{'/'.join(pointer)}] is not permitted")
        return coerced, problems

    def replaced_by(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """The create-only properties that differ: an update with any of them replaces the resource."""
        return ["/".join(pointer) for pointer in self.create_only if values_at(old, pointer) != values_at(new, pointer)]


def values_at(value: Any, pointer: Pointer) -> list[Any]:
    """Everything that a pointer finds in a value, in order."""
    if not pointer:
        return [value]
    head, rest = pointer[0], pointer[1:]
    if head == "*":
        items = value if isinstance(value, list) else []
        return [found for item in items for found in values_at(item, rest)]
    return values_at(value[head], rest) if isinstance(value, dict) and head in value else []


def type_exists(region: str, resource_type: str) -> bool:
    """Whether CloudFormation has the type in the Region."""
    return resource_type in _types(region)


def schema_of(region: str, resource_type: str) -> ResourceSchema:
    """The type's schema in the Region; KeyError where it does not exist."""
    return _load(_types(region)[resource_type])


@lru_cache(maxsize=64)
def _types(region: str) -> Mapping[str, str]:
    """Resource type to the name of its schema's file.

    Assumption: a Region that the data has no file for has the types of us-east-1.
    """
    path = _data() / "providers" / f"{region}.json"
    if not path.is_file():
        path = _data() / "providers" / f"{_FALLBACK_REGION}.json"
    types: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return types


@lru_cache(maxsize=1)
def _data() -> Path:
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            "the resource schemas of CloudFormation come with cfn-lint, which is not installed",
            remedy="pip install 'patchgate[emulator]'",
        )
    return Path(spec.origin).parent / "data" / "schemas"


@lru_cache(maxsize=512)
def _load(name: str) -> ResourceSchema:
    document = json.loads((_data() / "resources" / f"{name}.json").read_text(encoding="utf-8"))
    tagging = document.get("tagging") or {}
    tag_property = None
    if tagging.get("taggable", document.get("taggable", False)):
        tag_property = str(tagging.get("tagProperty", "/properties/Tags")).removeprefix("/properties/")
    tags = document["properties"].get(tag_property) if tag_property else None
    return ResourceSchema(
        type=document["typeName"],
        document=document,
        create_only=_pointers(document, "createOnlyProperties"),
        conditionally_create_only=_pointers(document, "conditionalCreateOnlyProperties"),
        read_only=_pointers(document, "readOnlyProperties"),
        tag_property=tag_property if tags is not None else None,
        tags_are_map=tags is not None and tags.get("type") == "object",
    )


def _pointers(document: Mapping[str, Any], key: str) -> tuple[Pointer, ...]:
    return tuple(tuple(item.removeprefix("/properties/").split("/")) for item in document.get(key, ()))
