"""One lane before the judge: its part of the facts, each put together once for all promises."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from patchgate.judge.doings import Automation, Discarded, Function, Install, Lease, Run, Said, Window
from patchgate.judge.estate import Instance
from patchgate.judge.spans import Cut, Span

if TYPE_CHECKING:
    from patchgate.judge.facts import EvidenceOfLane, Facts
    from patchgate.judge.lane import LaneFacts

NEVER = datetime.max.replace(tzinfo=UTC)
EVER = datetime.min.replace(tzinfo=UTC)
CYCLE_KEY = "%Y%m%dT%H%M%SZ"
A_CLOSE_COMES_WITHIN = timedelta(hours=25)
"""The watchdog runs every day: longer than that no window is without a close."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One window of a lane: what is said after the one ``before`` it and until the one ``after`` it is said
    of it.
    """

    start: datetime
    end: datetime
    before: datetime
    after: datetime


class Case:
    """A lane and what the history says of it."""

    def __init__(self, facts: Facts, lane: LaneFacts) -> None:
        self.facts = facts
        self.lane = lane
        self._let_in: dict[str, frozenset[str] | None] = {}

    @cached_property
    def now(self) -> datetime:
        """The instant at which the run ended."""
        if self.lane.end is not None:
            return self.lane.end
        return self.facts.last.at if self.facts.last else EVER

    @cached_property
    def path(self) -> str:
        """Where the lane keeps its leases, without the slash at its end."""
        return self.lane.parameter_path.rstrip("/")

    @cached_property
    def leases(self) -> list[Lease]:
        return self.facts.leases.get((self.lane.place, self.path), [])

    @cached_property
    def instances(self) -> dict[str, Instance]:
        """All instances of the account and Region."""
        return self.facts.instances.get(self.lane.place, {})

    @cached_property
    def members(self) -> list[Instance]:
        """The instances that ever carried the lane's tags, in the order of their launch."""
        return [one for one in self.instances.values() if any(map(self.lane.includes, one.tags.values))]

    @cached_property
    def windows(self) -> list[Window]:
        """The lane's windows: those that its patch stack named by id; where it named none, by the lane's own words, and
        of others only by id, as far as that is known: a second one of the name is nobody's of theirs (F22).
        """
        known = self.facts.windows.get(self.lane.place, {})
        ids = self.facts.window_ids.get((self.lane.place, self.path))
        if ids is not None:
            return [known[one] for one in dict.fromkeys(ids.values) if one in known]
        lane = self.lane
        if not lane.has_gate and lane.window_id:
            return [known[lane.window_id]] if lane.window_id in known else []
        return [one for one in known.values() if one.window == lane.window_id or one.name == lane.window_name]

    def names_window(self, window: Window, span: Span) -> bool:
        """Whether the lane's functions were told all the while that this is their window."""
        ids = self.facts.window_ids.get((self.lane.place, self.path))
        return ids is None or set(ids.seen(span)) == {window.window}

    @cached_property
    def gate(self) -> Function:
        """The runs of the open function."""
        return self.facts.functions.get((self.lane.place, self.lane.open_function)) or Function()

    @cached_property
    def closing(self) -> Function:
        """The runs of the close function, also as a watchdog."""
        return self.facts.functions.get((self.lane.place, self.lane.close_function)) or Function()

    def given_up(self, function: Function) -> list[Discarded]:
        """What was given up of a function and made known by that: a destination of ours has an alarm, and of the
        templates of others nobody knows what they have.
        """
        return [one for one in function.discarded if one.arrived or not self.lane.has_gate]

    @cached_property
    def evidence(self) -> EvidenceOfLane:
        lane = self.lane
        return self.facts.evidence.get((lane.operating_system, lane.environment, *lane.place), {})

    def let_in(self, cycle: str) -> frozenset[str] | None:
        """The instances that a verdict on a cycle did not deny; None where no history shows whom it let in."""
        if cycle not in self._let_in:
            verdicts = self.evidence.get((cycle, "open.jsonl"), [])
            rows = [row for verdict in verdicts for row in verdict.rows or () if isinstance(row, Mapping)]
            known = verdicts and all(verdict.rows for verdict in verdicts)
            named = frozenset(str(row.get("instance")) for row in rows if row.get("status") != "denied")
            self._let_in[cycle] = named if known else None
        return self._let_in[cycle]

    @cached_property
    def installs(self) -> list[tuple[Install, Instance, Span]]:
        """Every install on an instance of the lane's patch group, by whatever but an operator's hand, and the span
        in which its proof may have been read: from ``proof_read_within`` before its command was handed over.
        """
        found = []
        for install in self.facts.installs.get(self.lane.place, ()):
            instance = self.instances[install.instance]
            span = self.reading_of(install)
            if not install.by_hand and any(map(self.lane.groups, instance.tags.seen(span))):
                found.append((install, instance, span))
        return found

    @cached_property
    def installs_of(self) -> dict[str, list[Install]]:
        """The same installs, by instance."""
        found: dict[str, list[Install]] = {}
        for install, _, _ in self.installs:
            found.setdefault(install.instance, []).append(install)
        return found

    @cached_property
    def said_of(self) -> dict[str, list[Said]]:
        """Every reason that the lane's gate, close or runbooks gave, by instance; "" is the lane."""
        found: dict[str, list[Said]] = {}
        for said in self.facts.said.get(self.lane.place, ()):
            if said.source.endswith(self.lane.suffix):
                found.setdefault(said.instance, []).append(said)
        return found

    @cached_property
    def runbooks(self) -> list[Automation]:
        """The lane's runbooks that were for one instance, in the order of their begins."""
        lane = self.lane
        found = self.facts.executions.values()
        return [run for run in found if run.place == lane.place and run.document.endswith(lane.suffix)]

    def runbooks_in(self, occurrence: Occurrence) -> list[Automation]:
        """The lane's runbooks that began in a window."""
        first = bisect_left(self.runbooks, occurrence.start, key=lambda run: run.started.at)
        last = bisect_left(self.runbooks, occurrence.end, lo=first, key=lambda run: run.started.at)
        return self.runbooks[first:last]

    def reading_of(self, install: Install) -> Span:
        """The span in which the proof of an install may have been read: that much earlier where a clock is slow."""
        within = self.lane.proof_read_within + self.slowness_of(install)
        return Span(self.facts.cut_at(install.begun - within), Cut(install.seq, install.at))

    def slowness_of(self, install: Install) -> timedelta:
        """How slow the node's clock was when an install began: it is the node that refuses, and so much later."""
        span = Span(self.facts.cut_at(install.begun), Cut(install.seq, install.at))
        agents = self.instances[install.instance].agents.seen(span)
        return timedelta(seconds=max(0.0, *(-agent.clock_skew_seconds for agent in agents)) if agents else 0)

    @cached_property
    def occurrences(self) -> list[Occurrence]:
        """Every window that fell due in the run and has ended, in order.

        Taken from the lane's own list; without one, from its leases and its windows' executions (which ended, or
        were followed by nothing: then the run's end is taken for theirs).
        """
        spans = sorted(set(self.lane.occurrences) or self._seen_spans())
        starts, ends = [start for start, _ in spans], [end for _, end in spans]
        known = zip(spans, [EVER, *ends], [*starts[1:], NEVER], strict=False)
        return [Occurrence(start, end, before, after) for (start, end), before, after in known if end <= self.now]

    def _seen_spans(self) -> set[tuple[datetime, datetime]]:
        spans = {(lease.window_start, lease.window_end) for lease in self.leases}
        for window in self.windows:
            ended = [one.ended for one in window.executions if one.ended is not None]
            for execution in window.executions:
                start = execution.started
                if not any(known <= start < end for known, end in spans):
                    spans.add((start, min((end for end in ended if end >= start), default=self.now)))
        return spans

    def leases_of(self, occurrence: Occurrence) -> list[Lease]:
        """The leases whose window is that one."""
        return [one for one in self.leases if one.window_start < occurrence.end and one.window_end > occurrence.start]

    def first_close(self, occurrence: Occurrence) -> Run | None:
        """The first run of the close function that must have closed that window and named whom it did not reach."""
        for run in self.closing.runs:
            if run.succeeded and run.span.low.at >= occurrence.end and closes(run, occurrence.start):
                return run
        return None

    def is_overdue(self, ended: datetime) -> bool:
        """Whether a close of a window that has ended would have come by now, with nothing going wrong."""
        calm = self.lane.calm_from
        return calm is not None and self.now >= max(ended, calm) + A_CLOSE_COMES_WITHIN

    def includes_throughout(self, instance: Instance, span: Span) -> bool:
        """Whether an instance was there and in the lane all through a span."""
        return instance.launched <= span.low.seq and all(map(self.lane.includes, instance.tags.seen(span)))


