"""Many runs in several processes, and what came of them.

A series is its first seed, its length, its mix and its shapes: the same series gives the same result, whatever the
number of processes. Every so often a run is repeated: another history for the same seed is an error of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from patchgate.errors import PatchgateError
from patchgate.rehearsal.campaign.ground import Grounds, open_grounds
from patchgate.rehearsal.campaign.mixes import Mix, draw_plan, read_mix, shape_of
from patchgate.rehearsal.campaign.repeating import unrepeatable
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES, Shape
from patchgate.rehearsal.campaign.workers import run_in_processes

if TYPE_CHECKING:
    from patchgate.rehearsal.campaign.plan import RunPlan
    from patchgate.rehearsal.stage import DoorName

CHUNK = 20
REPEATED = 101
"""Every so many seeds, a run is repeated and its history compared."""
FAILURES_KEPT = 20


@dataclass(frozen=True, slots=True)
class Series:
    """What to run: ``runs`` seeds from ``first`` on, with the faults of a mix, on the shapes."""

    runs: int
    first: int = 0
    mix: str = "default"
    shapes: tuple[Shape, ...] = SHAPES
    door: DoorName = "direct"

    def chunks(self) -> range:
        """The first seeds of the chunks that the work is shared in."""
        return range(self.first, self.first + self.runs, CHUNK)

    def last_of(self, first: int) -> int:
        """The last seed of the chunk that begins at a seed."""
        return min(first + CHUNK, self.first + self.runs) - 1


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that broke promises: those, and one of its violations in words."""

    seed: int
    shape: str
    faults: tuple[str, ...]
    promises: tuple[str, ...]
    what: str


@dataclass(slots=True)
class FaultTally:
    """What came of the runs that a fault was planned for; it ``struck`` where something really went wrong."""

    planned: int = 0
    struck: int = 0
    violated: int = 0


