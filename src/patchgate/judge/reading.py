"""Reads a recorded history into facts, in one pass.

The events and their fields are the contract of the embedded AWS's history; events that no promise asks for
are passed over, and an event that lacks what it must have is an error, never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from patchgate.errors import InputError
from patchgate.judge.facts import (
    Changes,
    Cut,
    Facts,
    Instance,
    Lease,
    Place,
    RecoveryPoint,
    Step,
    StepsByInstance,
    Window,
)

Record = Mapping[str, Any]


def instant(text: str) -> datetime:
    """An ISO 8601 instant with an offset, as an aware datetime. Raises InputError for anything else."""
    try:
        when = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise InputError(f"{text!r} is not an ISO 8601 instant") from error
    if when.tzinfo is None:
        raise InputError(f"{text!r} has no offset from UTC")
    return when


def read_history(history: Iterable[Record]) -> Facts:
    """The facts of a history. Raises InputError where a record lacks what its event must have."""
    reader = _Reader()
    for record in history:
        reader.read(record)
    return reader.facts


class _Reader:
    """Reads record after record; each event that matters has a method of its own."""

    def __init__(self) -> None:
        self.facts = Facts()
        self._targets: dict[str, tuple[Place, str]] = {}
        self._executions: dict[str, tuple[Place, str]] = {}
        self._scans: set[str] = set()
        self._points: dict[str, RecoveryPoint] = {}
        self._handlers: dict[str, Callable[[Record, Cut, Place], None]] = {
            "InstanceLaunched": self._launched,
            "VolumeAttached": self._attached,
            "VolumeDetached": self._detached,
            "InstanceStateChanged": self._state_changed,
            "BackupJobStateChanged": self._backup_changed,
            "RecoveryPointDeleted": self._recovery_point_deleted,
            "ParameterPut": self._parameter_put,
            "ParameterDeleted": self._parameter_deleted,
            "WindowCreated": self._window_changed,
            "WindowUpdated": self._window_changed,
            "WindowDeleted": self._window_deleted,
            "WindowExecutionStarted": self._window_started,
            "WindowExecutionEnded": self._window_ended,
            "AutomationStarted": self._automation_started,
            "AutomationStepEnded": self._automation_step_ended,
            "AutomationEnded": self._automation_ended,
            "CommandSent": self._command_sent,
            "CommandEnded": self._command_ended,
            "PatchStarted": self._patch_started,
            "PatchEnded": self._patch_ended,
            "FunctionEnded": self._function_ended,
            "FunctionDiscarded": self._function_discarded,
            "ObjectWritten": self._object_written,
        }

    def read(self, record: Record) -> None:
        try:
            cut = Cut(record["seq"], instant(record["at"]))
            place = record["account"], record["region"]
            self.facts.last = cut
            self.facts.records.append((cut.seq, cut.at))
            handler = self._handlers.get(record["event"])
            if handler is not None:
                handler(record, cut, place)
        except KeyError as missing:
            event, seq = record.get("event", "?"), record.get("seq", "?")
            raise InputError(f"record {seq} of the history ({event}) lacks {missing}") from missing

    # Instances and volumes

    def _launched(self, record: Record, cut: Cut, place: Place) -> None:
        instance = Instance(
            account=place[0],
            region=place[1],
            instance=record["instance"],
            name=record.get("name", ""),
            tags=record["tags"],
            root_device=record.get("root_device", "ebs"),
            launched=cut.seq,
        )
        instance.volumes.add(cut.seq, frozenset(map(_volume_id, record["volumes"])))
        instance.states.add(cut.seq, record.get("state", "running"))
        self.facts.instances[place, instance.instance] = instance

    def _attached(self, record: Record, cut: Cut, place: Place) -> None:
        instance = self.facts.instances[place, record["instance"]]
        attached = instance.volumes.as_of(cut.seq) or frozenset()
        instance.volumes.add(cut.seq, attached | {_volume_id(record["volume"])})

    def _detached(self, record: Record, cut: Cut, place: Place) -> None:
        instance = self.facts.instances[place, record["instance"]]
        attached = instance.volumes.as_of(cut.seq) or frozenset()
        instance.volumes.add(cut.seq, attached - {_volume_id(record["volume"])})

    def _state_changed(self, record: Record, cut: Cut, place: Place) -> None:
        self.facts.instances[place, record["instance"]].states.add(cut.seq, record["state"])

    # Backups

    def _backup_changed(self, record: Record, cut: Cut, place: Place) -> None:
        if record["state"] != "COMPLETED" or not record.get("recovery_point"):
            return
        snapshots = record.get("snapshots") or []
        started = [instant(snapshot["started"]) for snapshot in snapshots]
        point = RecoveryPoint(
            arn=record["recovery_point"],
            vault=record["vault"],
            resource=record["resource"].rpartition("/")[2],
            category=record.get("message_category", ""),
            volumes=frozenset(snapshot["volume"] for snapshot in snapshots),
            oldest=min(started, default=None),
            completed=cut.seq,
        )
        self._points[point.arn] = point
        self.facts.recovery_points.setdefault((place, point.resource), []).append(point)

    def _recovery_point_deleted(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        point = self._points.get(record["recovery_point"])
        if point is not None:
            point.deleted = cut.seq

    # Leases, holds, freezes

    def _parameter_put(self, record: Record, cut: Cut, place: Place) -> None:
        path, _, leaf = record["name"].rpartition("/")
        match leaf:
            case "open":
                lease = _lease(path, record, cut)
                if lease is not None:
                    self.facts.leases.setdefault((place, path.rpartition("/")[0]), []).append(lease)
            case "closed":
                for lease in self._leases(place, path):
                    lease.closed = cut.seq if lease.closed is None else lease.closed
            case "hold":
                self.facts.holds.setdefault((place, path.rpartition("/")[0]), []).append((cut, path.rpartition("/")[2]))
            case "freeze":
                self.facts.freezes.setdefault((place, record["name"]), Changes()).add(cut.seq, value=True)

    def _parameter_deleted(self, record: Record, cut: Cut, place: Place) -> None:
        path, _, leaf = record["name"].rpartition("/")
        if leaf == "open":
            for lease in self._leases(place, path):
                lease.deleted = cut.seq if lease.deleted is None else lease.deleted
        elif leaf == "freeze":
            self.facts.freezes.setdefault((place, record["name"]), Changes()).add(cut.seq, value=False)

    def _leases(self, place: Place, path: str) -> list[Lease]:
        lane_path = path.rpartition("/")[0]
        return [lease for lease in self.facts.leases.get((place, lane_path), []) if lease.path == path]

    # Windows

    def _window_changed(self, record: Record, cut: Cut, place: Place) -> None:
        key = place, record["window"]
        window = self.facts.windows.setdefault(key, Window(record["window"], place, record.get("name", "")))
        window.enabled.add(cut.seq, value=bool(record["enabled"]))
        window.changes.append((cut, bool(record["enabled"])))

    def _window_deleted(self, record: Record, cut: Cut, place: Place) -> None:
        self.facts.windows[place, record["window"]].enabled.add(cut.seq, value=False)

    def _window_started(self, record: Record, cut: Cut, place: Place) -> None:
        window = self.facts.windows.get((place, record["window"]))
        if window is not None:
            window.executions.append((cut.at, record["execution"]))
            self._executions[record["execution"]] = place, record["window"]

    def _window_ended(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        key = self._executions.get(record["execution"])
        if key is not None:
            self.facts.windows[key].ended.append(cut.at)

    # What was done to instances

    def _automation_started(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        if record.get("target"):
            self._targets[record["execution"]] = place, record["target"]

    def _automation_step_ended(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        target = self._targets.get(record["execution"])
        outputs = record.get("outputs") or {}
        if target is None:
            return
        reason = ""
        if _text(outputs.get("Decision")) == "deny":
            reason = _text(outputs.get("Reason"))
        elif record.get("status") not in ("Success", None) and record.get("failure"):
            reason = str(record["failure"])
        if reason:
            _keep(self.facts.refusals, Step(cut.seq, cut.at, target[0], target[1], reason=reason))

    def _automation_ended(self, record: Record, cut: Cut, place: Place) -> None:
        status = record["status"]
        target = self._targets.get(record["execution"], (place, record.get("target") or ""))
        if status != "Success" and (record.get("failure") or status in ("TimedOut", "Cancelled")):
            reason = str(record.get("failure") or status)
            _keep(self.facts.refusals, Step(cut.seq, cut.at, target[0], target[1], reason=reason))

    def _command_sent(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        if _text((record.get("parameters") or {}).get("Operation")) == "Scan":
            self._scans.add(record["command"])

    def _command_ended(self, record: Record, cut: Cut, place: Place) -> None:
        """A command that failed is a reason, but for a scan: that install is no less due."""
        if record["status"] != "Success" and record["command"] not in self._scans:
            step = Step(cut.seq, cut.at, place, record["instance"], record["command"], reason=record["status"])
            _keep(self.facts.refusals, step)

    def _patch_started(self, record: Record, cut: Cut, place: Place) -> None:
        if record["operation"] != "Install":
            return
        step = Step(cut.seq, cut.at, place, record["instance"], record.get("command") or "")
        if (place, step.instance) in self.facts.instances:
            self.facts.installs.append(step)
        else:
            self.facts.orphans.append((cut, place, step.instance))

    def _patch_ended(self, record: Record, cut: Cut, place: Place) -> None:
        if record["operation"] != "Install":
            return
        failed = ", ".join(record.get("failed") or ())
        reason = f"failed to install {failed}" if failed else ""
        if record["status"] != "Success":
            reason = reason or f"the install ended as {record['status']}"
        step = Step(cut.seq, cut.at, place, record["instance"], record.get("command") or "", record["status"])
        _keep(self.facts.ends, step)
        if reason:
            _keep(self.facts.refusals, Step(cut.seq, cut.at, place, record["instance"], reason=reason))

    # What the functions said

    def _function_ended(self, record: Record, cut: Cut, place: Place) -> None:
        if record["status"] != "Success":
            self.facts.broken_functions.append((cut.at, place, record["function"]))
        for said in (record.get("result"), *(record.get("log") or ())):
            for instance, reason in _named_instances(_parsed(said)):
                _keep(self.facts.named, Step(cut.seq, cut.at, place, instance, reason=reason))

    def _function_discarded(self, record: Record, cut: Cut, place: Place) -> None:
        self.facts.broken_functions.append((cut.at, place, record["function"]))

    def _object_written(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        self.facts.evidence.setdefault(record["key"], cut.seq)


def _keep(steps: StepsByInstance, step: Step) -> None:
    steps.setdefault((step.place, step.instance), []).append(step)


def _volume_id(volume: Any) -> str:
    return str(volume["volume"] if isinstance(volume, Mapping) else volume)


def _text(value: Any) -> str:
    """An output of a step: Automation keeps them as lists of strings."""
    if isinstance(value, list | tuple):
        return str(value[0]) if value else ""
    return "" if value is None else str(value)


def _parsed(said: Any) -> Any:
    if not isinstance(said, str):
        return said
    start = said.find("{")
    if start < 0:
        return None
    try:
        return json.loads(said[start:])
    except ValueError:
        return None


def _named_instances(said: Any) -> Iterable[tuple[str, str]]:
    """Every (instance, reason) that a JSON value names, however deep."""
    if isinstance(said, Mapping):
        instance, reason = said.get("instance"), said.get("reason")
        if isinstance(instance, str) and isinstance(reason, str) and reason:
            yield instance, reason
        for row in said.get("left_out") or ():
            if len(row) > 2 and row[2]:
                yield str(row[0]), str(row[2])
        for unreached in said.get("unreached") or ():
            yield str(unreached), "not-reached"
        for value in said.values():
            yield from _named_instances(value)
    elif isinstance(said, list):
        for value in said:
            yield from _named_instances(value)


def _lease(path: str, record: Record, cut: Cut) -> Lease | None:
    """The lease that a parameter holds; None when it is not one of an open verdict, so that nothing rests on it."""
    value = _parsed(record["value"])
    if not isinstance(value, Mapping) or value.get("verdict") != "open":
        return None
    try:
        start, end, until = (instant(value[key]) for key in ("window_start", "window_end", "admit_until"))
    except (KeyError, InputError):
        return None
    return Lease(path, path.rpartition("/")[2], cut, int(record.get("version", 1)), start, end, until)
