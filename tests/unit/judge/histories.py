"""Histories written by hand: one lane, one evening, and whatever a test adds to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from patchgate.judge.judge import Judgement, judge
from patchgate.judge.lane import LaneFacts

ACCOUNT, REGION = "111122223333", "eu-central-1"
CYCLE = "20260704T223000Z"
WINDOW = "mw-0123456789abcdef0"
NAME = "maintenance-window-ubuntu-prd-eu-central-1"
DOCUMENT = "patchgate-install-ubuntu-prd"
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


TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:patchgate-notifications-ubuntu-prd"
OPEN, CLOSE = "patchgate-open-ubuntu-prd", "patchgate-close-ubuntu-prd"
AGENT = {"ping": "Online", "version": "3.3.2299.0", "delivery_seconds": 2, "clock_skew_seconds": 0}
ROLES = {"verdict_role": "gate-open", "proof_role": "gate-prove"}
GATED: dict[str, Any] = {
    "open_function": OPEN,
    "close_function": CLOSE,
    "gate_mode": "coverage",
    "minimum_coverage_percent": 80,
    "backup_job_threshold": 2,
    "look_back": timedelta(hours=12),
    "maximum_lead": timedelta(hours=3),
    "occurrences": ((EVENING + timedelta(hours=23), EVENING + timedelta(hours=26)),),
    **ROLES,
}
"""What a lane with a gate of ours is known by beside."""


def at(hours: float, seconds: float = 0) -> datetime:
    """So many hours after the evening's midnight, UTC."""
    return EVENING + timedelta(hours=hours, seconds=seconds)


LOG = ["START", json.dumps({"problems": []})]
"""Of a run that has nothing to say."""


