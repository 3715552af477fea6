"""From what a lane should have and what AWS has of it to its status. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from patchgate._version import __version__
from patchgate.domain.reasons import REASONS
from patchgate.errors import PatchgateError
from patchgate.operations.rollout.facts import COMPLETE
from patchgate.operations.status.cycles import LastCycle, Lease, describe_last, parse_cycle, read_leases_of
from patchgate.operations.status.model import Concern, LaneStatus, StackStatus, StackWord, WindowStatus, WindowWord
from patchgate.operations.status.upcoming import Timetable
from patchgate.plan import names
from patchgate.templates.gate_code import gate_hash

if TYPE_CHECKING:
    from patchgate.operations.rollout.steps import Stage
    from patchgate.operations.status.expected import ExpectedLane
    from patchgate.operations.status.facts import CycleEvidence, LaneFacts, PatchState, StackState

OPENING = timedelta(minutes=15)
"""How long a gate may run: a Lambda function has 15 minutes. It enables the window before it creates the lease.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

CLOSING = timedelta(minutes=30)
"""How long after its schedule a close may need, with a retry."""

GATE_MEMORY = timedelta(days=13)
"""Leases and holds are there at least so long."""

_QUIET_HOLDS = ("frozen", "no-targets")


@dataclass(frozen=True, slots=True)
class Findings:
    """What was read of a lane. ``last``: the key of its last cycle, with its ``evidence`` and the instances' reports.

    ``evidence_error``: why the log bucket could not be read. ``evident``: the cycles that it has evidence of.
    """

    stacks: Mapping[str, StackState]
    facts: LaneFacts
    times: Timetable
    last: str | None = None
    evident: tuple[str, ...] = ()
    evidence: CycleEvidence | None = None
    states: Sequence[PatchState] = ()
    evidence_error: str = ""


def timetable_of(expected: ExpectedLane, stacks: Mapping[str, StackState]) -> Timetable:
    """The schedules as they are deployed, those of the fleet file where nothing is."""
    values = dict(expected.settings.values)
    for stage in ("patch", "monitoring"):
        stack = expected.stacks[stage]
        found = stacks.get(stack.name)
        if found is not None:
            own = {
                parameter: found.parameters[parameter]
                for parameter in stack.parameters
                if parameter in found.parameters
            }
            values |= own
    return Timetable.of(values, expected.lane.region)


def judge_lane(expected: ExpectedLane, found: Findings, now: datetime) -> LaneStatus:
    """The lane's status at that instant (aware UTC). PatchgateError for parameters that no gate wrote."""
    leases = read_leases_of(found.facts, now)
    lease = next((each for each in reversed(leases) if each.live), None)
    stacks = {stage: _stack(expected, stage, found.stacks) for stage in expected.stacks}
    deployed = any(stacks[stage].word != "missing" for stage in ("patch", "monitoring"))
    version, gate = _versions(expected, found.stacks)
    window = _window(expected, found, leases, now) if deployed or found.facts.window else None
    last = None
    if found.last is not None:
        texts = found.facts.leases.get(found.last, {})
        last = describe_last(found.last, texts, found.evidence, found.states, found.times, now)
    current = (version, gate) == (__version__, gate_hash())
    concerns = [
        *_stack_concerns(stacks, deployed=deployed),
        *_window_concerns(window, stacks, lease, now),
        *_schedule_concerns(expected, found.facts, stacks),
        *_cycle_concerns(found, last, expected, now),
    ]
    lane = expected.lane
    return LaneStatus(
        lane.account,
        lane.region,
        lane.os,
        lane.env,
        lane.name,
        found.times.zone,
        stacks,
        version,
        gate,
        current,
        window,
        lease,
        dict(found.facts.schedules),
        found.times.next_runs(now),
        last,
        found.facts.freezes,
        tuple(concerns),
        tuple(_notes(expected, found, window, version, gate, current=current)),
    )


def describe_unreadable(expected: ExpectedLane, error: PatchgateError) -> LaneStatus:
    """The status of a lane that AWS does not let one see."""
    lane = expected.lane
    return LaneStatus(
        lane.account, lane.region, lane.os, lane.env, lane.name, error=str(error), remedy=error.remedy
    )  # fmt: skip


