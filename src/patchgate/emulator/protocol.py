"""What an engine and a rehearsal say to each other beside AWS's own requests: paths, version and readings.

``docs/reference/engine-protocol.md`` is the same in words. Both sides import this module: ``emulator.server`` answers,
``emulator.endpoint`` asks. It loads no SDK.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from patchgate.emulator.history import iso
from patchgate.errors import InputError

PROTOCOL = "patchgate-engine/1"
"""The name and version that an engine says in its health. A change that breaks either side is a new number."""

CONTROL = "/_patchgate/"
"""The paths that no AWS client asks for."""

HISTORY_TYPE = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The virtual clock. ``next_event`` is None when nothing is planned; ``recorded`` counts the history's records.

    ``run`` names what began with the last reset: whoever finds another one has lost the engine to somebody else.
    """

    now: datetime
    next_event: datetime | None
    recorded: int
    run: str = ""

    def to_json(self) -> dict[str, Any]:
        """The answer of ``clock`` and ``reset``."""
        upcoming = None if self.next_event is None else iso(self.next_event)
        return {"now": iso(self.now), "next_event": upcoming, "recorded": self.recorded, "run": self.run}

    @classmethod
    def from_json(cls, answer: Any) -> ClockReading:
        """The reading that an engine answered; ValueError, KeyError or TypeError for anything else."""
        upcoming, recorded, run = answer["next_event"], answer["recorded"], answer["run"]
        if not isinstance(recorded, int) or isinstance(recorded, bool) or not isinstance(run, str):
            raise TypeError("recorded is a number and run a text")
        return cls(_aware(answer["now"]), None if upcoming is None else _aware(upcoming), recorded, run)


def parse_instant(value: object) -> datetime:
    """An instant of a request; UTC where it names no offset. Raises InputError."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is not None:
            return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InputError(f"{value!r} is no instant", remedy="give one such as 2026-07-11T22:30:00Z")


def _aware(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC")
    return instant.astimezone(UTC)
