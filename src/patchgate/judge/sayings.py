"""What functions and runbooks said of instances, in their results, logs and outputs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

NOT_DUE = "window-not-due"
"""What a gate says that is not due before its window: nothing that keeps anybody from being patched."""
NO_CLOSE = "no close ended well"
"""With which a watchdog begins when it found what a close should have closed, or should have told."""


@dataclass(slots=True)
class Statement:
    """What one run of a function said: reasons by instance ("" is the lane) with their particulars, in order.

    ``named`` are all instances of which it gave a reason, in whatever form, ``left_out`` those that a verdict did not
    prove, ``problems`` what a close or a watchdog found wrong, ``told`` the cycles of which it names the unreached.
    ``logged`` are the instances that its log names, ``has_log`` is whether that has its decision or its problems: the
    return value of an asynchronous invocation is nobody's.
    """

    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    decision: str = ""
    repeated: bool = False
    closed: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    missed_cycles: int = 0
    left_out: dict[str, None] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    logged: set[str] = field(default_factory=set)
    has_log: bool = False


def read_statement(result: Any, log: Iterable[Any]) -> Statement:
    """The statement of a run, from its result and the JSON objects in its log."""
    statement = Statement()
    for said, in_log in ((result, False), *((line, True) for line in log)):
        value = parsed(said)
        if value is None:
            continue
        for instance, reason in _named_instances(value):
            statement.named.setdefault(instance, reason)
            if in_log:
                statement.logged.add(instance)
        if isinstance(value, dict):
            _take_up(statement, value)
            statement.has_log = statement.has_log or (in_log and ("decision" in value or "problems" in value))
    return statement


def _take_up(statement: Statement, value: dict[str, Any]) -> None:
    decision = value.get("decision")
    if isinstance(decision, str):
        statement.decision = statement.decision or decision
        statement.repeated = statement.repeated or bool(value.get("repeated"))
        if decision == "hold" and isinstance(value.get("reason"), str):
            statement.reasons.setdefault(("", value["reason"]), str(value.get("detail") or ""))
    for row in _rows(value.get("left_out")):
        statement.reasons.setdefault((str(row[0]), str(row[2])), str(row[3]) if len(row) > 3 else "")
        statement.left_out[str(row[0])] = None
    for unreached in value.get("unreached") or ():
        statement.reasons.setdefault((str(unreached), "not-reached"), "")
    closed, told = value.get("closed"), value.get("told")
    if isinstance(closed, list):
        statement.closed = tuple(map(str, closed))
    if isinstance(told, list):
        statement.told = tuple(map(str, told))
    problems = value.get("problems")
    if isinstance(problems, list):
        statement.problems = tuple(map(str, problems))
    missed = value.get("CyclesWithoutVerdict")
    if isinstance(missed, int):
        statement.missed_cycles = max(statement.missed_cycles, missed)


def _rows(value: Any) -> Iterator[list[Any]]:
    for row in value if isinstance(value, list) else ():
        if isinstance(row, list) and len(row) > 2 and row[2]:
            yield row


def _named_instances(said: Any) -> Iterator[tuple[str, str]]:
    """Every (instance, reason) that a JSON value names, however deep."""
    if isinstance(said, dict):
        instance, reason = said.get("instance"), said.get("reason")
        if isinstance(instance, str) and isinstance(reason, str) and reason:
            yield instance, reason
        for row in _rows(said.get("left_out")):
            yield str(row[0]), str(row[2])
        for unreached in said.get("unreached") or ():
            yield str(unreached), "not-reached"
        for value in said.values():
            if isinstance(value, dict | list):
                yield from _named_instances(value)
    elif isinstance(said, list):
        for value in said:
            if isinstance(value, dict | list):
                yield from _named_instances(value)


def parsed(said: Any) -> Any:
    """The JSON value in a line of text, after whatever stands before it; None when there is none."""
    if not isinstance(said, str):
        return said
    start = said.find("{")
    if start < 0:
        return None
    try:
        return json.loads(said[start:] if start else said)
    except ValueError:
        return None


def parsed_lines(text: Any) -> tuple[Any, ...] | None:
    """An object's lines as JSON values, () when they are none; None when the history does not keep its text."""
    if not isinstance(text, str):
        return None
    try:
        return tuple(json.loads(line) for line in text.splitlines())
    except ValueError:
        return ()


def text_of(value: Any) -> str:
    """An output of a step: Automation keeps them as lists of strings."""
    if isinstance(value, list | tuple):
        return str(value[0]) if value else ""
    return "" if value is None else str(value)


def number_of(value: Any) -> int | None:
    """The whole number that an output or a parameter holds; None when it is none."""
    text = text_of(value)
    return int(text) if text.isascii() and text.isdigit() else None
