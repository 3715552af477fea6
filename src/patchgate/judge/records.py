"""Records of a history, and the instants in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from patchgate.errors import InputError
from patchgate.judge.lane import Place
from patchgate.judge.spans import Cut

Record = Mapping[str, Any]
Handlers = dict[str, Callable[[Record, Cut, Place], None]]
"""Event -> what reads its records."""


@lru_cache(maxsize=4096)
def instant(text: str) -> datetime:
    """An ISO 8601 instant with an offset, as an aware datetime. Raises InputError for anything else."""
    try:
        when = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise InputError(f"{text!r} is not an ISO 8601 instant") from error
    if when.tzinfo is None:
        raise InputError(f"{text!r} has no offset from UTC")
    return when


def instant_or_none(text: Any) -> datetime | None:
    """The instant of a field that may be empty."""
    return instant(text) if isinstance(text, str) and text else None


def instant_said(text: Any) -> datetime | None:
    """The instant that somebody wrote into a parameter, an input or evidence; None when it is none."""
    try:
        return instant_or_none(text)
    except InputError:
        return None