@dataclass(slots=True)
class Tally:
    """What came of some runs. Tallies of parts add up to the tally of the whole, in any order.

    ``patched`` counts machines that were patched at least once in their run, ``digest`` is the sum of the runs'
    histories' SHA-256, modulo 2 to the 256th. ``not_applicable`` maps faults of the mix that can do nothing on a lane,
    and were left out there, to those lanes and the reason.
    """

    runs: int = 0
    calm: int = 0
    repeated: int = 0
    events: int = 0
    installs: int = 0
    patched: int = 0
    denied: int = 0
    holds: int = 0
    failed_runs: int = 0
    digest: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    promises: Counter[str] = field(default_factory=Counter)
    faults: dict[str, FaultTally] = field(default_factory=dict)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)
    not_applicable: dict[str, dict[str, str]] = field(default_factory=dict)

    def count(self, plan: RunPlan, outcome: RunOutcome) -> None:
        """Add one run."""
        self.runs += 1
        self.calm += plan.calm is not None
        self.events += outcome.events
        self.installs += outcome.installs
        self.patched += outcome.patched
        self.denied += outcome.denied
        self.holds += outcome.holds
        self.digest = (self.digest + int(outcome.digest, 16)) % 2**256
        self.shapes[plan.shape] += 1
        planned = plan.faults
        for number in planned:
            tally = self.faults.setdefault(number, FaultTally())
            tally.planned += 1
            tally.struck += number in outcome.struck
            tally.violated += bool(outcome.violations)
        for number, why in plan.left_out.items():
            self.not_applicable.setdefault(number, {})[plan.shape] = why
        self.pairs.update((one, other) for index, one in enumerate(planned) for other in planned[index + 1 :])
        if outcome.violations:
            promises = tuple(sorted({violation.promise for violation in outcome.violations}))
            self.failed_runs += 1
            self.promises.update(promises)
            what = str(outcome.violations[0])
            self._keep([Failure(outcome.seed, plan.shape, planned, promises, what)])

    def add(self, other: Tally) -> None:
        """Add the tally of other runs."""
        for name in ("runs", "calm", "repeated", "events", "installs", "patched", "denied", "holds", "failed_runs"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.digest = (self.digest + other.digest) % 2**256
        self.shapes += other.shapes
        self.promises += other.promises
        for number, theirs in other.faults.items():
            ours = self.faults.setdefault(number, FaultTally())
            ours.planned += theirs.planned
            ours.struck += theirs.struck
            ours.violated += theirs.violated
        self.pairs |= other.pairs
        for number, lanes in other.not_applicable.items():
            self.not_applicable.setdefault(number, {}).update(lanes)
        self._keep(other.failures)

    def applies_nowhere(self) -> dict[str, dict[str, str]]:
        """The faults that can do nothing on any lane that was run, with the lanes and the reasons."""
        return {number: lanes for number, lanes in self.not_applicable.items() if set(self.shapes) <= set(lanes)}

    def _keep(self, failures: list[Failure]) -> None:
        """The failures with the lowest seeds, whatever the order in which they came."""
        self.failures = sorted([*self.failures, *failures], key=lambda failure: failure.seed)[:FAILURES_KEPT]


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """A series and its tally. ``before`` of its runs came from a checkpoint."""

    series: Series
    tally: Tally
    before: int = 0

    @property
    def held(self) -> bool:
        """Whether every promise was kept in every run."""
        return not self.tally.failed_runs

    @property
    def first_failing_seed(self) -> int | None:
        """The lowest seed whose run broke a promise."""
        return self.tally.failures[0].seed if self.tally.failures else None


def run_series(series: Series, *, jobs: int = 1, progress: Callable[[Tally], None] = lambda _: None) -> SeriesResult:
    """Run a series in so many processes (1: in this one). ``progress`` is called with the tally so far.

    Raises UnrepeatableError when a repeated run differs, InputError where that is by a function of others and for a mix
    that is none, WorkerDiedError when a process dies.
    """
    tally = Tally()
    with closing(run_chunks(series, series.chunks(), jobs=jobs)) as parts:
        for _, part in parts:
            tally.add(part)
            progress(tally)
    return SeriesResult(series, tally)


def run_chunks(series: Series, chunks: Sequence[int], *, jobs: int) -> Generator[tuple[int, Tally], None, None]:
    """Run the chunks of a series that begin at these seeds; each comes with its tally as it is done, in any order.

    The processes run until the generator is closed. Raises what ``run_series`` does.
    """
    read_mix(series.mix)
    return _in_processes(series, chunks, jobs) if jobs > 1 and len(chunks) > 1 else _here(series, chunks)


def plan_of(series: Series, seed: int, grounds: Grounds) -> RunPlan:
    """The plan of one seed of a series."""
    shape = shape_of(seed, series.shapes)
    return draw_plan(seed, read_mix(series.mix), shape, grounds.of(shape).terrain)


def run_seed(series: Series, mix: Mix, seed: int, grounds: Grounds, tally: Tally) -> None:
    """Run one seed of a series, and count it."""
    shape = shape_of(seed, series.shapes)
    ground = grounds.of(shape)
    plan = draw_plan(seed, mix, shape, ground.terrain)
    try:
        outcome = carry_out(grounds, ground, plan)
    except PatchgateError:
        raise
    except Exception as error:
        raise RuntimeError(f"seed {seed}, lane {shape.name}: {type(error).__name__}: {error}") from error
    tally.count(plan, outcome)
    if seed % REPEATED == 0:
        history = grounds.stage.cloud.history.to_json_lines()
        again = carry_out(grounds, ground, plan)
        tally.repeated += 1
        if again.digest != outcome.digest:
            other = grounds.stage.cloud.history.to_json_lines()
            raise unrepeatable(seed, history, other, of_others=bool(shape.stacks))


def describe_seeds(spans: Iterable[tuple[int, int]]) -> str:
    """Spans of seeds, each from its first to its last, in words: ``seeds 0 to 59 and 80 to 99``, ``seed 7``."""
    told = [str(first) if first == last else f"{first} to {last}" for first, last in spans]
    listed = " and ".join([", ".join(told[:-1])] * (len(told) > 1) + told[-1:])
    return f"seed {listed}" if listed.isdecimal() else f"seeds {listed}"


def _here(series: Series, chunks: Sequence[int]) -> Generator[tuple[int, Tally], None, None]:
    mix = read_mix(series.mix)
    with open_grounds(series.door) as grounds:
        for first in chunks:
            yield first, _run_chunk(series, mix, first, grounds)


def _run_chunk(series: Series, mix: Mix, first: int, grounds: Grounds) -> Tally:
    tally = Tally()
    for seed in range(first, series.last_of(first) + 1):
        run_seed(series, mix, seed, grounds, tally)
    return tally


# Each process opens its grounds once and takes chunks of seeds.

_WORKER: list[tuple[Series, Mix, Grounds]] = []
_OPEN = ExitStack()


def _begin_work(series: Series) -> None:
    _WORKER[:] = [(series, read_mix(series.mix), _OPEN.enter_context(open_grounds(series.door)))]


def _work(first: int) -> tuple[int, Tally]:
    series, mix, grounds = _WORKER[0]
    return first, _run_chunk(series, mix, first, grounds)


def _in_processes(series: Series, chunks: Sequence[int], jobs: int) -> Generator[tuple[int, Tally], None, None]:
    def label(first: int) -> str:
        return describe_seeds([(first, series.last_of(first))])

    return run_in_processes(_work, chunks, jobs=jobs, begin=_begin_work, given=(series,), label=label)
