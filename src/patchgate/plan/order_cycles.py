"""What each window of one timeline lacks: every rule of the order, held against every cycle."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from patchgate.plan.order_rules import (
    BACKUP_GAP_SECONDS,
    CLOSE_DELAY_SECONDS,
    LATEST_CLOSE_SECONDS,
    LEAST_LEAD_SECONDS,
    LONGEST_OPEN_SECONDS,
    LOOK_BACK_SLACK_SECONDS,
)
from patchgate.plan.order_timeline import LaneSchedules, Timeline

_NEVER = -(2**60)
_EVER = 2**60


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that is broken: how often out of how many, when first, and how much is lacking at worst (seconds).

    ``first`` is the start of the window, or of the gate, backup or close that belongs to none. ``nearest`` is what came
    closest to what was needed at that time, 0 when nothing did.
    """

    rule: str
    first: int
    nearest: int
    affected: int
    total: int
    shortfall: int


@dataclass(frozen=True, slots=True)
class Margins:
    """The least distances found, in seconds; None where nothing was measured.

    From the backup's worst end to the gate, from the gate to the window, from the window's end to its close; and the
    greatest age of a backup when the last install may start.
    """

    backup_to_gate: int | None = None
    gate_to_window: int | None = None
    window_to_close: int | None = None
    proof_age: int | None = None

    def merged(self, other: Margins) -> Margins:
        """The worse of both."""
        return Margins(
            _least(self.backup_to_gate, other.backup_to_gate),
            _least(self.gate_to_window, other.gate_to_window),
            _least(self.window_to_close, other.window_to_close),
            _greatest(self.proof_age, other.proof_age),
        )