def cycle_of(scheduled: datetime) -> str:
    """The key of the cycle whose gate was due at that instant."""
    return f"{scheduled.astimezone(UTC):{CYCLE_KEY}}"


def due_of(cycle: str) -> datetime | None:
    """When the gate of a cycle was due, by its key; None for a key that is none."""
    try:
        return datetime.strptime(cycle, CYCLE_KEY).replace(tzinfo=UTC)
    except ValueError:
        return None


def closes(run: Run, start: datetime) -> bool:
    """Whether a run of the close function ends the window that began at ``start``: a watchdog any, a close those that
    had begun when it was due.
    """
    return run.mode == "watchdog" or (run.mode == "close" and run.scheduled is not None and run.scheduled >= start)


def runs_throughout(instance: Instance, span: Span) -> bool:
    """Whether an instance was up all through a span."""
    return instance.launched <= span.low.seq and set(instance.states.seen(span)) == {"running"}


def may_be_silent(instance: Instance, span: Span) -> bool:
    """Whether its agent did not answer at some instant of a span, or nothing is known of it.

    Assumption: an agent that stops answering shows so at once.
    """
    if not runs_throughout(instance, span):
        return True
    if any(begun <= span.high.at and span.low.at <= ready for begun, ready in instance.boots):
        return True
    agents = instance.agents.seen(span)
    return not agents or any(agent.silent_in(span.low.at, span.high.at) for agent in agents)
