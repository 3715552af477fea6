"""What a history says about one lane and about each of its instances, gathered before anything is concluded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patchgate.rehearsal.outcome import RehearsedLane

Record = Mapping[str, Any]


def instant(text: str) -> datetime:
    """An instant as histories, leases and verdicts write it."""
    return datetime.fromisoformat(text)


@dataclass(slots=True)
class Observed:
    """One instance: its launch, and every record that speaks of it, in order."""

    launch: Record
    records: list[Record] = field(default_factory=list)
    finding: tuple[str, str, str] | None = None
    """(status, reason, detail) of the gate's last verdict, when it left the instance out."""

    @property
    def instance(self) -> str:
        return str(self.launch["instance"])

    def last(self, event: str, **facts: Any) -> Record | None:
        """The newest record of an event with these facts."""
        found = (
            record
            for record in reversed(self.records)
            if record["event"] == event and all(record.get(key) == value for key, value in facts.items())
        )
        return next(found, None)


@dataclass(slots=True)
class Observation:
    """One lane: its instances by id, its verdicts, and the records about the lane itself."""

    lane: RehearsedLane
    instances: dict[str, Observed] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    verdicts: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)

    def of(self, *events: str) -> list[Record]:
        return [record for record in self.records if record["event"] in events]


def observe(history: Iterable[Record], lanes: Iterable[RehearsedLane]) -> list[Observation]:
    """Sort a history by lane. Records are about a lane by its window, its window's runbooks that are for no machine,
    its functions and its members.
    """
    observer = _Observer([Observation(lane) for lane in lanes])
    for record in history:
        observer.read(record)
    return observer.observations


def said_verdicts(record: Record) -> list[Mapping[str, Any]]:
    """The verdicts in what a function logged or returned: JSON objects that carry a decision."""
    found: list[Mapping[str, Any]] = []
    for said in (*(record.get("log") or ()), record.get("result")):
        value = _parsed(said)
        if isinstance(value, Mapping) and "decision" in value:
            found.append(value)
    return found


def first(value: Any) -> str:
    """An output of an Automation step: those are lists of strings, or strings."""
    if isinstance(value, list | tuple):
        return str(value[0]) if value else ""
    return "" if value is None else str(value)


def error_words(error: Any) -> str:
    """The error of a function, which Lambda gives as an object with a type and a message, in one line."""
    if not isinstance(error, Mapping):
        return "" if error is None else str(error)
    kind, message = str(error.get("errorType") or ""), str(error.get("errorMessage") or "")
    return ": ".join(part for part in (kind, message) if part)


