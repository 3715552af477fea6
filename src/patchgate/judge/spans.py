"""Points and stretches of a history, and values that change along it.

Everything is indexed by the sequence number of the record that made it true, so that questions are asked *as of* a
record and events of one instant keep their order.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

_Value = TypeVar("_Value")


class Cut(NamedTuple):
    """A point in a history: everything up to and including record ``seq`` has happened, and it is ``at``."""

    seq: int
    at: datetime


class Span(NamedTuple):
    """A stretch of a history in which something was read: at ``low``, at ``high``, or anywhere between."""

    low: Cut
    high: Cut


class Changes(Generic[_Value]):
    """A value over time: what it became, and with which record."""

    __slots__ = ("seqs", "values")

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.values: list[_Value] = []

    def add(self, seq: int, value: _Value) -> None:
        self.seqs.append(seq)
        self.values.append(value)

    def as_of(self, seq: int) -> _Value | None:
        """The value after record ``seq``; None while there was none."""
        index = bisect_right(self.seqs, seq)
        return self.values[index - 1] if index else None

    def seen(self, span: Span) -> list[_Value]:
        """Every value that it had in a span, in order."""
        first = bisect_right(self.seqs, span.low.seq)
        last = bisect_right(self.seqs, span.high.seq, lo=first)
        return self.values[max(first - 1, 0) : last]
