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
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHOWN_AT_MOST = 60
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
        raise InputError(problems=(*composer.found(), _syntax_problem(error, source, decoded))) from None
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise InputError(problems=(_character_problem(error, source, decoded),)) from None
    if problems := composer.found():
        raise InputError(problems=problems)
    return Document(source, value, composer.keys, composer.values)


@dataclass(slots=True)
class _Composer:
    source: str
    problems: list[Problem] = field(default_factory=list)
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    references: list[tuple[str, Place]] = field(default_factory=list)
    """Anchors and aliases, and where they stand: one problem, however many there are."""

    def found(self) -> tuple[Problem, ...]:
        """Every problem up to now, in the order of the text."""
        problems = list(self.problems)
        if self.references:
            text, (line, column) = self.references[0]
            more = f" ({len(self.references)} anchors and aliases in all)" if len(self.references) > 1 else ""
            problems.append(Problem(f"{text}; write the value out{more}", self.source, line, column))
        return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))

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
            raise InputError(problems=self.found())
        if isinstance(event, yaml.AliasEvent):
            self.references.append((f"alias '*{brief(str(event.anchor))}'", _place(event.start_mark)))
            return None
        if event.anchor is not None:
            self.references.append((f"anchor '&{brief(event.anchor)}'", _place(event.start_mark)))
        if event.tag is not None:
            self._refuse(f"tag '{brief(event.tag)}'; this file has plain values only", event.start_mark)
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
                self._refuse(f"duplicate key '{brief(key)}', first given in line {first}", event.start_mark)
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


def brief(text: str) -> str:
    """Text for a message: of very long text, its beginning."""
    return text if len(text) <= _SHOWN_AT_MOST else f"{text[:_SHOWN_AT_MOST]}..."


def _syntax_problem(error: yaml.MarkedYAMLError, source: str, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = _place(mark) if mark else (0, 0)
    lines = text.splitlines()
    if 0 < line <= len(lines) and lines[line - 1][column - 1 : column] == "\t":
        return Problem("not valid YAML: a tab where an indentation is", source, line, column, "indent with spaces")
    details = ", ".join(part for part in (error.context, error.problem) if part)
    return Problem(f"not valid YAML: {details}", source, line, column)


def _character_problem(error: yaml.YAMLError, source: str, text: str) -> Problem:
    """A character that YAML does not allow: the first one of the text, as YAML 1.2 has them."""
    found = _NOT_ALLOWED.search(text)
    if found is None:
        return Problem(f"not valid YAML: {' '.join(str(error).split())}", source)
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    return Problem(f"not valid YAML: character U+{ord(found[0]):04X} is not allowed", source, line, column)
