"""A fleet file read into a ``FleetConfig``, or every problem of it at once, each with its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from patchgate.config.contradictions import find_contradictions, find_overlaps
from patchgate.config.document import MAX_BYTES, Document, Place, parse_document
from patchgate.config.fleet import FleetConfig
from patchgate.config.freeze_calendars import read_calendars
from patchgate.config.model import FleetFile
from patchgate.config.settings import models_in
from patchgate.config.words import describe_choices, describe_nearest, describe_refusal
from patchgate.domain.environments import ENVIRONMENTS
from patchgate.errors import InputError, Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST_PROBLEMS = 100
LONGEST_MESSAGE = 500

_Model = TypeVar("_Model", bound=BaseModel)

_EXPECTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "int_type": "a number",
}


def read_fleet(path: Path) -> FleetConfig:
    """Read a fleet file. Raises InputError with every problem of it, or with why it cannot be read."""
    if path.is_dir():  # systems differ in the error that opening it is
        raise InputError(f"cannot read {path}: it is a directory", remedy="give the path of the fleet file in it")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", remedy="give the path of a fleet file") from error
    return parse_fleet(text, str(path), directory=path.parent)


def parse_fleet(text: bytes, source: str, *, directory: Path = Path()) -> FleetConfig:
    """Parse a fleet file's text. Raises InputError with every problem.

    ``source`` is its name in messages; calendar files are seen from ``directory``.
    """
    document = parse_document(text, source)
    if document.value is None:
        raise InputError(problems=(Problem("the file is empty", source, 1, 1, "start with: patchgate init"),))
    file = validate_document(document, FleetFile, _words(document.value))
    problems = [
        Problem(message, source, *document.place_of(path), remedy)
        for path, message, remedy in find_contradictions(file)
    ]
    calendars, unreadable = read_calendars(file, document, directory)
    fleet = FleetConfig(file, document, calendars)
    problems += unreadable or ()
    problems += [] if problems else find_overlaps(fleet)
    if problems:
        raise InputError(problems=_in_order(problems))
    return fleet


def validate_document(document: Document, model: type[_Model], context: dict[str, Any] | None = None) -> _Model:
    """The document as a model; InputError with every problem, each where it stands in the text."""
    try:
        return model.model_validate(document.value, context=context)
    except ValidationError as error:
        placed = sorted(((_place(document, each), each) for each in error.errors(include_url=False)), key=itemgetter(0))
        problems = [_problem(document, model, *each) for each in placed[:MOST_PROBLEMS]]
        raise InputError(problems=_in_order(problems, len(placed) - len(problems))) from None


def _words(value: Any) -> dict[str, dict[str, None]]:
    """What a fleet file calls its accounts, units and environments, before anything of it is known to be valid."""

    def entries(key: str) -> list[dict[str, Any]]:
        listed = value.get(key) if isinstance(value, dict) else None
        return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []

    def words(section: str, *keys: str) -> dict[str, None]:
        return dict.fromkeys(str(entry[key]) for key in keys for entry in entries(section) if key in entry)

    return {
        "accounts": words("accounts", "name", "id"),
        "units": words("organizational_units", "name", "id"),
        "environments": words("environments", "name") or dict.fromkeys(ENVIRONMENTS),
    }


def _in_order(problems: Iterable[Problem], more: int = 0) -> tuple[Problem, ...]:
    """In the order of the file, each once; of very many the first ones, and how many ``more`` there are."""
    shortened = (replace(each, message=_shortened(each.message), remedy=_shortened(each.remedy)) for each in problems)
    found = sorted(dict.fromkeys(shortened), key=lambda problem: (problem.line, problem.column))
    more += max(0, len(found) - MOST_PROBLEMS)
    if not more:
        return tuple(found)
    return (*found[:MOST_PROBLEMS], Problem(f"{more} more problems", found[0].source, remedy="mend these first"))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 3]}..."


def _place(document: Document, details: ErrorDetails) -> Place:
    is_key = details["loc"][-1:] == ("[key]",) or details["type"] == "extra_forbidden"
    return document.place_of(_path(details), of_key=is_key)


def _path(details: ErrorDetails) -> tuple[str | int, ...]:
    return tuple(part for part in details["loc"] if part != "[key]")


def _problem(document: Document, model: type[BaseModel], place: Place, details: ErrorDetails) -> Problem:
    message, remedy = _describe(details, _path(details), model)
    return Problem(message, document.source, *place, remedy)


def _describe(details: ErrorDetails, path: tuple[str | int, ...], model: type[BaseModel]) -> tuple[str, str]:
    """(message, remedy) of one of pydantic's errors, in the fleet file's words."""
    context: dict[str, Any] = details.get("ctx") or {}
    name = ".".join(str(part) for part in path if isinstance(part, str)) or "the file"
    match details["type"]:
        case "refused":
            described = describe_refusal(context)
        case "extra_forbidden":
            described = f"unknown key '{path[-1]}'", describe_choices(str(path[-1]), _keys_at(path[:-1], model))
        case "missing":
            described = f"missing key '{path[-1]}'", ""
        case "too_short":
            described = f"{name} is empty", f"at least {context['min_length']}"
        case "too_long":
            described = f"{name} is too long", f"at most {context['max_length']}"
        case "greater_than_equal":
            described = f"{name} cannot be {_shown(details['input'])}", f"at least {context['ge']}"
        case "less_than_equal":
            described = f"{name} cannot be {_shown(details['input'])}", f"at most {context['le']}"
        case "literal_error":
            nearest = describe_nearest(str(details["input"]), re.findall("'([^']*)'", context["expected"]))
            described = f"{name} cannot be {_shown(details['input'])}", nearest or f"expected {context['expected']}"
        case "string_too_short":
            described = f"{name} is empty", ""
        case "string_too_long":
            described = f"{name} is too long", f"at most {context['max_length']} characters"
        case kind if kind in _EXPECTED:
            described = f"{name} must be {_EXPECTED[kind]}, not {_shown(details['input'])}", ""
        case _:
            described = f"{name}: {details['msg']}", ""
    return described


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys_at(path: tuple[str | int, ...], model: type[BaseModel]) -> tuple[str, ...]:
    """The keys that the model at a path below another one knows."""
    for part in path:
        if isinstance(part, str):
            model = next(models_in(model.model_fields[part].annotation))
    return tuple(model.model_fields)
