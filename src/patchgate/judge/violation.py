"""A breach of a promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from patchgate.judge.doings import Install
    from patchgate.judge.lane import LaneFacts
    from patchgate.judge.spans import Cut


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach: which promise, when and where, of whom ("" when it is about the lane), and the records'
    seqs.
    """

    promise: str
    at: datetime
    account: str
    region: str
    instance: str
    what: str
    witness: tuple[int, ...]

    @classmethod
    def of(cls, promise: str, install: Install, what: str, *witness: int) -> Violation:
        """A breach that an install is."""
        seqs = tuple(sorted({*witness, install.seq}))
        return cls(promise, install.at, *install.place, install.instance, f"{install.instance} {what}", seqs)

    @classmethod
    def at_cut(cls, promise: str, lane: LaneFacts, cut: Cut, what: str, *witness: int, instance: str = "") -> Violation:
        """A breach at a point of the history, of a lane or of one of its instances."""
        return cls(promise, cut.at, *lane.place, instance, what, tuple(sorted({*witness, cut.seq})))

    def __str__(self) -> str:
        return f"{self.promise}: {self.what} ({self.account}/{self.region}, {self.at.isoformat()})"