class _Observer:
    def __init__(self, observations: list[Observation]) -> None:
        self.observations = observations
        self._by_group = {
            (o.lane.account, o.lane.region, o.lane.patch_group): o for o in observations if not o.lane.tags
        }
        self._by_tags = [o for o in observations if o.lane.tags]
        self._by_function = {
            (o.lane.account, o.lane.region, function): o
            for o in observations
            for function in (o.lane.open_function, o.lane.close_function)
        }
        self._by_window_name = {(o.lane.account, o.lane.region, o.lane.window_name): o for o in observations}
        self._by_window: dict[tuple[str, str, str], Observation] = {}
        self._by_execution: dict[str, Observation] = {}
        self._instances: dict[tuple[str, str, str], Observed] = {}
        self._targets: dict[str, Observed] = {}
        self._runbooks: dict[str, Observation] = {}

    def read(self, record: Record) -> None:
        place = record["account"], record["region"]
        match record["event"]:
            case "InstanceLaunched":
                self._launched(record, place)
            case "BackupJobStateChanged":
                self._add(record, place, record["resource"].rpartition("/")[2])
            case "AutomationStarted" | "AutomationStepEnded" | "AutomationEnded":
                self._automation(record, place)
            case "FunctionInvoked" | "FunctionEnded" | "FunctionDiscarded":
                self._function(record, place)
            case "WindowCreated" | "WindowUpdated" | "WindowExecutionStarted" | "WindowExecutionEnded":
                self._window(record, place)
            case "WindowTaskStarted" | "WindowTaskEnded":
                self._of_execution(record)
            case "ParameterPut":
                self._parameter(record, place)
            case _ if "instance" in record:
                self._add(record, place, record["instance"])

    def _launched(self, record: Record, place: tuple[str, str]) -> None:
        observation = self._lane_of(place, record["tags"])
        if observation is None:
            return
        observed = Observed(record)
        observation.instances[observed.instance] = observed
        self._instances[(*place, observed.instance)] = observed
        for volume in record["volumes"]:
            identity = volume["volume"] if isinstance(volume, Mapping) else volume
            self._instances[(*place, identity)] = observed

    def _lane_of(self, place: tuple[str, str], tags: Mapping[str, str]) -> Observation | None:
        """The lane that a machine with these tags is in."""
        if tags.get("ToBackupAndPatch") == "true" and (*place, tags.get("PatchGroup", "")) in self._by_group:
            return self._by_group[(*place, tags.get("PatchGroup", ""))]
        for observation in self._by_tags:
            lane = observation.lane
            if (lane.account, lane.region) == place and lane.tags.items() <= tags.items():
                return observation
        return None

    def _add(self, record: Record, place: tuple[str, str], instance: str) -> None:
        observed = self._instances.get((*place, instance))
        if observed is not None:
            observed.records.append(record)

    def _automation(self, record: Record, place: tuple[str, str]) -> None:
        execution = record["execution"]
        if record.get("target") and (*place, record["target"]) in self._instances:
            self._targets[execution] = self._instances[(*place, record["target"])]
        elif record["event"] == "AutomationStarted" and not record.get("target"):
            runbook = self._by_execution.get(record.get("window_execution") or "")
            if runbook is not None:
                self._runbooks[execution] = runbook
        if execution in self._targets:
            self._targets[execution].records.append(record)
        elif execution in self._runbooks:
            self._runbooks[execution].records.append(record)

    def _function(self, record: Record, place: tuple[str, str]) -> None:
        observation = self._by_function.get((*place, record["function"]))
        if observation is None:
            return
        observation.records.append(record)
        if record["function"] != observation.lane.open_function or record["event"] != "FunctionEnded":
            return
        for verdict in said_verdicts(record):
            observation.verdicts.append((instant(record["at"]), verdict))
            if "left_out" in verdict and not verdict.get("repeated"):
                _note_findings(observation, verdict["left_out"])

    def _window(self, record: Record, place: tuple[str, str]) -> None:
        named = self._by_window_name.get((*place, record.get("name") or ""))
        if named is not None and record.get("window"):
            self._by_window[(*place, record["window"])] = named
        observation = self._by_window.get((*place, record.get("window") or ""))
        if observation is not None and record["event"] == "WindowExecutionStarted":
            self._by_execution[record["execution"]] = observation
        observation = observation or self._by_execution.get(record.get("execution") or "")
        if observation is not None:
            observation.records.append(record)

    def _of_execution(self, record: Record) -> None:
        observation = self._by_execution.get(record.get("execution") or "")
        if observation is not None:
            observation.records.append(record)

    def _parameter(self, record: Record, place: tuple[str, str]) -> None:
        for observation in self.observations:
            lane = observation.lane
            prefix = f"/patchgate/{lane.operating_system}/{lane.environment}/"
            if place == (lane.account, lane.region) and record["name"].startswith(prefix):
                observation.records.append(record)


def _note_findings(observation: Observation, left_out: Iterable[tuple[str, str, str, str]]) -> None:
    """A verdict replaces the findings of the one before it."""
    for observed in observation.instances.values():
        observed.finding = None
    for instance, status, reason, detail in left_out:
        if instance in observation.instances:
            observation.instances[instance].finding = (status, reason, detail)


def _parsed(said: Any) -> Any:
    if not isinstance(said, str):
        return said
    start = said.find("{")
    try:
        return json.loads(said[start:]) if start >= 0 else None
    except ValueError:
        return None


BEGINNING = datetime.min.replace(tzinfo=UTC)
