"""What a run asked of the embedded AWS in vain: such a run says nothing, and must not count as one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from patchgate.emulator.errors import NotEmulatedError
from patchgate.errors import InputError

if TYPE_CHECKING:
    from patchgate.emulator.history import Record

_SIGNS = ("NotEmulated", "the embedded AWS does not ", "EngineFailure", "the embedded AWS failed at ")
_REMEDY = "rehearse the templates without it; what the embedded AWS implements is in its reference"


@contextmanager
def refuse_unemulated(history: Iterable[Record], *, of_others: bool) -> Iterator[None]:
    """Raise for what a run asked of the embedded AWS in vain: an action of a runbook, or a call that made a function or
    a script fail, by what the history says of those.

    InputError where the templates are ``of_others``, RuntimeError where they are ours: a defect. Functions that catch
    that error themselves are not seen.
    """
    try:
        yield
    except NotEmulatedError as error:
        raise _refusal(str(error), of_others=of_others) from (None if of_others else error)
    for record in history:
        asked = _asked_in_vain(record)
        if asked:
            raise _refusal(asked, of_others=of_others)


def _refusal(asked: str, *, of_others: bool) -> Exception:
    if of_others:
        return InputError(f"the templates cannot be rehearsed: {asked}", remedy=_REMEDY)
    return RuntimeError(f"the embedded AWS lacks what a rehearsal needs: {asked}")


def _asked_in_vain(record: Record) -> str:
    """Who failed because the embedded AWS does not have something, and what that said; "" of any other record."""
    if record["event"] == "FunctionEnded" and record["status"] != "Success":
        who, said = f"the function {record['function']}", record["error"]
    elif record["event"] == "AutomationStepEnded" and record["failure"]:
        who, said = f"the runbook step {record['step']}", record["failure"]
    else:
        return ""
    text = said.get("errorMessage", "") if isinstance(said, dict) else said
    text = text if isinstance(text, str) else json.dumps(text)
    return f"{who} failed: {text}" if any(sign in text for sign in _SIGNS) else ""
