"""A fleet file read into a ``FleetConfig``, or every problem of it at once, each with its line and column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from patchgate.config.document import MAX_BYTES, Document, parse_document
from patchgate.config.fleet import FleetConfig, find_contradictions
from patchgate.config.words import describe_choices
from patchgate.errors import InputError, Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

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
    return parse_fleet(text, str(path))


def parse_fleet(text: bytes, source: str) -> FleetConfig:
    """Parse a fleet file's text; ``source`` is its name in messages. Raises InputError with every problem."""
    document = parse_document(text, source)
    if document.value is None:
        raise InputError(problems=(Problem("the file is empty", source, 1, 1, "start from examples/fleet.yaml"),))
    fleet = validate_document(document, FleetConfig, {"accounts": _account_words(document.value)})
    problems = [
        Problem(message, source, *document.place_of(path), remedy)
        for path, message, remedy in find_contradictions(fleet)
    ]
    if problems:
        raise InputError(problems=_in_order(problems))
    return fleet


def validate_document(document: Document, model: type[_Model], context: dict[str, Any] | None = None) -> _Model:
    """The document as a model; InputError with every problem, each where it stands in the text."""
    try:
        return model.model_validate(document.value, context=context)
    except ValidationError as error:
        problems = [_problem(document, model, details) for details in error.errors(include_url=False)]
        raise InputError(problems=_in_order(problems)) from None


def _account_words(value: Any) -> list[str]:
    """The names and ids that a fleet file gives its accounts, before anything of it is known to be valid."""
    accounts = value.get("accounts") if isinstance(value, dict) else None
    entries = [entry for entry in accounts if isinstance(entry, dict)] if isinstance(accounts, list) else []
    return [str(entry[key]) for key in ("name", "id") for entry in entries if key in entry]


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))


def _problem(document: Document, model: type[BaseModel], details: ErrorDetails) -> Problem:
    path = tuple(part for part in details["loc"] if part != "[key]")
    is_key = details["loc"][-1:] == ("[key]",) or details["type"] == "extra_forbidden"
    message, remedy = _describe(details, path, model)
    line, column = document.place_of(path, of_key=is_key)
    return Problem(message, document.source, line, column, remedy)


def _describe(details: ErrorDetails, path: tuple[str | int, ...], model: type[BaseModel]) -> tuple[str, str]:
    """(message, remedy) of one of pydantic's errors, in the fleet file's words."""
    context: dict[str, Any] = details.get("ctx") or {}
    name = ".".join(str(part) for part in path if isinstance(part, str)) or "the file"
    match details["type"]:
        case "refused":
            described = context["message"], context["remedy"]
        case "extra_forbidden":
            described = f"unknown key '{path[-1]}'", describe_choices(str(path[-1]), _keys_at(path[:-1], model))
        case "missing":
            described = f"missing key '{path[-1]}'", ""
        case "too_short":
            described = f"{name} is empty", f"at least {context['min_length']}"
        case "literal_error":
            described = f"{name} cannot be {_shown(details['input'])}", f"expected {context['expected']}"
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
            model = next(_models_in(model.model_fields[part].annotation))
    return tuple(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
