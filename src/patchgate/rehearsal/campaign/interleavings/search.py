"""Exhaustive search over the orders in which concurrent actors make their calls, with equal states merged.

A *system* has actors. Each makes calls, one after the other; a *step* is one call of one actor and whatever the actor
does by itself until its next call. The search decides who makes the next step. It cannot copy a running program, so
every execution begins anew and repeats its steps; what it learns is kept, so that few executions are needed.

Why merging is sound. Write a state as (trace, locals). The *trace* is the order of all steps so far that changed what
others can see, each with what it changed: a call that writes, with its parameters and its answer; the records that it
left in the history; the end of an actor. The *local* of an actor is the sequence of answers that it got; that of an
actor that has ended is nothing, since what it was leaves no mark but the trace's. Then

1. what others can see follows from the trace alone: it is where all began, changed by the trace's steps in their
   order; steps that are not in the trace changed nothing;
2. what an actor does next follows from its local alone: it is deterministic, and all that it knows are the clock, which
   stands still, and its answers;
3. so a step of an actor, its answer and its change follow from (trace, the actor's local), whatever the others' locals
   are. By induction, two executions that lead to equal states can go on in the same ways, to equal states.

So each state is expanded once, and each (trace, local, step) is executed once: the graph of states is computed from
those. The history of an execution is the concatenation of what its trace holds, so that executions which end in equal
states have equal histories, and the judgement of one is the judgement of all.

A crash after a call that changed nothing is the crash before it: what an actor got and did not see, nobody saw.

What 1 and 2 assume of a system is checked, not trusted: whenever a step is executed again (every execution repeats
those before it, and every end is reached by a whole execution of its own) its observation must be the known one;
UnrepeatableError otherwise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from patchgate.errors import PatchgateError
from patchgate.rehearsal.campaign.interleavings.graph import ENDED, Choice, Graph, Kind, State


class UnrepeatableError(PatchgateError):
    """The same steps were followed by something else: the system is not what the search assumes."""


class Observation(NamedTuple):
    """What a step did. ``changes`` name what others can see of it, in order; the end of an actor is always among them.
    ``learned`` names what the actor got, ``following`` its next call, "" when it has ended.
    """

    changes: tuple[str, ...]
    learned: str
    following: str


class Verdict(NamedTuple):
    """What came of an execution: a name of its whole history, and the broken promises in words."""

    digest: str
    violations: tuple[str, ...]


class Run(Protocol):
    """One execution."""

    @property
    def calls(self) -> Sequence[str]:
        """The actors' next calls, "" for an actor that has ended."""

    def step(self, choice: Choice) -> Observation:
        """Carry a choice out."""

    def finish(self) -> Verdict:
        """Every actor has ended: let the rest happen, and judge."""


class System(Protocol):
    """What is searched."""

    @property
    def actors(self) -> Sequence[str]:
        """The actors' names."""

    @property
    def mortal(self) -> Sequence[bool]:
        """Which of them can crash."""

    def begin(self) -> Run:
        """Begin anew; the run before is over."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a search goes: with at most so many crashes in an execution, and at most so many preemptions (turns taken
    from an actor that could have gone on); None: any number.
    """

    crashes: int = 0
    preemptions: int | None = None


class Counterexample(NamedTuple):
    """Broken promises, and the steps that break them: of all that lead there, with the fewest changes of turn."""

    violations: tuple[str, ...]
    steps: tuple[str, ...]
    schedule: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Exploration:
    """What a search found.

    ``states`` are distinct, ``transitions`` the steps between them. ``interleavings`` are the paths through them, that
    is, the complete schedules: each is judged, in one of ``ends`` histories. ``executions`` and ``steps`` are what was
    really executed for it.
    """

    states: int
    transitions: int
    interleavings: int
    ends: int
    executions: int
    steps: int
    counterexamples: tuple[Counterexample, ...]