def _stack(expected: ExpectedLane, stage: Stage, stacks: Mapping[str, StackState]) -> StackStatus:
    name = expected.stacks[stage].name
    found = stacks.get(name)
    if found is None:
        return StackStatus(name, "missing")
    word: StackWord = "ok"
    if found.status.endswith("_IN_PROGRESS") and found.status != "REVIEW_IN_PROGRESS":
        word = "busy"
    elif found.status not in COMPLETE or found.status == "UPDATE_ROLLBACK_COMPLETE":
        word = "failed"
    elif found.drift == "DRIFTED":
        word = "drifted"
    return StackStatus(name, word, found.status, found.reason)


def _versions(expected: ExpectedLane, stacks: Mapping[str, StackState]) -> tuple[str, str]:
    """(version, gate hash) of the lane's two stacks; joined with + where they differ."""
    outputs = [stacks[each.name].outputs for stage in ("patch", "monitoring")
               if (each := expected.stacks[stage]).name in stacks]  # fmt: skip
    version, gate = (
        "+".join(dict.fromkeys(said[name] for said in outputs if name in said))
        for name in ("PatchgateVersion", "GateHash")
    )
    return version, gate


def _stack_concerns(stacks: Mapping[Stage, StackStatus], *, deployed: bool) -> Iterator[Concern]:
    deploy = "patchgate deploy FLEET"
    if not deployed:
        yield Concern("not-deployed", "attention", "it is not deployed", deploy)
        return
    for stage, stack in stacks.items():
        said = f"stack {stack.name}"
        if stack.word == "missing":
            gateless = stage == "monitoring"
            text = f"{said} is missing" + (": its window has no gate, and stays inert" if gateless else "")
            yield Concern("window-without-gate" if gateless else "stack-missing", "attention", text, deploy)
        elif stack.word == "failed":
            reason = f": {stack.reason}" if stack.reason else ""
            remedy = f"look at its events, then {deploy}"
            yield Concern("stack-failed", "attention", f"{said} is {stack.status}{reason}", remedy)
        elif stack.word == "drifted":
            remedy = "look at its drift in CloudFormation, and undo what was changed by hand"
            yield Concern("stack-drifted", "attention", f"{said} was changed outside of CloudFormation", remedy)


def _window(expected: ExpectedLane, found: Findings, leases: Sequence[Lease], now: datetime) -> WindowStatus:
    window = found.facts.window
    leased = any(each.live for each in leases)
    if window is None:
        return WindowStatus("none", expected=leased)
    if not window.enabled:
        return WindowStatus("disabled" if leased else "closed", window.id, enabled=False, expected=leased)
    word = "open" if leased else _unleased_word(expected, found, leases, now)
    return WindowStatus(word, window.id, enabled=True, expected=leased)


def _unleased_word(expected: ExpectedLane, found: Findings, leases: Sequence[Lease], now: datetime) -> WindowWord:
    """What an enabled window is in, for which no lease is open: inert, and right for a while only."""
    times = found.times
    unclosed = [each for each in leases if not each.closed]
    if unclosed:
        close = times.following("close", unclosed[-1].window_end)
        return "closing" if close is not None and now <= close + CLOSING else "left-open"
    if times.between("gate", now - OPENING, now):
        return "opening"
    made = [found.stacks[each.name].changed for stage in ("patch", "monitoring")
            if (each := expected.stacks[stage]).name in found.stacks]  # fmt: skip
    close = times.next_closing(max(made)) if made else None
    return "new" if close is not None and now <= close + CLOSING else "left-open"


def _window_concerns(
    window: WindowStatus | None, stacks: Mapping[Stage, StackStatus], lease: Lease | None, now: datetime
) -> Iterator[Concern]:
    if window is None:
        return
    if window.word == "none" and stacks["patch"].word != "missing":
        yield Concern(
            "window-missing",
            "attention",
            "its maintenance window is gone: nothing is patched",
            "patchgate deploy FLEET",
        )
    if window.word == "left-open":
        yield Concern(
            "window-without-lease",
            "unsafe",
            f"window {window.id} is enabled and no lease is open: it starts at its next time, and installs nothing",
            f"aws ssm update-maintenance-window --window-id {window.id} --no-enabled, and find out who enabled it",
        )
    if window.word == "disabled" and lease is not None:
        when = "will not start" if now < lease.window_start else "was disabled while it ran"
        yield Concern(
            "window-disabled",
            "attention",
            f"window {window.id} {when}, although the gate opened cycle {lease.cycle}",
            "find out who disabled it; the next cycle enables it again",
        )


