"""A history in plain words: one line for each thing that befell an instance or a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patchgate.rehearsal.observation import Observation, Observed, Record, error_words, first, instant, said_verdicts
from patchgate.rehearsal.outcome import Moment

if TYPE_CHECKING:
    from collections.abc import Iterable


def instance_timeline(observed: Observed) -> tuple[Moment, ...]:
    """What befell one instance, in order."""
    return _moments(observed.records)


def lane_timeline(observation: Observation) -> tuple[Moment, ...]:
    """What the lane's functions, leases and window did, in order."""
    return _moments(observation.records)


def _moments(records: Iterable[Record]) -> tuple[Moment, ...]:
    told = ((record, _told(record)) for record in records)
    return tuple(Moment(instant(record["at"]), what) for record, what in told if what)


def _told(record: Record) -> str:
    """One record in words; "" for what an operator need not see."""
    teller = _TELLERS.get(record["event"])
    return teller(record) if teller else ""


def _backup(record: Record) -> str:
    state = str(record["state"]).lower()
    if state in ("created", "pending"):
        return ""
    said = [str(record.get("message_category") or ""), str(record.get("message") or "")]
    particulars = ", ".join(part for part in said if part and part != "SUCCESS")
    return f"backup {'started' if state == 'running' else state}" + (f": {particulars}" if particulars else "")


def _step(record: Record) -> str:
    outputs = record.get("outputs") or {}
    decision = first(outputs.get("Decision"))
    if decision:
        reason, detail = first(outputs.get("Reason")), first(outputs.get("Detail"))
        said = ", ".join(part for part in (reason, detail) if part)
        return f"proof: {'admitted' if decision == 'admit' else 'denied'}" + (f", {said}" if said else "")
    if record["status"] == "Success":
        return f"{record['step']} passed" if str(record["step"]).startswith("verify") else ""
    return f"{record['step']} {str(record['status']).lower()}: {record.get('failure') or 'no reason given'}"


def _command(record: Record) -> str:
    return "" if record["status"] == "Success" else f"command {record['status']}: {record.get('output') or ''}".strip()


def _patch_ended(record: Record) -> str:
    parts = [
        f"{len(record.get(kind) or ())} {words}"
        for kind, words in (
            ("installed", "installed"),
            ("failed", "failed"),
            ("pending_reboot", "pending a reboot"),
            ("missing", "missing"),
        )
        if record.get(kind)
    ]
    return f"{str(record['operation']).lower()} {str(record['status']).lower()}: {', '.join(parts) or 'nothing to do'}"


def _function(record: Record) -> str:
    if record["status"] != "Success":
        return f"{record['function']} ended as {record['status']}: {error_words(record.get('error'))}"
    verdicts = said_verdicts(record)
    if not verdicts:
        return f"{record['function']} ended"
    said = verdicts[-1]
    why = ", ".join(str(said[key]) for key in ("reason", "detail") if said.get(key))
    return f"gate: {said['decision']}" + (f", {why}" if why else "")


def _window_updated(record: Record) -> str:
    return f"window {'enabled' if record['enabled'] else 'disabled'}"


def _parameter(record: Record) -> str:
    words = {"open": "lease opened", "closed": "lease closed", "hold": "hold written", "freeze": "freeze put"}
    return words.get(str(record["name"]).rpartition("/")[2], "")


_TELLERS = {
    "BackupJobStateChanged": _backup,
    "VolumeAttached": lambda record: f"volume {record['volume']} attached",
    "VolumeDetached": lambda record: f"volume {record['volume']} detached",
    "InstanceStateChanged": lambda record: f"instance {record['state']}",
    "InstanceStatusChanged": lambda record: f"status checks: {record['status']}",
    "AutomationStepEnded": _step,
    "CommandEnded": _command,
    "PatchStarted": lambda record: f"{str(record['operation']).lower()} started",
    "PatchEnded": _patch_ended,
    "InstanceRebooted": lambda record: "rebooted",  # noqa: ARG005 - one teller for each event
    "FunctionEnded": _function,
    "WindowUpdated": _window_updated,
    "WindowExecutionStarted": lambda record: "window started",  # noqa: ARG005 - as above
    "WindowExecutionEnded": lambda record: f"window ended: {record['status']}",
    "ParameterPut": _parameter,
}
