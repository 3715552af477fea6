"""YAML text -> plain values, and the place of each. Strict, because these files decide what is patched.

Scalars follow YAML 1.2's core schema (``no`` and ``on`` are words, not booleans). Refused, each with its line: tags,
anchors and aliases, duplicate keys, keys that are not words, more than one document, nesting deeper than
``MAX_DEPTH``, and files larger than ``MAX_BYTES``. Nothing in the text is ever executed or expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from patchgate.errors import InputError, Problem

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 16

Path = tuple[str | int, ...]
Place = tuple[int, int]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a YAML text, and where each stands: lines and columns count from 1."""

    source: str
    value: Any
    keys: dict[Path, Place]
    values: dict[Path, Place]

    def place_of(self, path: Path, *, of_key: bool = False) -> Place:
        """Where the value of a path stands (or its key); for a path that is not there, its nearest ancestor."""
        if of_key and path in self.keys:
            return self.keys[path]
        while path not in self.values:
            if not path:
                return 1, 1
            path = path[:-1]
        return self.values[path]


def parse_document(text: bytes, source: str) -> Document:
    """Parse one YAML document; ``source`` is its name in messages. InputError names every problem found."""
    if len(text) > MAX_BYTES:
        raise InputError(problems=(Problem(f"larger than {MAX_BYTES // 1024 // 1024} MiB", source),))
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise InputError(problems=(Problem("not UTF-8 text", source, line),)) from None
    composer = _Composer(source)
    try:
        value = composer.compose(yaml.parse(decoded, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise InputError(problems=(*composer.problems, _syntax_problem(error, source))) from None
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise InputError(problems=(Problem(f"not valid YAML: {_in_one_line(error)}", source),)) from None
    if composer.problems:
        raise InputError(problems=tuple(composer.problems))
    return Document(source, value, composer.keys, composer.values)


@dataclass(slots=True)
class _Composer:
    source: str
    problems: list[Problem] = field(default_factory=list)
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)

    def compose(self, events: Iterator[Any]) -> Any:
        """The value of the stream's only document; None for an empty stream."""
        value, documents = None, 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse("a second document; one file holds one", event.start_mark)
                    break
                value = self._node(next(events), events, ())
        return value

    def _node(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        self.values[path] = _place(event.start_mark)
        if len(path) > MAX_DEPTH:
            self._refuse(f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
            raise InputError(problems=tuple(self.problems))
        if isinstance(event, yaml.AliasEvent):
            self._refuse(f"alias '*{event.anchor}'; write the value out", event.start_mark)
            return None
        if event.anchor is not None:
            self._refuse(f"anchor '&{event.anchor}'; write the value out", event.start_mark)
        if event.tag is not None:
            self._refuse(f"tag '{event.tag}'; this file has plain values only", event.start_mark)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return _resolve(event.value) if event.implicit[0] else event.value

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, events, path)
            below = (*path, key)
            if key in mapping:
                first = self.keys[below][0]
                self._refuse(f"duplicate key '{key}', first given in line {first}", event.start_mark)
            else:
                self.keys[below] = _place(event.start_mark)
            mapping[key] = self._node(next(events), events, below)
        return mapping

    def _key(self, event: Any, events: Iterator[Any], path: Path) -> str:
        if isinstance(event, yaml.ScalarEvent) and event.tag is None and event.anchor is None:
            return str(event.value)
        self._refuse("a key that is not a plain word", event.start_mark)
        self._node(event, events, (*path, ""))
        return ""

    def _sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, events, (*path, len(items))))
        return items

    def _refuse(self, message: str, mark: Any) -> None:
        line, column = _place(mark)
        self.problems.append(Problem(message, self.source, line, column))


def _resolve(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= 30:
        return int(text)
    if _NUMBER.fullmatch(text) and not text.lstrip("+-0").isdecimal() and len(text) <= 30:
        return float(text)
    return text


def _place(mark: Any) -> Place:  # a Mark of yaml's own scanner, or of libyaml's
    return mark.line + 1, mark.column + 1


def _syntax_problem(error: yaml.MarkedYAMLError, source: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = _place(mark) if mark else (0, 0)
    details = ", ".join(part for part in (error.context, error.problem) if part)
    return Problem(f"not valid YAML: {details}", source, line, column)


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())