def _schedule_concerns(
    expected: ExpectedLane, facts: LaneFacts, stacks: Mapping[Stage, StackStatus]
) -> Iterator[Concern]:
    if stacks["monitoring"].word in ("missing", "busy"):
        return
    lane = expected.lane
    for pattern in (names.OPEN_SCHEDULE, names.CLOSE_SCHEDULE, names.WATCHDOG_SCHEDULE):
        name = pattern.render(os=lane.os, env=lane.env)
        state = facts.schedules.get(name)
        if state is None:
            yield Concern("schedule-missing", "attention", f"schedule {name} is gone", "patchgate deploy FLEET")
        elif state != "ENABLED":
            remedy = "enable it in EventBridge Scheduler, and find out who disabled it"
            yield Concern("schedule-disabled", "attention", f"schedule {name} is {state}", remedy)


def _cycle_concerns(
    found: Findings, last: LastCycle | None, expected: ExpectedLane, now: datetime
) -> Iterator[Concern]:
    if found.evidence_error:
        remedy = "allow your role to list and read evidence/ in the log bucket"
        yield Concern("evidence-unreadable", "attention", found.evidence_error, remedy)
    if missed := _missed(found, expected, now):
        yield Concern(
            "no-verdict",
            "attention",
            f"no gate judged the window of {missed:%Y-%m-%d %H:%M} UTC",
            "look into the failure queue and the log of the open function",
        )
    if last is None:
        return
    if last.verdict == "none":
        yield Concern(
            "gate-unfinished",
            "attention",
            f"the gate of cycle {last.cycle} left evidence, and neither a lease nor a hold",
            "look at the log of the open function",
        )
    if last.verdict == "hold" and last.reason not in _QUIET_HOLDS:
        reason = REASONS.get(last.reason)
        detail = f" ({last.detail})" if last.detail else ""
        remedy = reason.remedy if reason else "read its evidence in the log bucket"
        yield Concern("held", "attention", f"cycle {last.cycle} was held: {last.reason}{detail}", remedy)
    if last.unreached:
        text = f"{_some(last.unreached)} of cycle {last.cycle} were let in and never reached"
        yield Concern("unreached", "attention", text, "lengthen the window, or raise InstallMaxConcurrency")
    rest = [each for each in last.unpatched if each not in last.unreached]
    if rest:
        text = f"{_some(rest)} of cycle {last.cycle} were let in and are not up to date"
        yield Concern("unpatched", "attention", text, "read their proofs and outputs in the log bucket")


def _missed(found: Findings, expected: ExpectedLane, now: datetime) -> datetime | None:
    """The start of the last window that no gate judged, though its stacks were there before."""
    gate = found.stacks.get(expected.stacks["monitoring"].name)
    patch = found.stacks.get(expected.stacks["patch"].name)
    if gate is None or patch is None:
        return None
    began = now - GATE_MEMORY
    starts = found.times.between("window", began, now)
    if not starts:
        return None
    start, lead = starts[-1], found.times.lead
    if max(gate.changed, patch.changed) >= start - lead:
        return None
    judged = {*found.evident, *(cycle for cycle, texts in found.facts.leases.items() if texts)}
    return None if any(start - lead <= parse_cycle(cycle) < start for cycle in judged) else start


def _notes(
    expected: ExpectedLane, found: Findings, window: WindowStatus | None, version: str, gate: str, *, current: bool
) -> Iterator[str]:
    if window is not None and window.word == "new":
        yield f"window {window.id} is enabled since its stack changed: inert, and the close function disables it"
    if version and not current:
        yield f"{version} with gate {gate} is deployed, this is {__version__} with gate {gate_hash()}"
    for stage, stack in expected.stacks.items():
        present = found.stacks.get(stack.name)
        if present is not None and (other := sorted(expected.differences(stage, present.parameters))):
            yield f"stack {stack.name} differs from the fleet file: {', '.join(other)}"
    for text in found.facts.freezes:
        yield f"frozen: {text or 'without a reason'}"


def _some(instances: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(instances) - shown} more" if instances[shown:] else ""
    return ", ".join(instances[:shown]) + more
