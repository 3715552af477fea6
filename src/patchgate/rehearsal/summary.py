"""From a recorded history to what came of it: each lane's spans and verdict, each instance's outcome and
reason.

Only what the history says is used, in the order of who knows best: the patch run itself, then the proof at
the point of use, then the gate's verdict, then silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from patchgate.domain.reasons import reason_of
from patchgate.rehearsal.observation import (
    BEGINNING,
    Observation,
    Observed,
    Record,
    error_words,
    first,
    instant,
    observe,
)
from patchgate.rehearsal.outcome import (
    InstanceOutcome,
    LaneResult,
    LaneVerdict,
    RehearsedLane,
    Span,
    SpanKind,
    Status,
)
from patchgate.rehearsal.timeline import instance_timeline, lane_timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

_SIGNS_OF_A_FULL_DISK = ("no space left", "disk full", "not enough space", "insufficient disk", "0x80070070")
_DOWN = ("stopping", "stopped", "shutting-down", "terminated")
_UNDELIVERED = ("DeliveryTimedOut", "Undeliverable")


class Conclusion(NamedTuple):
    """How an instance ended, why (a code of ``domain.reasons``), and the particulars."""

    status: Status
    reason: str = ""
    detail: str = ""


def summarise(history: Iterable[Record], lanes: Sequence[RehearsedLane]) -> tuple[LaneResult, ...]:
    """What each lane did, in the order of ``lanes``, with what became of each instance in the last cycle."""
    return tuple(_lane_result(observation) for observation in observe(history, lanes))


def _lane_result(observation: Observation) -> LaneResult:
    since = _last_cycle_begins(observation)
    verdict = _verdict(observation, since)
    return LaneResult(
        lane=observation.lane,
        verdict=verdict,
        spans=tuple(sorted(_spans(observation), key=lambda span: (span.start, span.kind))),
        instances=tuple(_outcome(observed, verdict, since, observation) for observed in observation.instances.values()),
        timeline=lane_timeline(observation),
        cycles=max(1, len(observation.lane.occurrences)),
    )


def _last_cycle_begins(observation: Observation) -> datetime:
    """What came before belongs to earlier cycles."""
    return (BEGINNING, *observation.lane.boundaries())[-1]


def _verdict(observation: Observation, since: datetime) -> LaneVerdict:
    given = [(at, verdict) for at, verdict in observation.verdicts if at >= since]
    if given:
        at, verdict = given[-1]
        if verdict["decision"] in ("open", "hold"):
            reason, detail = str(verdict.get("reason") or ""), str(verdict.get("detail") or "")
            return LaneVerdict(verdict["decision"], reason, detail, at)
    for record in reversed(observation.of("FunctionEnded", "FunctionDiscarded")):
        if record["function"] == observation.lane.open_function and instant(record["at"]) >= since:
            detail = error_words(record.get("error")) or str(record.get("destination") or "")
            return LaneVerdict("none", "gate-failed", detail, instant(record["at"]))
    return LaneVerdict("none", "gate-silent")


def _spans(observation: Observation) -> Iterator[Span]:
    by_instance = [record for one in observation.instances.values() for record in one.records]
    lane = observation.lane
    backups = [record for record in by_instance if record["event"] == "BackupJobStateChanged"]
    scans = [record for record in by_instance if record.get("operation") == "Scan"]
    installs = [record for record in by_instance if record.get("operation") == "Install"]
    yield from _span("backup", backups, lane.boundaries())
    yield from _span("scan", scans, lane.boundaries())
    yield from _span("install", installs, lane.boundaries())
    yield from _function_spans(observation, "gate", lane.open_function)
    yield from _function_spans(observation, "close", lane.close_function)
    for start, end in lane.occurrences or _executed(observation):
        yield Span("window", start, end)


def _span(kind: SpanKind, records: list[Record], boundaries: tuple[datetime, ...]) -> Iterator[Span]:
    """From the first to the last of the records, for each cycle of the lane."""
    groups: dict[int, list[datetime]] = {}
    for record in records:
        at = instant(record["at"])
        groups.setdefault(sum(at > boundary for boundary in boundaries), []).append(at)
    for times in groups.values():
        yield Span(kind, min(times), max(times))


def _function_spans(observation: Observation, kind: SpanKind, function: str) -> Iterator[Span]:
    started: dict[str, datetime] = {}
    watchdogs = set()
    for record in observation.of("FunctionInvoked", "FunctionEnded"):
        if record["function"] != function:
            continue
        at, request = instant(record["at"]), record["request_id"]
        if record["event"] == "FunctionInvoked" and "watchdog" in str(record.get("payload")):
            watchdogs.add(request)
        begun = started.setdefault(request, at)
        if record["event"] == "FunctionEnded" and request not in watchdogs:
            yield Span(kind, begun, at)


def _executed(observation: Observation) -> Iterator[tuple[datetime, datetime]]:
    started = {r["execution"]: instant(r["at"]) for r in observation.of("WindowExecutionStarted")}
    for record in observation.of("WindowExecutionEnded"):
        if record["execution"] in started:
            yield started[record["execution"]], instant(record["at"])


def _outcome(observed: Observed, verdict: LaneVerdict, since: datetime, observation: Observation) -> InstanceOutcome:
    recent = Observed(observed.launch, [r for r in observed.records if instant(r["at"]) >= since], observed.finding)
    conclusion = (
        _from_patching(recent)
        or _from_command(recent)
        or _from_proof(recent)
        or _from_state(observed, observation)
        or _from_verdict(recent, verdict)
    )
    reason = reason_of(conclusion.reason) if conclusion.reason else None
    return InstanceOutcome(
        instance=observed.instance,
        name=str(observed.launch.get("name") or ""),
        status=conclusion.status,
        reason=conclusion.reason,
        fault=reason.fault if reason else "",
        meaning=reason.meaning if reason else "",
        detail=conclusion.detail,
        next_step=reason.remedy if reason else "",
        timeline=instance_timeline(observed),
    )


def _from_patching(observed: Observed) -> Conclusion | None:
    """What the install said, where one was started."""
    ended = observed.last("PatchEnded", operation="Install")
    if ended is None:
        started = observed.last("PatchStarted", operation="Install")
        return (_went_down(observed) or Conclusion("failed", "timed-out")) if started else None
    if ended["status"] != "Success" or ended.get("failed"):
        return _went_down(observed, ended) or _failed_install(ended)
    if ended.get("pending_reboot"):
        pending = ", ".join(str(patch) for patch in ended["pending_reboot"])
        return _failed_check(observed) or Conclusion("patched-pending-reboot", "pending-reboot", pending)
    return _failed_check(observed) or Conclusion("patched")


def _went_down(observed: Observed, ended: Record | None = None) -> Conclusion | None:
    """What was done to an instance between the start and the end of its install, where that took it down."""
    started = observed.last("PatchStarted", operation="Install")
    if started is None:
        return None
    changes = [
        record
        for record in observed.records
        if record["event"] == "InstanceStateChanged"
        and record["state"] in _DOWN
        and started["seq"] < record["seq"]
        and (ended is None or instant(record["at"]) <= instant(ended["at"]))
    ]
    if not changes:
        return None
    minutes = (instant(changes[-1]["at"]) - instant(started["at"])).total_seconds() / 60
    detail = f"{changes[-1]['state']} {minutes:.0f} min into its install"
    return Conclusion("failed", "down-while-patching", detail)


def _failed_install(ended: Record) -> Conclusion:
    output = str(ended.get("output") or "")
    failed = [str(patch) for patch in ended.get("failed") or ()]
    told = (line.strip() for line in output.splitlines() if any(patch in line for patch in failed))
    detail = next(told, ", ".join(failed)) or _last_line(output)
    if any(sign in output.lower() for sign in _SIGNS_OF_A_FULL_DISK):
        return Conclusion("failed", "disk-full", detail)
    reason = "timed-out" if ended["status"] in ("TimedOut", "Cancelled") else "install-failed"
    return Conclusion("failed", reason, detail)


def _failed_check(observed: Observed) -> Conclusion | None:
    for record in observed.records:
        if record["event"] == "AutomationStepEnded" and record["status"] not in ("Success", "InProgress"):
            step = str(record["step"])
            if step in ("verifyStatus", "verifyAgent"):
                return Conclusion("failed", "unhealthy-after-install", str(record.get("failure") or step))
            if step == "verifyPatchState":
                return Conclusion("failed", "patches-missing", str(record.get("failure") or step))
    return None


def _from_command(observed: Observed) -> Conclusion | None:
    """What became of the install command of an admitted instance on which nothing was started."""
    proof = observed.last("AutomationStepEnded", step="prove")
    if proof is None or first((proof.get("outputs") or {}).get("Decision")) != "admit":
        return None
    later = [record for record in reversed(observed.records) if record["seq"] > proof["seq"]]
    for record in later:
        if record["event"] == "CommandEnded" and record["status"] != "Success":
            return _failed_command(record)
    for record in later:
        if record["event"] == "AutomationEnded" and record["status"] != "Success":
            return Conclusion("failed", "cutoff-reached", str(record.get("failure") or record["status"]))
    return None


def _failed_command(ended: Record) -> Conclusion:
    status = str(ended["status"])
    detail = _last_line(str(ended.get("output") or "")) or status
    never_arrived = status == "TimedOut" and ended.get("response_code", -1) == -1
    if status in _UNDELIVERED or never_arrived:
        return Conclusion("unreachable", "command-undelivered", detail)
    reason = "timed-out" if status in ("TimedOut", "ExecutionTimedOut", "Cancelled") else "refused-late"
    return Conclusion("failed", reason, detail)


def _from_proof(observed: Observed) -> Conclusion | None:
    """What the proof at the point of use said, where it did not admit."""
    step = observed.last("AutomationStepEnded", step="prove")
    if step is not None:
        outputs = step.get("outputs") or {}
        if first(outputs.get("Decision")) == "deny":
            reason, detail = first(outputs.get("Reason")), first(outputs.get("Detail"))
            status: Status = "skipped" if reason == "instance-not-running" else "denied"
            return Conclusion(status, reason, detail)
        if step["status"] != "Success":
            return Conclusion("denied", "proof-unreadable", str(step.get("failure") or step["status"]))
    ended = observed.last("AutomationEnded")
    if ended is not None and ended["status"] != "Success":
        return Conclusion("denied", "cutoff-reached", str(ended.get("failure") or ended["status"]))
    return None


def _from_state(observed: Observed, observation: Observation) -> Conclusion | None:
    """An instance that was not running when its window began is nobody's error."""
    begun = [start for start, _ in observation.lane.occurrences or _executed(observation)]
    state = str(observed.launch.get("state") or "running")
    for record in observed.records:
        if record["event"] == "InstanceStateChanged" and (not begun or instant(record["at"]) <= max(begun)):
            state = str(record["state"])
    return None if state == "running" else Conclusion("skipped", "instance-not-running", state)


def _from_verdict(observed: Observed, verdict: LaneVerdict) -> Conclusion:
    """What the gate said of it, or of the whole lane; at last, that nobody said anything."""
    if verdict.decision == "hold" and verdict.reason == "no-evidence":
        return Conclusion("denied", verdict.reason, verdict.detail)
    if observed.finding is not None and observed.finding[0] != "undecided":
        status, reason, detail = observed.finding
        return Conclusion("unreachable" if status == "unreachable" else "denied", reason, detail)
    if verdict.decision == "open":
        return Conclusion("failed", "not-reached")
    return Conclusion("denied", verdict.reason, verdict.detail)


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else ""