@dataclass(slots=True)
class Examination:
    """What was found in one timeline, between two instants (epoch seconds, the first inclusive)."""

    lane: LaneSchedules
    timeline: Timeline
    start: int
    until: int
    breaches: dict[str, Breach] = field(default_factory=dict)
    measured: dict[str, int] = field(default_factory=dict)
    windows: int = 0
    over: int = _NEVER
    """When the cycle before was over: its window had ended, and its close had run."""
    judged: int = _NEVER
    """When the gate ran that judged the last cycle that had one."""

    @property
    def margins(self) -> Margins:
        """The least distances of its cycles."""
        return Margins(**self.measured)

    def run(self) -> Examination:
        """Hold every rule against every cycle, and find what belongs to none."""
        timeline = self.timeline
        used: tuple[set[int], set[int], set[int]] = (set(), set(), set())
        starts = [start for start, _ in timeline.cycles]
        self.windows = bisect_left(starts, self.until) - bisect_left(starts, self.start)
        for number, (start, end) in enumerate(timeline.cycles):
            before = starts[number - 1] if number else _NEVER
            after = starts[number + 1] if number + 1 < len(starts) else _EVER
            self._cycle(start, end, before, after, used)
        for rule, instants, known in zip(
            ("gate-idle", "backup-idle", "close-idle"),
            (timeline.gates, timeline.backups, timeline.closes),
            used,
            strict=True,
        ):
            inside = instants[bisect_left(instants, self.start) : bisect_left(instants, self.until)]
            for instant in inside:
                if instant not in known:
                    self._break(rule, instant, total=len(inside))
        return self

    def _cycle(self, start: int, end: int, before: int, after: int, used: tuple[set[int], set[int], set[int]]) -> None:
        if after < end:
            self._break("windows-overlap", start, after, end - after)
        gate = self._gate(start, before, used[0])
        self._backup(start, before, gate, used[1])
        self.over = self._close(start, end, after, gate, used[2])
        self.judged = self.judged if gate is None else gate

    def _gate(self, start: int, before: int, used: set[int]) -> int | None:
        """The gate that opens the window, None when there is none."""
        gates, lead = self.timeline.gates, self.lane.maximum_lead_minutes * 60
        last = bisect_left(gates, start)
        found = gates[bisect_left(gates, max(before, start - lead)) : last]
        if not found:
            self._break("gate-missing", start, gates[last - 1] if last else 0)
            return None
        used.update(found)
        if len(found) > 1:
            self._break("gate-repeated", start, found[1])
        self._measure(start, "gate_to_window", start - found[-1])
        if start - found[-1] < LEAST_LEAD_SECONDS:
            self._break("gate-too-close", start, found[-1], LEAST_LEAD_SECONDS - start + found[-1])
        return found[0]

    def _backup(self, start: int, before: int, gate: int | None, used: set[int]) -> None:
        """The backup that the gate looks at: the newest one before it."""
        backups, look_back = self.timeline.backups, self.lane.look_back_hours * 3600
        decided = start if gate is None else gate
        last = bisect_left(backups, decided)
        found = backups[bisect_left(backups, max(before, decided - look_back)) : last]
        if not found:
            older = backups[last - 1] if last else _NEVER
            if older > before:
                used.add(older)
                self._break("backup-before-look-back", start, older, decided - look_back - older)
            else:
                self._break("backup-missing", start, backups[last] if last < len(backups) else 0)
            return
        used.update(found)
        newest = found[-1]
        if len(found) > 1:
            self._break("backup-repeated", start, found[0])
        if newest < self.over:
            self._break("backup-in-window", start, newest, self.over - newest)
        self._time_backup(start, newest, gate)
        if found[0] - (decided - look_back) < LOOK_BACK_SLACK_SECONDS:
            lacking = LOOK_BACK_SLACK_SECONDS - found[0] + decided - look_back
            self._break("look-back-too-tight", start, found[0], lacking)

    def _time_backup(self, start: int, backup: int, gate: int | None) -> None:
        lane = self.lane
        worst = backup + 60 * (lane.backup_start_minutes + lane.backup_completion_minutes)
        if gate is not None:
            self._measure(start, "backup_to_gate", gate - worst)
            if worst > gate:
                self._break("backup-unfinished", start, worst, worst - gate)
        if start - backup < BACKUP_GAP_SECONDS:
            self._break("backup-too-close", start, backup, BACKUP_GAP_SECONDS - start + backup)
        age = start + 3600 * (lane.duration_hours - lane.cutoff_hours) - backup
        self._measure(start, "proof_age", age, max)
        if age > 60 * lane.maximum_proof_age_minutes:
            self._break("proof-too-old", start, backup, age - 60 * lane.maximum_proof_age_minutes)

    def _close(self, start: int, end: int, after: int, gate: int | None, used: set[int]) -> int:
        """The close that ends the cycle: the first one after the window's end, before the next cycle begins.

        Returns when the cycle is over: at that close, or where there is none at the window's end.
        """
        gates, closes = self.timeline.gates, self.timeline.closes
        following = bisect_right(gates, start)
        limit = min(after, gates[following] if following < len(gates) else _EVER)
        first = bisect_right(closes, start - 1 if gate is None else gate)
        found = closes[first : bisect_left(closes, limit, first)]
        needed = end + CLOSE_DELAY_SECONDS
        timely = found[bisect_left(found, needed) :]
        used.update(found[: len(found) - len(timely)])
        if len(timely) < len(found):
            self._break("close-too-early", start, found[0], needed - found[0])
        if not found:
            self._break("close-missing", start, closes[first] if first < len(closes) else 0)
        if not timely:
            return end
        soon = timely[: max(1, bisect_right(timely, end + LONGEST_OPEN_SECONDS))]
        used.update(soon)
        self._measure(start, "window_to_close", soon[0] - end)
        # From the first start: the close function counts from the gate, and knows of no second pass of the window.
        slack = self.lane.duration_hours * 3600 + LATEST_CLOSE_SECONDS
        latest = start + slack
        oldest = soon[0] - slack - self.lane.maximum_lead_minutes * 60
        if self.judged >= oldest:
            self._break("windows-too-close", start, self.judged, self.judged - oldest + 60)
        if soon[0] > latest:
            self._break("close-too-late", start, soon[0], soon[0] - latest)
        if len(soon) > 1:
            self._break("close-repeated", start, soon[1])
        return soon[0]

    def _measure(self, start: int, margin: str, seconds: int, worse: Callable[[int, int], int] = min) -> None:
        if self.start <= start < self.until:
            self.measured[margin] = worse(self.measured.get(margin, seconds), seconds)

    def _break(self, rule: str, first: int, nearest: int = 0, shortfall: int = 0, total: int | None = None) -> None:
        """Count a breach, unless it lies outside of what is examined."""
        if not self.start <= first < self.until:
            return
        known = self.breaches.get(rule)
        if known is None:
            self.breaches[rule] = Breach(rule, first, nearest, 1, self.windows if total is None else total, shortfall)
        else:
            worst = max(known.shortfall, shortfall)
            self.breaches[rule] = replace(known, affected=known.affected + 1, shortfall=worst)


def _least(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)


def _greatest(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)
