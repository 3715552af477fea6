"""Validation of properties by a registry schema, with CloudFormation's coercion of scalars.

The subset of JSON Schema that the registry uses; ``KEYWORDS`` lists it. Problems are worded as CloudFormation words
them, for example ``#/Rules/0: required key [Name] not found``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

KEYWORDS = frozenset({
    "$ref", "additionalProperties", "allOf", "anyOf", "const", "dependencies", "enum", "enumCaseInsensitive", "items",
    "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "not",
    "oneOf", "pattern", "patternProperties", "properties", "required", "requiredXor", "dependentExcluded", "type",
    "uniqueItems",
})  # fmt: skip
"""The keywords that constrain a value here."""

ANNOTATIONS = frozenset({
    "$comment", "$schema", "default", "definitions", "description", "examples", "format", "insertionOrder", "title",
    "arrayType", "relationshipRef", "maxUniqueItems", "if", "then", "else",
})  # fmt: skip
"""Keywords that are read past. Conditional schemas are: CloudFormation's own validation does not know them."""

Schema = Mapping[str, Any]
_JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
_SHOWN = {"object": "JSONObject", "array": "JSONArray"}


class Validator:
    """Checks one resource's properties; ``problems`` collects what is wrong."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self.problems: list[str] = []

    def check(self, schema: Schema, value: Any, path: str) -> Any:
        """``value`` coerced to ``schema``; what does not fit is appended to ``problems``."""
        while "$ref" in schema:
            schema = self._definition(schema["$ref"])
        if "type" in schema:
            value, fits = _coerced(schema, value)
            if not fits:
                expected = " or ".join(_shown(kind) for kind in _kinds(schema))
                self.problems.append(f"{path}: expected type: {expected}, found: {_shown(_kind_of(value))}")
                return value
        if isinstance(value, dict):
            value = self._object(schema, value, path)
        elif isinstance(value, list):
            value = self._array(schema, value, path)
        else:
            self._scalar(schema, value, path)
        return self._combined(schema, value, path)

    def _definition(self, reference: str) -> Schema:
        node: Any = self._root
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        return node  # type: ignore[no-any-return]

    def _fail(self, path: str, keyword: str) -> None:
        self.problems.append(f"{path}: failed validation constraint for keyword [{keyword}]")

    def _object(self, schema: Schema, value: dict[str, Any], path: str) -> dict[str, Any]:
        known: Mapping[str, Schema] = schema.get("properties", {})
        patterns: Mapping[str, Schema] = schema.get("patternProperties", {})
        extra = schema.get("additionalProperties", True)
        self.problems += [
            f"{path}: required key [{name}] not found" for name in schema.get("required", ()) if name not in value
        ]
        checked: dict[str, Any] = {}
        for name, item in value.items():
            fitting = known.get(name) or next((sub for text, sub in patterns.items() if pattern(text)(name)), None)
            if fitting is None and extra is False:
                self.problems.append(f"{path}: extraneous key [{name}] is not permitted")
            rule = fitting if fitting is not None else extra if isinstance(extra, dict) else None
            checked[name] = item if rule is None else self.check(rule, item, f"{path}/{name}")
        self._sizes(schema, len(value), path, "Properties")
        self._dependencies(schema, value, path)
        return checked

    def _dependencies(self, schema: Schema, value: Mapping[str, Any], path: str) -> None:
        for name, needs in schema.get("dependencies", {}).items():
            if name in value and isinstance(needs, list):
                self.problems += [f"{path}: property [{item}] is required" for item in needs if item not in value]
        for name, others in schema.get("dependentExcluded", {}).items():
            clash = [item for item in others if name in value and item in value]
            self.problems += [f"{path}: keys [{name}] and [{item}] exclude each other" for item in clash]
        choice = schema.get("requiredXor", ())
        if choice and sum(name in value for name in choice) != 1:
            self.problems.append(f"{path}: exactly one of the keys [{', '.join(choice)}] is required")

    def _array(self, schema: Schema, value: list[Any], path: str) -> list[Any]:
        if "items" in schema:
            value = [self.check(schema["items"], item, f"{path}/{index}") for index, item in enumerate(value)]
        self._sizes(schema, len(value), path, "Items")
        if schema.get("uniqueItems"):
            texts = [json.dumps(item, sort_keys=True) for item in value]
            if len(set(texts)) != len(texts):
                self.problems.append(f"{path}: array items are not unique")
        return value

    def _sizes(self, schema: Schema, size: int, path: str, noun: str) -> None:
        if size < schema.get(f"min{noun}", 0):
            self._fail(path, f"min{noun}")
        if f"max{noun}" in schema and size > schema[f"max{noun}"]:
            self._fail(path, f"max{noun}")

    def _scalar(self, schema: Schema, value: Any, path: str) -> None:
        if "enum" in schema and value not in schema["enum"]:
            self._fail(path, "enum")
        folded = [str(item).lower() for item in schema.get("enumCaseInsensitive", ())]
        if folded and str(value).lower() not in folded:
            self._fail(path, "enum")
        if "const" in schema and value != schema["const"]:
            self._fail(path, "const")
        if isinstance(value, str):
            self._sizes(schema, len(value), path, "Length")
            if "pattern" in schema and not pattern(schema["pattern"])(value):
                self._fail(path, "pattern")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if value < schema.get("minimum", value):
                self._fail(path, "minimum")
            if value > schema.get("maximum", value):
                self._fail(path, "maximum")

    def _combined(self, schema: Schema, value: Any, path: str) -> Any:
        for sub in schema.get("allOf", ()):
            value = self.check(sub, value, path)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                value = self._alternatives(keyword, schema[keyword], value, path)
        if "not" in schema and not self._tried(schema["not"], value, path)[1]:
            self._fail(path, "not")
        return value

    def _alternatives(self, keyword: str, schemas: list[Schema], value: Any, path: str) -> Any:
        results = [self._tried(sub, value, path) for sub in schemas]
        fitting = [coerced for coerced, problems in results if not problems]
        if not fitting:
            self.problems.append(f"{path}: #: no subschema matched out of the total {len(schemas)} subschemas")
            return value
        if keyword == "oneOf" and len(fitting) > 1:
            self.problems.append(f"{path}: #: {len(fitting)} subschemas matched instead of one")
        return fitting[0]

    def _tried(self, schema: Schema, value: Any, path: str) -> tuple[Any, list[str]]:
        trial = Validator(self._root)
        coerced = trial.check(schema, value, path)
        return coerced, trial.problems


def _kinds(schema: Schema) -> list[str]:
    kinds = schema["type"]
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _kind_of(value: Any) -> str:
    return _JSON_TYPES[type(value)]


def _shown(kind: str) -> str:
    return _SHOWN.get(kind, kind.capitalize())


def _coerced(schema: Schema, value: Any) -> tuple[Any, bool]:
    """The value as one of the schema's types, and whether it fits any."""
    kinds, actual = _kinds(schema), _kind_of(value)
    if actual in kinds or (actual == "integer" and "number" in kinds):
        return value, True
    for kind in kinds:
        convert = _COERCIONS.get((actual, kind))
        converted = convert(value) if convert else None
        if converted is not None:
            return converted, True
    return value, False


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else None


def _number(text: str) -> int | float | None:
    if _integer(text) is not None:
        return int(text)
    return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) else None


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


_COERCIONS: Mapping[tuple[str, str], Callable[[Any], Any]] = {
    ("string", "integer"): _integer,
    ("string", "number"): _number,
    ("string", "boolean"): _boolean,
    ("integer", "string"): str,
    ("number", "string"): str,
    ("number", "integer"): lambda value: int(value) if value.is_integer() else None,
    ("boolean", "string"): lambda value: "true" if value else "false",
}


@lru_cache(maxsize=1024)
def pattern(text: str) -> Callable[[str], Any]:
    r"""A search by a schema's pattern. ``\p{L}`` and its kind need the ``regex`` package, which cfn-lint brings."""
    if r"\p{" in text:
        import regex  # type: ignore[import-untyped]  # noqa: PLC0415 - only tags and a few names need it, and it takes 20 ms to load

        return regex.compile(text).search  # type: ignore[no-any-return]
    return re.compile(text).search
