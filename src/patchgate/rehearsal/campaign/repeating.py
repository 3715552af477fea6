"""Where two histories of one seed part, and whose words differ: what a person must know of such a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from patchgate.errors import InputError, PatchgateError

_SAID = ("log", "result", "error")
"""What a record says of a function's own words."""
_LONGEST = 120
_DEFECT = "this is a defect of the embedded AWS or of the campaign; please report it with the seed"
_OWN_WORDS = (
    "what {} prints and answers must follow from its event, the clock and AWS alone: leave out what the machine draws, "
    "ids and hashes of objects, and the order of sets (sorted() gives them one)"
)


class UnrepeatableError(PatchgateError):
    """The same seed gave two histories."""


def unrepeatable(seed: int, one: str, other: str, *, of_others: bool) -> PatchgateError:
    """The error of a seed that gave two histories, which are given as JSON lines.

    UnrepeatableError; on templates of others InputError where it is a function of theirs that says something else.
    """
    parted, function = parting(one, other)
    what = f"seed {seed} gave two histories: {parted}"
    if of_others and function:
        return InputError(f"the templates cannot be rehearsed: {what}", remedy=_OWN_WORDS.format(function))
    return UnrepeatableError(what, remedy=_DEFECT)


def parting(one: str, other: str) -> tuple[str, str]:
    """Where two histories, as JSON lines, part first, in words, and what that function prints or answers differently;
    the latter is "" where the first record that differs is no function's.
    """
    ours, theirs = one.splitlines(), other.splitlines()
    for first, second in zip(ours, theirs, strict=False):
        if first != second:
            return _compared(json.loads(first), json.loads(second))
    return f"one has {len(ours)} records, the other {len(theirs)}", ""


def _compared(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, str]:
    where = f"record {one.get('seq')}, {one.get('event')}"
    if one.get("event") != other.get("event"):
        return f"{where}, is {other.get('event')} in the other", ""
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    function = str(one.get("function") or "")
    told = f"{where}{f' of {function}' if function else ''}, differs in {', '.join(keys)}"
    for key in keys[:1]:
        here, there = _first_difference(one.get(key), other.get(key))
        told += f": {_short(here)} and {_short(there)}"
    return told, function if set(keys) & {*_SAID} else ""


def _first_difference(one: Any, other: Any) -> tuple[Any, Any]:
    """Of two lists, such as the lines of a log, the first entries that differ."""
    if isinstance(one, Sequence) and isinstance(other, Sequence) and not isinstance(one, str):
        return next(_differing(one, other), (one, other))
    return one, other


def _differing(one: Sequence[Any], other: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return ((first, second) for first, second in zip(one, other, strict=False) if first != second)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