class Explorer:
    """Searches of one system; what one has learned serves the next."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._names: dict[tuple[object, ...], int] = {}
        """Small numbers for what can be long."""
        self._following: dict[int, str] = {ENDED: ""}
        """local -> the actor's next call."""
        self._known: dict[tuple[int, Kind, int, int], tuple[int, int, Observation]] = {}
        """(actor, kind, local, trace) -> the local and the trace after that step, and what was observed."""
        self._verdicts: dict[int, Verdict] = {}
        """The trace of an end -> what came of it."""
        self._executions = self._steps = 0
        calls = system.begin().calls
        locals_ = tuple(self._local(actor, 0, "", call) for actor, call in enumerate(calls))
        self._root = State(self._name("the beginning"), locals_, 0, -1, 0)

    def explore(self, bounds: Bounds) -> Exploration:
        """Every schedule within the bounds."""
        executions, steps = self._executions, self._steps
        graph = self._graph(bounds)
        ends = {state.trace: state for state in graph.successors if state.over}
        for trace, end in ends.items():
            if trace not in self._verdicts:
                self._execute(graph.way_to(end))
        broken = [end for trace, end in ends.items() if self._verdicts[trace].violations]
        found = [self._counterexample(graph.calmest_way_to(end)) for end in broken]
        return Exploration(
            states=len({(state.trace, state.locals) for state in graph.successors}),
            transitions=sum(map(len, graph.successors.values())),
            interleavings=graph.count_ways(),
            ends=len(ends),
            executions=self._executions - executions,
            steps=self._steps - steps,
            counterexamples=tuple(sorted(found, key=lambda one: (len(one.steps), one.steps))),
        )

    def carry_out(self, schedule: Sequence[Choice]) -> tuple[Verdict, tuple[str, ...]]:
        """Execute one schedule: the verdict, and its steps in words.

        Where the schedule ends before its actors do, they go on one after the other. ValueError when it goes on
        after that.
        """
        return self._execute(schedule, judged_anew=True)

    # The graph of states

    def _graph(self, bounds: Bounds) -> Graph:
        graph = Graph(self._root)
        agenda = [self._root]
        while agenda:
            state = agenda.pop()
            successors = graph.successors[state] = []
            for choice in self._choices(state, bounds):
                if self._key(state, choice) not in self._known:
                    self._execute([*graph.way_to(state), choice])
                after = self._after(state, choice)
                if bounds.preemptions is None:
                    after = after._replace(last=-1, preemptions=0)
                successors.append((choice, after))
                if after not in graph.origin:
                    graph.origin[after] = (state, choice)
                    agenda.append(after)
        return graph

    def _choices(self, state: State, bounds: Bounds) -> Iterator[Choice]:
        """What may happen next."""
        for actor, local in enumerate(state.locals):
            if local == ENDED or (state.preempts(actor) and state.preemptions == bounds.preemptions):
                continue
            yield Choice(actor)
            if state.crashes < bounds.crashes and self._system.mortal[actor]:
                yield Choice(actor, Kind.CRASH_BEFORE)
                yield Choice(actor, Kind.CRASH_AFTER)

    @staticmethod
    def _key(state: State, choice: Choice) -> tuple[int, Kind, int, int]:
        return choice.actor, choice.kind, state.locals[choice.actor], state.trace

    def _after(self, state: State, choice: Choice) -> State:
        """The state after a known step."""
        local, trace, _ = self._known[self._key(state, choice)]
        actor = choice.actor
        return State(
            trace,
            (*state.locals[:actor], local, *state.locals[actor + 1 :]),
            state.crashes + (choice.kind is not Kind.CALL),
            actor,
            state.preemptions + state.preempts(actor),
        )

    # Executions

    def _execute(self, schedule: Sequence[Choice], *, judged_anew: bool = False) -> tuple[Verdict, tuple[str, ...]]:
        """Execute a schedule, then let one actor after the other run to its end. Learn of every step and the end."""
        run = self._system.begin()
        self._executions += 1
        state, waiting = self._root, deque(schedule)
        words: list[str] = []
        while not state.over:
            choice = waiting.popleft() if waiting else _undisturbed(state)
            words.append(self._in_words(state, choice))
            self._learn(state, choice, run.step(choice), words)
            state = self._after(state, choice)
        if waiting:
            raise ValueError(f"the schedule goes on for {len(waiting)} steps after all actors have ended")
        verdict = self._verdicts.get(state.trace)
        if verdict is None or judged_anew:
            found = run.finish()
            if verdict not in (None, found):
                raise _unrepeatable(words, "another history")
            verdict = self._verdicts[state.trace] = found
        return verdict, tuple(words)

    def _learn(self, state: State, choice: Choice, observed: Observation, words: Sequence[str]) -> None:
        self._steps += 1
        key = actor, kind, before, trace = self._key(state, choice)
        known = self._known.get(key)
        if known is None:
            after = trace
            for change in observed.changes:
                after = self._name("trace", after, actor, change)
            local = self._local(actor, before, observed.learned, observed.following)
            self._known[key] = (local, after, observed)
            if kind is Kind.CRASH_BEFORE and self._changes_nothing(state, actor):
                self._known[actor, Kind.CRASH_AFTER, before, trace] = (local, after, observed)
        elif known[2] != observed:
            raise _unrepeatable(words, f"{observed} instead of {known[2]}")

    def _changes_nothing(self, state: State, actor: int) -> bool:
        """Whether the actor's next call is known to change nothing: gone after it is then as gone before it."""
        known = self._known.get(self._key(state, Choice(actor)))
        return known is not None and not known[2].changes

    def _in_words(self, state: State, choice: Choice) -> str:
        call = self._following[state.locals[choice.actor]]
        return f"{self._system.actors[choice.actor]} {choice.kind.value} {call}"

    def _counterexample(self, schedule: Sequence[Choice]) -> Counterexample:
        """What is wrong at the end of a schedule; executed once more, so that it is known to replay."""
        verdict, words = self.carry_out(schedule)
        return Counterexample(verdict.violations, words, tuple(schedule))

    def _name(self, *what: object) -> int:
        return self._names.setdefault(what, len(self._names) + 1)

    def _local(self, actor: int, before: int, learned: str, following: str) -> int:
        if not following:
            return ENDED
        local = self._name("local", actor, before, learned, following)
        self._following[local] = following
        return local


def _undisturbed(state: State) -> Choice:
    """Who goes on when nobody is preempted and nobody crashes."""
    if state.last >= 0 and state.locals[state.last] != ENDED:
        return Choice(state.last)
    return Choice(next(actor for actor, local in enumerate(state.locals) if local != ENDED))


def _unrepeatable(steps: Sequence[str], what: str) -> UnrepeatableError:
    return UnrepeatableError(
        f"the same steps led to something else: {'; '.join(steps)}: {what}",
        remedy="this is a defect of the embedded AWS or of the search; please report it with the steps",
    )
