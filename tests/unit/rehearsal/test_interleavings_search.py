"""The search of orders on a tiny system, beside the same system with every order executed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import comb

import pytest

from patchgate.rehearsal.campaign.interleavings.graph import Choice, Kind
from patchgate.rehearsal.campaign.interleavings.search import (
    Bounds,
    Exploration,
    Explorer,
    Observation,
    UnrepeatableError,
    Verdict,
)

READ, ADD, SET = "read", "write what was read and one", "write nought"


@dataclass
class Register:
    """One shared number, and actors that read it and write it. ``expected`` is what it must hold at the end."""

    programs: Sequence[Sequence[str]]
    expected: int | None = None
    mortal: Sequence[bool] = ()
    begun: int = 0
    jitter: int = 0
    """Every so many runs, reads answer something else: a system that does not repeat itself."""

    def __post_init__(self) -> None:
        self.actors = [f"actor {number}" for number in range(len(self.programs))]
        self.mortal = self.mortal or [True] * len(self.programs)

    def begin(self) -> RegisterRun:
        self.begun += 1
        return RegisterRun(self, noise=bool(self.jitter) and self.begun % self.jitter == 0)


@dataclass
class RegisterRun:
    system: Register
    noise: bool
    value: int = 0
    history: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.left = [list(program) for program in self.system.programs]
        self.got = [0] * len(self.left)
        self.calls = [program[0] for program in self.left]

    def step(self, choice: Choice) -> Observation:
        actor, kind = choice
        call = self.left[actor].pop(0)
        changes = []
        learned = ""
        if kind is not Kind.CRASH_BEFORE:
            if call == READ:
                self.got[actor] = self.value + self.noise
                learned = str(self.got[actor])
            else:
                self.value = self.got[actor] + 1 if call == ADD else 0
                changes.append(f"{actor} wrote {self.value}")
        if kind is not Kind.CALL:
            self.left[actor].clear()
            changes.append(f"{actor} crashed")
        elif not self.left[actor]:
            changes.append(f"{actor} ended")
        self.history += changes
        return Observation(tuple(changes), learned, self.left[actor][0] if self.left[actor] else "")

    def finish(self) -> Verdict:
        wrong = self.system.expected not in (None, self.value)
        return Verdict("; ".join(self.history), (f"it holds {self.value}",) if wrong else ())


def every_order(system: Register, bounds: Bounds) -> Iterator[tuple[list[Choice], Verdict]]:
    """Every complete schedule, executed one by one."""

    def schedules(left: list[int], so_far: list[Choice]) -> Iterator[list[Choice]]:
        if not any(left):
            yield so_far
        crashes = sum(choice.kind is not Kind.CALL for choice in so_far)
        for actor in (number for number, calls in enumerate(left) if calls):
            for kind in Kind:
                if kind is not Kind.CALL and (crashes == bounds.crashes or not system.mortal[actor]):
                    continue
                after = [*left]
                after[actor] = left[actor] - 1 if kind is Kind.CALL else 0
                yield from schedules(after, [*so_far, Choice(actor, kind)])

    for schedule in schedules([len(program) for program in system.programs], []):
        if bounds.preemptions is None or preemptions(system, schedule) <= bounds.preemptions:
            run = system.begin()
            for choice in schedule:
                run.step(choice)
            yield schedule, run.finish()


def preemptions(system: Register, schedule: Sequence[Choice]) -> int:
    left = [len(program) for program in system.programs]
    count = 0
    for choice, following in pairwise(schedule):
        left[choice.actor] = left[choice.actor] - 1 if choice.kind is Kind.CALL else 0
        count += following.actor != choice.actor and left[choice.actor] > 0
    return count


def explored(system: Register, bounds: Bounds = Bounds()) -> Exploration:  # noqa: B008 - frozen
    return Explorer(system).explore(bounds)


@pytest.mark.parametrize("calls", [(1, 1), (2, 3), (4, 4)])
def test_reads_commute(calls: tuple[int, int]) -> None:
    found = explored(Register([[READ] * number for number in calls]))
    one, other = calls
    assert found.interleavings == comb(one + other, one)
    assert found.ends == 2  # who ended first
    assert found.states == (one + 1) * (other + 1) + 1  # the grid of positions, its last corner in two orders
    assert found.executions <= found.states


def test_writes_are_kept_apart() -> None:
    found = explored(Register([[SET, SET], [SET, SET]]))
    assert (found.interleavings, found.ends) == (6, 6)


PROGRAMS = [
    [[READ, ADD], [READ, ADD]],
    [[READ, READ, ADD], [SET, READ]],
    [[READ, SET, READ], [READ, ADD, READ], [SET]],
    [[READ, ADD], [READ, ADD], [READ, ADD]],
]
BOUNDS = [Bounds(), Bounds(crashes=1), Bounds(preemptions=0), Bounds(preemptions=2), Bounds(crashes=1, preemptions=1)]


@pytest.mark.parametrize("programs", PROGRAMS)
@pytest.mark.parametrize("bounds", BOUNDS)
def test_merging_finds_what_every_order_finds(programs: list[list[str]], bounds: Bounds) -> None:
    system = Register(programs, expected=2)
    every = list(every_order(system, bounds))
    found = explored(system, bounds)
    assert found.interleavings == len(every)
    assert found.ends == len({verdict.digest for _, verdict in every})
    broken = {verdict.digest: verdict.violations for _, verdict in every if verdict.violations}
    assert len(found.counterexamples) == len(broken)
    for one in found.counterexamples:
        verdict, steps = Explorer(system).carry_out(one.schedule)
        assert (verdict.violations, steps) == (one.violations, one.steps)
        assert verdict.digest in broken


def test_a_lost_update_takes_one_preemption() -> None:
    system = Register([[READ, ADD], [READ, ADD]], expected=2)
    assert not explored(system, Bounds(preemptions=0)).counterexamples
    (first, *_) = explored(system, Bounds(preemptions=1)).counterexamples
    assert first.violations == ("it holds 1",)
    assert preemptions(system, first.schedule) == 1
    assert first.steps[0] == f"actor {first.schedule[0].actor} makes read"


def test_the_counterexample_has_the_fewest_changes_of_turn() -> None:
    system = Register([[READ, READ, READ, ADD], [READ, READ, ADD]], expected=2)
    for one in explored(system).counterexamples:
        turns = [choice.actor for choice in one.schedule]
        changes = sum(before != after for before, after in pairwise(turns))
        assert changes == 2


def test_who_is_immortal_does_not_crash() -> None:
    found = explored(Register([[SET], [SET]], mortal=[True, False]), Bounds(crashes=1))
    # each order of both calls; and the first gone before or after its call, before or after the other's
    assert found.interleavings == 2 + 4


def test_a_crash_leaves_the_others_alone() -> None:
    found = explored(Register([[READ, ADD]], expected=1), Bounds(crashes=1))
    assert found.interleavings == 5
    assert [one.violations for one in found.counterexamples] == [("it holds 0",)]  # gone before it wrote


def test_what_one_search_learned_serves_the_next() -> None:
    explorer = Explorer(Register([[READ, ADD], [READ, ADD]]))
    first = explorer.explore(Bounds())
    again = explorer.explore(Bounds())
    assert first.executions > 0
    assert (again.executions, again.states, again.interleavings) == (0, first.states, first.interleavings)


def test_a_system_that_does_not_repeat_itself_is_an_error() -> None:
    with pytest.raises(UnrepeatableError, match="instead of"):
        explored(Register([[READ, READ, ADD], [READ, SET]], jitter=3))


def test_a_schedule_that_goes_on_for_too_long() -> None:
    with pytest.raises(ValueError, match="goes on for 1 steps"):
        Explorer(Register([[READ]])).carry_out([Choice(0), Choice(0)])


def test_actors_go_on_one_after_the_other_where_a_schedule_ends() -> None:
    _, steps = Explorer(Register([[READ, READ], [SET]])).carry_out([Choice(0)])
    assert steps == ("actor 0 makes read", "actor 0 makes read", "actor 1 makes write nought")