class Story:
    """A history that is told out of order and written down in order."""

    def __init__(self, *, writes_verdicts: bool = True, writes_denials: bool = True, tells_people: bool = True) -> None:
        self.writes_verdicts = writes_verdicts
        self.writes_denials = writes_denials
        self.tells_people = tells_people
        self._told: list[tuple[datetime, int, dict[str, Any]]] = []

    def tell(self, when: datetime, event: str, **facts: Any) -> Story:
        place = {"account": ACCOUNT, "region": REGION}
        self._told.append((when, len(self._told), place | {"event": event} | facts))
        return self

    def records(self) -> list[dict[str, Any]]:
        ordered = [(when, facts) for when, _, facts in sorted(self._told, key=lambda told: told[:2])]
        return [
            {"seq": seq, "at": f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z"} | facts
            for seq, (when, facts) in enumerate(self._with(ordered))
        ]

    def _with(self, told: list[tuple[datetime, dict[str, Any]]]) -> Iterator[tuple[datetime, dict[str, Any]]]:
        """What was told, each lease, hold and denial after its evidence, where nobody tells of that, and each run's end
        after its message.
        """
        keys = {facts.get("key", "") for _, facts in told}
        targets = {facts["execution"]: facts["target"] for _, facts in told if facts["event"] == "AutomationStarted"}
        for when, facts in told:
            outputs = facts.get("outputs") or {}
            (proven,) = outputs.get("Cycle") or ["no-cycle"]
            denied = f"evidence/ubuntu/prd/{ACCOUNT}/{REGION}/{proven}/{targets.get(facts.get('execution'))}.json"
            if outputs.get("Decision") == ["deny"] and denied not in keys and self.writes_denials:
                place = {"account": ACCOUNT, "region": REGION}
                yield when, place | {"event": "ObjectWritten", "bucket": "logs", "key": denied}
            cycle, _, kind = facts.get("name", "").removeprefix("/patchgate/ubuntu/prd/").partition("/")
            key = f"evidence/ubuntu/prd/{ACCOUNT}/{REGION}/{cycle}/{kind}.jsonl"
            decides = facts["event"] == "ParameterPut" and kind in ("open", "hold")
            if decides and key not in keys and self.writes_verdicts:
                place = {"account": ACCOUNT, "region": REGION}
                yield when, place | {"event": "ObjectWritten", "bucket": "logs", "key": key}
            if facts["event"] == "FunctionEnded" and self.tells_people and isinstance(facts["result"], dict):
                place = {"account": ACCOUNT, "region": REGION}
                text = json.dumps(facts["result"])
                yield when, place | {"event": "MessagePublished", "topic": TOPIC, "subject": "", "message": text}
            yield when, facts

    def judged(self, **changes: Any) -> Judgement:
        return judge(self.records(), lanes=[replace(LANE, **changes)])

    def broken(self, **changes: Any) -> list[str]:
        """The names of the promises that were broken."""
        return [violation.promise for violation in self.judged(**changes).violations]

    # What befalls an instance and a lane

    def launch(
        self,
        instance: str = "i-1",
        *,
        volumes: tuple[str, ...] = ("vol-1",),
        when: datetime | None = None,
        **facts: Any,
    ) -> Story:
        known = {"name": "one", "tags": TAGS, "root_device": "ebs", "state": "running", "agent": AGENT} | facts
        return self.tell(when or at(1), "InstanceLaunched", instance=instance, volumes=list(volumes), **known)

    def back_up(
        self,
        instance: str = "i-1",
        *,
        volumes: tuple[str, ...] = ("vol-1",),
        hours: float = 19.0,
        seconds: float = 0,
        category: str = "SUCCESS",
        state: str = "COMPLETED",
        vault: str = VAULT,
        kind: str = "instance",
        job: str = "",
    ) -> Story:
        started = at(hours).isoformat()
        return self.tell(
            at(hours + 0.5, seconds),
            "BackupJobStateChanged",
            job=job or f"job-{instance}",
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

    def install(
        self, instance: str = "i-1", when: datetime | None = None, status: str = "Success", **said: Any
    ) -> Story:
        """An install of nine minutes. ``said``: its ``command``, and the lists of updates with which it ended."""
        begin = when or at(23, 60)
        facts = {"instance": instance, "operation": "Install", "command": said.pop("command", f"command-{instance}")}
        self.tell(begin, "PatchStarted", reboot_option="RebootIfNeeded", volumes=[], **facts)
        lists = {"installed": ["p"], "failed": [], "pending_reboot": [], "missing": []} | said
        return self.tell(begin + timedelta(minutes=9), "PatchEnded", status=status, output="", **lists, **facts)

    def write(self, name: str, rows: list[Any], when: datetime, role: str = "gate-prove", cycle: str = CYCLE) -> Story:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        key = f"evidence/ubuntu/prd/{ACCOUNT}/{REGION}/{cycle}/{name}"
        facts = {"bucket": "logs", "key": key, "principal": f"arn:aws:iam::{ACCOUNT}:role/{role}", "size": len(text)}
        return self.tell(when, "ObjectWritten", sha256=hashlib.sha256(text.encode()).hexdigest(), text=text, **facts)

    def proof(
        self, instance: str = "i-1", when: datetime | None = None, *, began: datetime | None = None, **said: Any
    ) -> Story:
        """The evidence of one proof: an admission by the evening's backup, unless ``said`` has it otherwise."""
        written = when or at(23, 30)
        started = began or written - timedelta(seconds=5)
        row = {
            "Decision": "admit",
            "Reason": "",
            "Detail": f"arn:aws:ec2:{REGION}::image/ami-{instance}-19 of 2026-07-04T19:00:00Z",
            "Cycle": CYCLE,
            "NotAfter": str(int(started.timestamp()) + 120),
            "InstanceId": instance,
            "ProofStarted": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ExecutionId": f"execution-{instance}",
        }
        return self.write(f"{instance}.json", [row | said], written)

    def verdict(self, *rows: tuple[str, str, str, str], when: datetime | None = None, **said: Any) -> Story:
        """The evidence of a verdict on (instance, status, reason, detail) rows."""
        written = when or at(22.5)
        found = [dict(zip(("instance", "status", "reason", "detail"), row, strict=True)) for row in rows]
        head: dict[str, Any] = {"cycle": CYCLE, "decision": "open", "reason": "", "targets": len(rows)}
        statuses = ("proven", "denied", "undecided", "unreachable")
        head |= {status: sum(row[1] == status for row in rows) for status in statuses}
        head["at"] = (written - timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self.write(f"{(head | said)['decision']}.jsonl", [head | said, *found], written, "gate-open")

    def run(self, function: str, began: datetime, ended: datetime, *, status: str = "Success", **given: Any) -> Story:
        """One run of a function; ``given``: its payload (``scheduled_time``, ``mode``), what it logs and returns."""
        request = f"{function} {began.isoformat()}"
        payload = {key: given.pop(key) for key in ("scheduled_time", "mode") if key in given}
        known = {"function": function, "request_id": request}
        self.tell(began, "FunctionInvoked", payload=payload, **known)
        log = ["START", json.dumps({"problems": []} | given)] if given or status == "Success" else []
        return self.tell(ended, "FunctionEnded", status=status, error="", log=log, result=given or None, **known)

    def gate(self, *left_out: tuple[str, str, str, str], decision: str = "open", **said: Any) -> Story:
        """The gate's run from 22:29:50 to 22:30:10, due at 22:29:50."""
        times = {"scheduled_time": at(22.5, -10).isoformat(), "mode": "open"}
        rows = [list(row) for row in left_out]
        return self.run(OPEN, at(22.5, -10), at(22.5, 10), decision=decision, left_out=rows, **times, **said)

    def closer(self, hours: float = 26.2, *, mode: str = "close", status: str = "Success", **said: Any) -> Story:
        """A run of the close function, 20 seconds long around that time."""
        times = {"scheduled_time": at(hours, -10).isoformat(), "mode": mode}
        return self.run(CLOSE, at(hours, -10), at(hours, 10), status=status, **times, **said)

    def deny(self, reason: str, detail: str = "", instance: str = "i-1") -> Story:
        """A runbook that denies: from 23:00:20 to 23:00:30."""
        self.prove(instance, decision="deny", reason=reason, detail=detail)
        facts = {"document": DOCUMENT, "target": instance, "status": "Success", "failure": ""}
        return self.tell(at(23, 32), "AutomationEnded", execution=f"execution-{instance}", **facts)

    def prove(self, instance: str = "i-1", *, decision: str = "admit", reason: str = "", detail: str = "") -> Story:
        execution = f"execution-{instance}"
        self.tell(at(23, 20), "AutomationStarted", execution=execution, document=DOCUMENT, target=instance)
        outputs = {"Decision": [decision], "Reason": [reason], "Detail": [detail], "Cycle": [CYCLE]}
        facts = {"step": "prove", "action": "aws:executeScript", "status": "Success", "failure": ""}
        return self.tell(at(23, 30), "AutomationStepEnded", execution=execution, outputs=outputs, **facts)


def good_evening() -> Story:
    """A cycle as it should be: one instance, backed up, admitted and patched; the lane opened and closed."""
    return around().back_up().evidence().install()


def around(**facts: Any) -> Story:
    """A lane that opens and closes, with one instance of which nothing is known but its launch.

    ``facts`` are of the instance, or (``window_start``, ``admit_until``) of the lease.
    """
    terms = {name: facts.pop(name) for name in ("window_start", "admit_until") if name in facts}
    return (
        Story()
        .tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True)
        .launch(**facts)
        .window(at(2), enabled=False)
        .window(at(22.4), enabled=True)
        .open(**terms)
        .close()
        .window(at(26.2, 1), enabled=False)
    )
