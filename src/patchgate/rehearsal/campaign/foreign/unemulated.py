"""What templates of others ask of AWS and the embedded one does not implement: no run says anything of that."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from patchgate.emulator.errors import NotEmulatedError
from patchgate.errors import InputError

if TYPE_CHECKING:
    from patchgate.emulator.history import Record

_SIGNS = ("NotEmulated", "the embedded AWS does not ")
_REMEDY = "rehearse the templates without it; what the embedded AWS implements is in its reference"


@contextmanager
def refuse_unemulated(history: Iterable[Record]) -> Iterator[None]:
    """Raise InputError for what a run asked of the embedded AWS in vain: an action of a runbook, or a call
    that made a function or a script fail. Functions that catch that error themselves are not seen.
    """
    try:
        yield
    except NotEmulatedError as error:
        raise InputError(f"the templates cannot be rehearsed: {error}", remedy=_REMEDY) from None
    for record in history:
        if record["event"] == "FunctionEnded" and record["status"] != "Success":
            who, said = f"the function {record['function']}", record["error"]
        elif record["event"] == "AutomationStepEnded" and record["failure"]:
            who, said = f"the runbook step {record['step']}", record["failure"]
        else:
            continue
        text = said.get("errorMessage", "") if isinstance(said, dict) else said
        text = text if isinstance(text, str) else json.dumps(text)
        if any(sign in text for sign in _SIGNS):
            raise InputError(f"the templates cannot be rehearsed: {who} failed: {text}", remedy=_REMEDY)
