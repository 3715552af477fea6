"""Reads what befell machines and their backups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from patchgate.judge.estate import Agent, Instance, Job, JobState, RecoveryPoint
from patchgate.judge.facts import Facts
from patchgate.judge.lane import Place
from patchgate.judge.records import Handlers, Record, instant, instant_or_none
from patchgate.judge.spans import Cut


class EstateReader:
    """Fills instances, jobs and recovery points of the facts."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._jobs: dict[str, Job] = {}

    def handlers(self) -> Handlers:
        return {
            "InstanceLaunched": self._launched,
            "InstanceTagged": self._tagged,
            "AgentChanged": self._agent_changed,
            "VolumeAttached": self._attached,
            "VolumeDetached": self._detached,
            "InstanceStateChanged": self._state_changed,
            "InstanceStatusChanged": self._status_changed,
            "InstanceRebooted": self._rebooted,
            "BackupJobStateChanged": self._backup_changed,
            "RecoveryPointDeleted": self._recovery_point_deleted,
            "RecoveryPointExpired": self._recovery_point_expired,
        }

    # Instances and volumes

    def _launched(self, record: Record, cut: Cut, place: Place) -> None:
        instance = Instance(
            account=place[0],
            region=place[1],
            instance=record["instance"],
            name=record.get("name", ""),
            root_device=record.get("root_device", "ebs"),
            launched=cut.seq,
        )
        instance.tags.add(cut.seq, record["tags"])
        instance.volumes.add(cut.seq, frozenset(map(_volume_id, record["volumes"])))
        instance.states.add(cut.seq, record.get("state", "running"))
        instance.impaired.add(cut.seq, value=False)
        if record.get("agent"):
            instance.agents.add(cut.seq, _agent(record["agent"]))
        self.facts.instances.setdefault(place, {})[instance.instance] = instance

    def _instance(self, record: Record, place: Place) -> Instance:
        return self.facts.instances[place][record["instance"]]

    def _tagged(self, record: Record, cut: Cut, place: Place) -> None:
        self._instance(record, place).tags.add(cut.seq, record["tags"])

    def _agent_changed(self, record: Record, cut: Cut, place: Place) -> None:
        self._instance(record, place).agents.add(cut.seq, _agent(record["agent"]))

    def _attached(self, record: Record, cut: Cut, place: Place) -> None:
        volumes = self._instance(record, place).volumes
        volumes.add(cut.seq, volumes.values[-1] | {_volume_id(record["volume"])})

    def _detached(self, record: Record, cut: Cut, place: Place) -> None:
        volumes = self._instance(record, place).volumes
        volumes.add(cut.seq, volumes.values[-1] - {_volume_id(record["volume"])})

    def _state_changed(self, record: Record, cut: Cut, place: Place) -> None:
        instance = self._instance(record, place)
        instance.states.add(cut.seq, record["state"])
        if record.get("ready_at"):
            instance.boots.append((cut.at, instant(record["ready_at"])))

    def _status_changed(self, record: Record, cut: Cut, place: Place) -> None:
        self._instance(record, place).impaired.add(cut.seq, record["status"] == "impaired")

    def _rebooted(self, record: Record, cut: Cut, place: Place) -> None:
        if record.get("ready_at"):
            self._instance(record, place).boots.append((cut.at, instant(record["ready_at"])))

    # Backups

    def _backup_changed(self, record: Record, cut: Cut, place: Place) -> None:
        resource = record["resource"].rpartition("/")[2]
        job = self._jobs.get(record["job"])
        if job is None:
            job = self._jobs[record["job"]] = Job(record["job"], record["vault"], cut)
            self.facts.jobs.setdefault((place, resource), []).append(job)
        category = record.get("message_category", "")
        job.states.add(cut.seq, JobState(record["state"], category))
        if record["state"] != "COMPLETED" or not record.get("recovery_point"):
            return
        snapshots = record.get("snapshots") or []
        job.point = RecoveryPoint(
            arn=record["recovery_point"],
            vault=record["vault"],
            resource=resource,
            category=category,
            volumes=frozenset(snapshot["volume"] for snapshot in snapshots),
            oldest=min((instant(snapshot["started"]) for snapshot in snapshots), default=None),
            completed=cut,
        )
        self.facts.points[job.point.arn] = job.point

    def _recovery_point_deleted(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        point = self.facts.points.get(record["recovery_point"])
        if point is not None:
            point.deleted = cut.seq

    def _recovery_point_expired(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        point = self.facts.points.get(record["recovery_point"])
        if point is not None:
            point.expired = cut.seq


def _volume_id(volume: Any) -> str:
    return str(volume["volume"] if isinstance(volume, Mapping) else volume)


def _agent(facts: Mapping[str, Any]) -> Agent:
    return Agent(
        facts["ping"],
        tuple(int(part) for part in re.findall(r"\d+", facts["version"])),
        facts.get("delivery_seconds", 0),
        facts.get("clock_skew_seconds", 0),
        instant_or_none(facts.get("offline_from")),
        instant_or_none(facts.get("online_from")),
    )
