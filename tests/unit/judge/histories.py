"""Histories written by hand: one lane, one evening, and whatever a test adds to it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from patchgate.judge.judge import Judgement, judge
from patchgate.judge.lane import LaneFacts

ACCOUNT, REGION = "111122223333", "eu-central-1"
CYCLE = "20260704T223000Z"
WINDOW = "mw-0123456789abcdef0"
NAME = "maintenance-window-ubuntu-prd-eu-central-1"
VAULT = "backup-vault-ubuntu-prd-eu-central-1"
EVENING = datetime(2026, 7, 4, tzinfo=UTC)
TAGS = {"PatchGroup": "ubuntu-patch-group-prd", "ToBackupAndPatch": "true"}

LANE = LaneFacts(
    account=ACCOUNT,
    region=REGION,
    operating_system="ubuntu",
    environment="prd",
    vault=VAULT,
    window_name=NAME,
    window_id=WINDOW,
    patch_group="ubuntu-patch-group-prd",
    end=EVENING + timedelta(hours=27),
)


def at(hours: float, seconds: float = 0) -> datetime:
    """So many hours after the evening's midnight, UTC."""
    return EVENING + timedelta(hours=hours, seconds=seconds)


class Story:
    """A history that is told out of order and written down in order."""

    def __init__(self) -> None:
        self._told: list[tuple[datetime, int, dict[str, Any]]] = []

    def tell(self, when: datetime, event: str, **facts: Any) -> Story:
        place = {"account": ACCOUNT, "region": REGION}
        self._told.append((when, len(self._told), place | {"event": event} | facts))
        return self

    def records(self) -> list[dict[str, Any]]:
        ordered = sorted(self._told, key=lambda told: told[:2])
        stamp = "%Y-%m-%dT%H:%M:%S.000Z"
        return [{"seq": seq, "at": when.strftime(stamp)} | facts for seq, (when, _, facts) in enumerate(ordered)]

    def judged(self, **changes: Any) -> Judgement:
        return judge(self.records(), lanes=[replace(LANE, **changes)])

    def broken(self, **changes: Any) -> list[str]:
        """The names of the promises that were broken."""
        return [violation.promise for violation in self.judged(**changes).violations]

    # What befalls an instance and a lane

    def launch(self, instance: str = "i-1", *, volumes: tuple[str, ...] = ("vol-1",), **facts: Any) -> Story:
        known = {"name": "one", "tags": TAGS, "root_device": "ebs", "state": "running"} | facts
        return self.tell(at(1), "InstanceLaunched", instance=instance, volumes=list(volumes), **known)

    def back_up(
        self,
        instance: str = "i-1",
        *,
        volumes: tuple[str, ...] = ("vol-1",),
        hours: float = 19.0,
        category: str = "SUCCESS",
        state: str = "COMPLETED",
        vault: str = VAULT,
        kind: str = "instance",
    ) -> Story:
        started = at(hours).isoformat()
        return self.tell(
            at(hours + 0.5),
            "BackupJobStateChanged",
            job=f"job-{instance}",
            resource=f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{instance}",
            vault=vault,
            state=state,
            message_category=category,
            message="",
            recovery_point=f"arn:aws:ec2:{REGION}::image/ami-{instance}-{hours:g}",
            snapshots=[{"volume": one, "snapshot": f"snap-{one}", "started": started} for one in volumes],
        )

    def open(self, when: datetime | None = None, *, version: int = 1, cycle: str = CYCLE, **terms: Any) -> Story:
        lease = {
            "verdict": "open",
            "cycle": cycle,
            "window_id": WINDOW,
            "window_start": at(23).isoformat(),
            "window_end": at(26).isoformat(),
            "admit_until": at(25).isoformat(),
        } | terms
        name = f"/patchgate/ubuntu/prd/{cycle}/open"
        return self.tell(when or at(22.5), "ParameterPut", name=name, value=json.dumps(lease), version=version)

    def close(self, when: datetime | None = None, cycle: str = CYCLE) -> Story:
        name = f"/patchgate/ubuntu/prd/{cycle}/closed"
        return self.tell(when or at(26.2), "ParameterPut", name=name, value="{}", version=1)

    def window(self, when: datetime, *, enabled: bool) -> Story:
        return self.tell(when, "WindowUpdated", window=WINDOW, name=NAME, enabled=enabled, principal="role")

    def evidence(self, instance: str = "i-1", when: datetime | None = None) -> Story:
        key = f"evidence/ubuntu/prd/{ACCOUNT}/{REGION}/{CYCLE}/{instance}.json"
        return self.tell(when or at(23, 30), "ObjectWritten", bucket="logs", key=key)

    def install(self, instance: str = "i-1", when: datetime | None = None, status: str = "Success") -> Story:
        begin = when or at(23, 60)
        facts = {"instance": instance, "operation": "Install", "command": f"command-{instance}"}
        self.tell(begin, "PatchStarted", reboot_option="RebootIfNeeded", volumes=[], **facts)
        lists: dict[str, list[str]] = {"installed": ["p"], "failed": [], "pending_reboot": [], "missing": []}
        return self.tell(begin + timedelta(minutes=9), "PatchEnded", status=status, output="", **lists, **facts)

    def prove(self, instance: str = "i-1", *, decision: str = "admit", reason: str = "") -> Story:
        execution = f"execution-{instance}"
        self.tell(at(23, 20), "AutomationStarted", execution=execution, document="install", target=instance)
        outputs = {"Decision": [decision], "Reason": [reason]}
        facts = {"step": "prove", "action": "aws:executeScript", "status": "Success", "failure": ""}
        return self.tell(at(23, 30), "AutomationStepEnded", execution=execution, outputs=outputs, **facts)


def good_evening() -> Story:
    """A cycle as it should be: one instance, backed up, admitted and patched; the lane opened and closed."""
    return around().back_up().evidence().install()


def around() -> Story:
    """A lane that opens and closes, with one instance of which nothing is known but its launch."""
    return (
        Story()
        .tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True)
        .launch()
        .window(at(2), enabled=False)
        .window(at(22.4), enabled=True)
        .open()
        .close()
        .window(at(26.2, 1), enabled=False)
    )
