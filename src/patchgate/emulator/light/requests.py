"""What every service here asks of a request."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from patchgate.emulator.errors import NotEmulatedError

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Params


def refuse_others(params: Params, what: str, known: Collection[str]) -> None:
    """Raise NotEmulatedError when a request has members that the service here does not know."""
    unknown = [name for name in params if name not in known]
    if unknown:
        raise NotEmulatedError(f"{what} with {', '.join(sorted(unknown))}")


def derived_id(prefix: str, text: str, length: int) -> str:
    """An id of capital letters and digits that follows from ``text``."""
    return prefix + hashlib.sha256(text.encode()).hexdigest().upper()[: length - len(prefix)]


def milliseconds(when: datetime) -> int:
    """Since the Unix epoch."""
    return round(when.timestamp() * 1000)
