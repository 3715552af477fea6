"""Every search that is made, in several processes, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, fields, replace
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.ground import open_grounds
from patchgate.rehearsal.campaign.interleavings.control import ControlledDoor, EmbeddedSystem
from patchgate.rehearsal.campaign.interleavings.search import Bounds, Explorer
from patchgate.rehearsal.campaign.interleavings.situations import ACTORS, SITUATIONS, Rehearsal, Situation
from patchgate.rehearsal.campaign.shapes import SHAPES
from patchgate.rehearsal.campaign.workers import run_in_processes

if TYPE_CHECKING:
    from patchgate.rehearsal.campaign.ground import Ground
    from patchgate.rehearsal.campaign.interleavings.search import Counterexample, Exploration
    from patchgate.rehearsal.stage import Stage

PARTS = {
    "pairs": "two actors, every order of their calls",
    "crashes": "one or two actors, every order, with at most one crash, before or after any call",
    "triples": "three actors, every order with at most two preemptions",
}
_BOUNDS = {"pairs": Bounds(), "crashes": Bounds(crashes=1), "triples": Bounds(preemptions=2)}
LANE = next(shape for shape in SHAPES if shape.name == "daily")
"""The standard lane on which actors meet."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Which actors meet, when, under which reading of AWS."""

    actors: tuple[str, ...]
    situation: Situation
    assumptions: Assumptions

    @property
    def reading(self) -> str:
        """What of the reading differs from the defaults; "" for nothing."""
        default = Assumptions()
        different = [f for f in fields(default) if getattr(self.assumptions, f.name) != getattr(default, f.name)]
        return ", ".join(f"{f.name}={str(getattr(self.assumptions, f.name)).lower()}" for f in different)


@dataclass(frozen=True, slots=True)
class Row:
    """What the search of one part for one meeting found."""

    part: str
    meeting: Meeting
    found: Exploration


@dataclass(frozen=True, slots=True)
class ExplorationResult:
    """Every search, in a fixed order."""

    rows: tuple[Row, ...]

    @property
    def held(self) -> bool:
        """Whether every promise was kept in every execution."""
        return not any(row.found.counterexamples for row in self.rows)

    def counterexamples(self) -> Iterator[tuple[Row, Counterexample]]:
        """Each broken promise, the shortest way there first."""
        found = [(row, one) for row in self.rows for one in row.found.counterexamples]
        yield from sorted(found, key=lambda pair: len(pair[1].steps))


def casts(part: str) -> list[tuple[str, ...]]:
    """Who meets in a part. The duplicate gate has the gate's payload: without it, it is the gate by another name."""
    sizes = {"pairs": (2,), "crashes": (1, 2), "triples": (3,)}[part]
    every = [cast for size in sizes for cast in combinations(ACTORS, size)]
    return [cast for cast in every if "duplicate gate" not in cast or "gate" in cast]


def meetings(cast: tuple[str, ...], situations: Sequence[Situation] = SITUATIONS) -> Iterator[Meeting]:
    """Every situation of a cast, under every value of each assumption that its actors or the situation can meet."""
    for situation in situations:
        if not situation.admits(cast):
            continue
        open_questions = {
            "stack_update_enables_window": "stack update" in cast,
            "disabled_window_lists_schedule": "watchdog" in cast,
            "disabling_stops_executions": situation.executing and cast != ("prove",),
        }
        asked = [name for name, matters in open_questions.items() if matters]
        for values in product((False, True), repeat=len(asked)):
            reading: dict[str, Any] = dict(zip(asked, values, strict=True))
            yield Meeting(cast, situation, replace(Assumptions(), **reading))


class Theatre:
    """Where meetings take place: one deployed lane, whose calls are controlled."""

    def __init__(self, stage: Stage, ground: Ground) -> None:
        if not isinstance(stage.door, ControlledDoor):
            raise TypeError("interleavings need a ControlledDoor")
        self._door = stage.door
        self._rehearsal = Rehearsal(stage.cloud, ground)

    def explorer(self, meeting: Meeting) -> Explorer:
        """The search of one meeting's orders."""
        scene = self._rehearsal.scene(meeting.situation, meeting.assumptions)
        actors = [self._rehearsal.actor(name, meeting.situation) for name in meeting.actors]
        return Explorer(EmbeddedSystem(self._door, scene, actors))

    def search(self, meeting: Meeting, parts: Sequence[str]) -> list[Row]:
        """Every part of a meeting that is wanted."""
        explorer = self.explorer(meeting)
        wanted = [part for part in PARTS if part in parts and meeting.actors in casts(part)]
        return [Row(part, meeting, explorer.explore(_BOUNDS[part])) for part in wanted]


@contextmanager
def open_theatre() -> Iterator[Theatre]:
    """A theatre of its own."""
    with open_grounds(ControlledDoor) as grounds:
        yield Theatre(grounds.stage, grounds.of(LANE))


def explore(
    parts: Sequence[str] = tuple(PARTS),
    *,
    only: Sequence[tuple[str, ...]] = (),
    jobs: int = 1,
    progress: Callable[[int, int, list[Row]], object] = lambda *_: None,
) -> ExplorationResult:
    """Make every search of some PARTS, of all casts or ``only`` those, in so many processes (1: in this one).

    ``progress`` is called with the number of meetings done, of all, and the latest one's rows.
    """
    every = sorted({cast for part in parts for cast in casts(part)}, key=lambda cast: (len(cast), _places(cast)))
    chosen = [meeting for cast in every if not only or cast in only for meeting in meetings(cast)]
    rows: list[Row] = []
    order = {meeting: place for place, meeting in enumerate(chosen)}
    with ExitStack() as stack:
        for done, found in enumerate(_found(stack, chosen, tuple(parts), jobs), start=1):
            rows += found
            progress(done, len(chosen), found)
    return ExplorationResult(tuple(sorted(rows, key=lambda row: (list(PARTS).index(row.part), order[row.meeting]))))


def _places(cast: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(map(ACTORS.index, cast))


def _found(stack: ExitStack, chosen: Sequence[Meeting], parts: tuple[str, ...], jobs: int) -> Iterator[list[Row]]:
    if jobs == 1:
        theatre = stack.enter_context(open_theatre())
        return (theatre.search(meeting, parts) for meeting in chosen)
    long_first = sorted(chosen, key=lambda meeting: len(meeting.actors), reverse=True)
    tasks = [(meeting, parts) for meeting in long_first]
    found = run_in_processes(_work, tasks, jobs=jobs, begin=_begin_work, label=_label)
    return stack.enter_context(closing(found))


# Each process opens its theatre once.

_OPEN = ExitStack()
_THEATRE: list[Theatre] = []


def _begin_work() -> None:
    _THEATRE[:] = [_OPEN.enter_context(open_theatre())]


def _work(task: tuple[Meeting, tuple[str, ...]]) -> list[Row]:
    meeting, parts = task
    return _THEATRE[0].search(meeting, parts)


def _label(task: tuple[Meeting, tuple[str, ...]]) -> str:
    return f"the meeting of {', '.join(task[0].actors)}"
