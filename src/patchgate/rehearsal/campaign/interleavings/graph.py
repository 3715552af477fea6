"""States, the steps between them, and the ways through them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple, TypeVar

ENDED = 0
"""The local of every actor that has ended."""

_Place = TypeVar("_Place")


class Kind(Enum):
    """What happens at an actor's next call: it is made, or the actor is gone before it, or after it took effect."""

    CALL = "makes"
    CRASH_BEFORE = "crashes before"
    CRASH_AFTER = "crashes after"


class Choice(NamedTuple):
    """One decision: which actor's turn it is, by its place among the system's actors, and what happens."""

    actor: int
    kind: Kind = Kind.CALL


class State(NamedTuple):
    """A node of the graph. ``last`` (whose turn it was, -1 for nobody's) and ``preemptions`` (so far) are counted only
    where they are bounded, else -1 and 0.
    """

    trace: int
    locals: tuple[int, ...]
    crashes: int
    last: int
    preemptions: int

    @property
    def over(self) -> bool:
        """Whether every actor has ended."""
        return not any(self.locals)

    def preempts(self, actor: int) -> bool:
        """Whether a turn of that actor is taken from one that could have gone on."""
        return self.last not in (-1, actor) and self.locals[self.last] != ENDED


class Graph:
    """Every state with its successors, and how it was first reached (``origin``).

    There are no cycles: every step brings an actor nearer to its end.
    """

    def __init__(self, start: State) -> None:
        self.start = start
        self.successors: dict[State, list[tuple[Choice, State]]] = {}
        self.origin: dict[State, tuple[State, Choice] | None] = {start: None}

    def way_to(self, state: State) -> list[Choice]:
        """The way by which a state was first reached."""
        return _back(self.origin, state)

    def calmest_way_to(self, end: State) -> list[Choice]:
        """Of all ways to a state, one with the fewest changes of turn."""
        start = (self.start, -1)
        changes = {start: 0}
        origin: dict[tuple[State, int], tuple[tuple[State, int], Choice] | None] = {start: None}
        agenda = deque([start])
        while agenda:
            place = agenda.popleft()
            state, last = place
            if state == end:
                return _back(origin, place)
            for choice, after in self.successors[state]:
                there = (after, choice.actor)
                cost = changes[place] + (choice.actor != last)
                if cost < changes.get(there, cost + 1):
                    changes[there] = cost
                    origin[there] = (place, choice)
                    if choice.actor == last:
                        agenda.appendleft(there)
                    else:
                        agenda.append(there)
        raise ValueError("no way leads there")

    def count_ways(self) -> int:
        """How many ways lead from the start to an end."""
        number: dict[State, int] = {}
        agenda = [self.start]
        while agenda:
            state = agenda[-1]
            missing = [after for _, after in self.successors[state] if after not in number]
            if missing:
                agenda += missing
                continue
            agenda.pop()
            number[state] = 1 if state.over else sum(number[after] for _, after in self.successors[state])
        return number[self.start]


def _back(origin: Mapping[_Place, tuple[_Place, Choice] | None], place: _Place) -> list[Choice]:
    """The choices that led to a place."""
    found: list[Choice] = []
    step = origin[place]
    while step is not None:
        place, choice = step
        found.append(choice)
        step = origin[place]
    return found[::-1]
