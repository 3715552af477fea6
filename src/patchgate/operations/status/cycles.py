"""The last cycle of a lane: what the gate decided, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from patchgate.domain.leases import is_live, parse_instant
from patchgate.errors import PatchgateError

if TYPE_CHECKING:
    from patchgate.operations.status.facts import CycleEvidence, LaneFacts, PatchState
    from patchgate.operations.status.upcoming import Timetable

Verdict = Literal["open", "hold", "none"]
Outcome = Literal["up-to-date", "pending-reboot", "missing", "failed", "no-report"]
OUTCOMES: tuple[Outcome, ...] = ("up-to-date", "pending-reboot", "missing", "failed", "no-report")
FINDINGS = ("proven", "undecided", "unreachable", "denied")
_IDLE = "window-not-due"


@dataclass(frozen=True, slots=True)
class Lease:
    """The terms of an open verdict; all aware UTC. ``closed``: it was ended."""

    cycle: str
    window_start: datetime
    window_end: datetime
    admit_until: datetime
    closed: bool = False
    live: bool = False


@dataclass(frozen=True, slots=True)
class LastCycle:
    """What came of one cycle.

    ``scheduled`` (aware UTC) is when its gate was due. ``verdict`` 'none': its evidence is there, and no lease and no
    hold: the gate failed before it was done. ``findings``: proven, undecided, unreachable, denied -> how many of
    ``targets``. ``outcomes``: how many of them reported what since the window's start; None before it, and for a hold.
    ``reached``: how many runbooks left their answer. ``unreached``: who was let in, and left none, once it is over.
    ``unpatched``: who was let in and is not up to date, once it is over.
    """

    cycle: str
    scheduled: datetime
    verdict: Verdict
    reason: str = ""
    detail: str = ""
    findings: Mapping[str, int] = field(default_factory=dict)
    targets: int = 0
    lease: Lease | None = None
    outcomes: Mapping[Outcome, int] | None = None
    reached: int = 0
    unreached: tuple[str, ...] = ()
    unpatched: tuple[str, ...] = ()


def read_lease(cycle: str, texts: Mapping[str, str], now: datetime) -> Lease | None:
    """The lease of a cycle, None without an open verdict. PatchgateError for a text that no gate wrote."""
    if "open" not in texts:
        return None
    try:
        terms = json.loads(texts["open"])
        start, end, until = (parse_instant(terms[name]) for name in ("window_start", "window_end", "admit_until"))
        return Lease(cycle, start, end, until, "closed" in texts, is_live(texts, now))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PatchgateError(
            f"the lease of cycle {cycle} is not one that a gate wrote", remedy="find out who wrote it, and delete it"
        ) from error


def read_leases_of(facts: LaneFacts, now: datetime) -> list[Lease]:
    """Every lease of the lane, oldest first."""
    found = (read_lease(cycle, texts, now) for cycle, texts in sorted(facts.leases.items()))
    return [lease for lease in found if lease is not None]


def parse_cycle(cycle: str) -> datetime:
    """When the cycle's gate was due, aware UTC. PatchgateError for another text."""
    try:
        return datetime.strptime(cycle, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise PatchgateError(f"'{cycle}' is no cycle's key", remedy="find out who wrote it, and delete it") from error


def choose_last(leases: Mapping[str, Mapping[str, str]], evident: Iterable[str], times: Timetable | None) -> str | None:
    """The newest cycle that was judged; gates that belong to no window hold, and are passed over."""
    cycles = sorted({*(cycle for cycle, texts in leases.items() if "open" in texts or "hold" in texts), *evident})
    for cycle in reversed(cycles):
        if not _is_idle(cycle, leases.get(cycle, {}), times):
            return cycle
    return cycles[-1] if cycles else None


def describe_last(
    cycle: str,
    texts: Mapping[str, str],
    evidence: CycleEvidence | None,
    states: Sequence[PatchState],
    times: Timetable | None,
    now: datetime,
) -> LastCycle:
    """What came of a cycle; ``texts`` are its parameters, empty once they are pruned."""
    scheduled, lease = parse_cycle(cycle), read_lease(cycle, texts, now)
    verdict = _verdict(texts, evidence, scheduled, now)
    record = _record(cycle, verdict, texts, evidence)
    rows = list(evidence.verdicts.get(verdict, ())[1:]) if evidence else []
    start, end = _window(lease, scheduled, times)
    last = LastCycle(
        cycle,
        scheduled,
        verdict,
        str(record.get("reason", "")),
        str(record.get("detail", "")),
        {name: _count(record.get(name)) for name in FINDINGS},
        _count(record.get("targets")),
        lease,
    )
    if verdict != "open" or start is None or now < start:
        return last
    reports = {state.instance: state for state in states}
    members = {str(row.get("instance")): str(row.get("status")) for row in rows} or dict.fromkeys(reports, "")
    outcomes = {instance: _outcome(reports.get(instance), start) for instance in members}
    let_in = [instance for instance, status in sorted(members.items()) if status in FINDINGS[:3]]
    proofs = evidence.proofs if evidence else frozenset[str]()
    over = end is not None and now >= end
    return LastCycle(
        cycle,
        scheduled,
        verdict,
        last.reason,
        last.detail,
        last.findings,
        last.targets,
        lease,
        {name: list(outcomes.values()).count(name) for name in OUTCOMES},
        len(proofs),
        tuple(each for each in let_in if each not in proofs) if over else (),
        tuple(each for each in let_in if outcomes[each] not in ("up-to-date", "pending-reboot")) if over else (),
    )


def _is_idle(cycle: str, texts: Mapping[str, str], times: Timetable | None) -> bool:
    """Whether the cycle's gate held only because no window belongs to it."""
    if "hold" not in texts or "open" in texts or times is None:
        return False
    if _parse_record(cycle, texts["hold"]).get("reason") != _IDLE:
        return False
    scheduled = parse_cycle(cycle)
    upcoming = times.following("window", scheduled)
    return upcoming is None or upcoming > scheduled + times.lead


def _verdict(texts: Mapping[str, str], evidence: CycleEvidence | None, scheduled: datetime, now: datetime) -> Verdict:
    """The verdict; of a cycle whose parameters were pruned (14 days later) the evidence tells."""
    if "open" in texts:
        return "open"
    if "hold" in texts:
        return "hold"
    verdicts = evidence.verdicts if evidence else {}
    if now - scheduled < _KEPT:
        return "none"
    return "open" if "open" in verdicts else "hold" if "hold" in verdicts else "none"


_KEPT = timedelta(days=13)
"""Leases and holds are there at least so long; the watchdog removes them after 14 days."""


def _record(
    cycle: str, verdict: Verdict, texts: Mapping[str, str], evidence: CycleEvidence | None
) -> Mapping[str, Any]:
    lines = evidence.verdicts.get(verdict, ()) if evidence else ()
    if lines:
        return lines[0]
    return _parse_record(cycle, texts["hold"]) if verdict == "hold" and "hold" in texts else {}


def _parse_record(cycle: str, text: str) -> Mapping[str, Any]:
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise PatchgateError(
            f"the hold of cycle {cycle} is not one that a gate wrote", remedy="find out who wrote it, and delete it"
        )
    return record


def _window(
    lease: Lease | None, scheduled: datetime, times: Timetable | None
) -> tuple[datetime | None, datetime | None]:
    if lease is not None:
        return lease.window_start, lease.window_end
    start = times.following("window", scheduled) if times else None
    if start is None or times is None or start > scheduled + times.lead:
        return None, None
    return start, start + timedelta(hours=times.lane.duration_hours)


def _outcome(state: PatchState | None, start: datetime) -> Outcome:
    if state is None or state.ended < start:
        return "no-report"
    if state.failed:
        return "failed"
    if state.missing:
        return "missing"
    return "pending-reboot" if state.pending_reboot else "up-to-date"


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
