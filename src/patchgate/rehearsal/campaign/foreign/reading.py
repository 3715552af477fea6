"""A directory of templates as stacks, in the order in which they need each other, and its lanes as shapes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from patchgate.config import parse_document
from patchgate.errors import InputError, Problem
from patchgate.operations.ports import StackFailedError
from patchgate.rehearsal.campaign.foreign.ground import OUTPUT, survey_lanes
from patchgate.rehearsal.campaign.ground import open_grounds
from patchgate.rehearsal.campaign.shapes import ACCOUNT, ForeignStack, Shape

TEMPLATES = (".yaml", ".yml", ".json", ".template")
PARAMETERS = ".parameters"
_NO_EXPORT = "No export named"
_NOT_EMULATED = "rehearse the rest without it; what the embedded AWS implements is in its reference"
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,127}")


def read_foreign_shapes(directory: Path, region: str) -> tuple[Shape, ...]:
    """The lanes of a directory of templates, each as likely as the others: what they are is read off what they deploy,
    once, on an embedded AWS of its own.

    A template ``NAME.yaml`` (.yml, .json, .template) becomes the stack NAME; ``NAME.parameters.json`` (or .yaml) holds
    its parameters, as a map or as the AWS CLI writes them. Raises InputError with every problem of the files, for
    stacks that cannot be deployed, and where no window installs.
    """
    stacks = _read_stacks(directory)
    late = dict.fromkeys(stacks, 0)
    while True:
        ordered = tuple(stacks[name] for name in _in_order(stacks, late, directory))
        whole = Shape(directory.resolve().name, "templates of others", ACCOUNT, region, stacks=ordered)
        try:
            with open_grounds() as grounds:
                names = survey_lanes(grounds.stage, whole)
        except StackFailedError as error:
            if _NO_EXPORT in error.reason and late[error.stack] < len(stacks):
                late[error.stack] += 1  # another stack may export it: this one comes after it
                continue
            raise _undeployable(error, directory) from None
        return tuple(replace(whole, name=name) for name in names)


def _undeployable(error: StackFailedError, directory: Path) -> InputError:
    """A stack that failed, as a problem of its template."""
    path = next(path for path in _templates(directory) if path.stem == error.stack)
    where = f"{error.resource}: " if error.resource else ""
    remedy = _NOT_EMULATED if "NotEmulated" in error.reason else "correct what the message names and run this again"
    return InputError(problems=(Problem(f"{where}{error.reason}", str(path)),), remedy=remedy)


def _templates(directory: Path) -> list[Path]:
    return [path for path in _entries(directory) if path.suffix in TEMPLATES and PARAMETERS not in path.name]


def _entries(directory: Path) -> list[Path]:
    """What a directory holds, by name; what cannot be read is refused when it is, never left out."""
    try:
        return sorted(directory.iterdir())
    except OSError as error:
        raise InputError(f"cannot read the directory {directory}: {error.strerror}") from error


def _read_stacks(directory: Path) -> dict[str, ForeignStack]:
    """The stacks by name."""
    if not directory.is_dir():
        raise InputError(f"there is no directory {directory}", remedy="name one that holds CloudFormation templates")
    paths = _templates(directory)
    if not paths:
        raise InputError(f"{directory} holds no template", remedy=f"templates end in {', '.join(TEMPLATES)}")
    stacks: dict[str, ForeignStack] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            stack = _read_stack(path)
        except InputError as error:
            problems += error.problems
            continue
        if stack.name in stacks:
            problems.append(Problem(f"there is another template called {stack.name}", str(path)))
        stacks[stack.name] = stack
    problems += _orphans(directory, {path.stem for path in paths})
    problems += _unknown_references(stacks, directory)
    if problems:
        raise InputError(problems=tuple(problems))
    return stacks


def _orphans(directory: Path, names: set[str]) -> Iterator[Problem]:
    """Files of parameters without a template: nothing would read them."""
    for path in _entries(directory):
        name, found, suffix = path.name.rpartition(PARAMETERS + ".")
        if found and suffix in ("json", "yaml", "yml") and name not in names:
            remedy = f"call it after one of {', '.join(sorted(names))}"
            yield Problem(f"holds the parameters of {name}, which is no template here", str(path), remedy=remedy)


def _read_stack(path: Path) -> ForeignStack:
    if not _NAME.fullmatch(path.stem):
        remedy = "begin with a letter; letters, digits and '-' follow"
        raise InputError(problems=(Problem(f"'{path.stem}' is no name for a stack", str(path), remedy=remedy),))
    beside = [path.with_name(f"{path.stem}{PARAMETERS}{suffix}") for suffix in (".json", ".yaml", ".yml")]
    given = next((each for each in beside if os.path.lexists(each)), None)  # a link to nowhere is given, and refused
    return ForeignStack(path.stem, _text(path), _read_parameters(given) if given else {})


def _text(path: Path) -> str:
    try:
        return _content(path).decode()
    except UnicodeDecodeError:
        raise InputError(problems=(Problem("is not UTF-8", str(path)),)) from None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what = "is a directory" if path.is_dir() else f"cannot be read: {error.strerror}"
        raise InputError(problems=(Problem(what, str(path), remedy="give a file, or remove it"),)) from error


def _read_parameters(path: Path) -> dict[str, str]:
    """A map, that map under ``Parameters``, or the AWS CLI's list of ParameterKey and ParameterValue."""
    value = parse_document(_content(path), str(path)).value
    if isinstance(value, dict) and isinstance(value.get("Parameters"), dict):
        value = value["Parameters"]
    if isinstance(value, list) and all(isinstance(each, dict) and "ParameterKey" in each for each in value):
        value = {each["ParameterKey"]: each.get("ParameterValue") for each in value}
    if not isinstance(value, dict) or not all(isinstance(each, str | int | bool) for each in value.values()):
        remedy = "give a map of names and values, or a list of ParameterKey and ParameterValue"
        raise InputError(problems=(Problem("holds no parameters", str(path), remedy=remedy),))
    return {str(key): str(each).lower() if isinstance(each, bool) else str(each) for key, each in value.items()}


def _needs(stack: ForeignStack) -> set[str]:
    return {match[1] for value in stack.parameters.values() for match in OUTPUT.finditer(value)}


def _unknown_references(stacks: Mapping[str, ForeignStack], directory: Path) -> Iterator[Problem]:
    for stack in stacks.values():
        for needed in sorted(_needs(stack) - set(stacks)):
            known = ", ".join(stacks)
            text = f"the parameters of {stack.name} take an output of {needed}, which is no template here"
            yield Problem(text, str(directory), remedy=f"there are {known}")


def _in_order(stacks: Mapping[str, ForeignStack], late: Mapping[str, int], directory: Path) -> Iterator[str]:
    """The stacks' names, each after those whose outputs it takes, and by how late each must be."""
    sorter = TopologicalSorter({name: sorted(_needs(stack)) for name, stack in stacks.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        problem = Problem(f"the stacks need each other in a circle: {circle}", str(directory))
        raise InputError(problems=(problem,)) from None
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted((*ready, *sorter.get_ready()), key=lambda name: (late[name], name))
        name = ready.pop(0)
        sorter.done(name)
        yield name
