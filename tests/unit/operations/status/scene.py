"""One lane as a status sees it: its file, its stacks, and what its gate left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from patchgate._version import __version__
from patchgate.config import parse_fleet
from patchgate.domain.lane import Lane
from patchgate.errors import PatchgateError
from patchgate.operations.status.expected import ExpectedLane, list_expected
from patchgate.operations.status.facts import (
    Bucket,
    CycleEvidence,
    LaneFacts,
    PatchState,
    StackState,
    WindowState,
)
from patchgate.operations.status.fleet import read_status
from patchgate.operations.status.model import LaneStatus
from patchgate.templates.gate_code import gate_hash

FLEET = """\
version: 1
organization: {id: o-a1b2c3d4e5, log_account: "999999999999"}
accounts: [{id: "111111111111", name: web}]
targets:
  - {accounts: [web], regions: [eu-central-1], operating_systems: [ubuntu], environments: [prd]}
"""
LOGS = ("999999999999", "eu-central-1")
PATCH, MONITORING, BUCKET = "patchgate-patch-ubuntu-prd", "patchgate-monitoring-ubuntu-prd", "patchgate-logs-ubuntu-prd"
SCHEDULES = {f"patchgate-{each}-ubuntu-prd": "ENABLED" for each in ("open", "close", "watchdog")}
MADE = datetime(2026, 7, 8, 8, tzinfo=UTC)
GATE = datetime(2026, 7, 11, 20, 30, tzinfo=UTC)
"""Saturday 22:30 in Frankfurt; the window starts at 23:00 and lasts three hours, the close is on Sunday at 4:10."""
CYCLE = "20260711T203000Z"
START, END = GATE + timedelta(minutes=30), GATE + timedelta(hours=3, minutes=30)
CLOSE = datetime(2026, 7, 12, 2, 10, tzinfo=UTC)

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


def expected_lane(text: str = FLEET) -> ExpectedLane:
    return list_expected(parse_fleet(text.encode(), "fleet.yaml"), MADE.date())[0]


def stack(name: str, **changes: object) -> StackState:
    """A stack of the lane, as this patchgate makes it."""
    expected = {each.name: each for each in expected_lane().stacks.values()}[name]
    outputs = {"PatchgateVersion": __version__, "GateHash": gate_hash()}
    state = StackState("CREATE_COMPLETE", MADE, "", {**expected.parameters, "S3Bucket": "the-bucket"}, outputs)
    return replace(state, **changes)  # type: ignore[arg-type]


def lease_text(**changes: str) -> str:
    terms = {
        "verdict": "open",
        "cycle": CYCLE,
        "window_start": START.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "window_end": END.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "admit_until": (END - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return json.dumps(terms | changes)


def evidence(decision: str, findings: Mapping[str, str], proofs: Iterable[str] = (), reason: str = "") -> CycleEvidence:
    """``findings``: instance -> what the gate found of it."""
    counts = {each: list(findings.values()).count(each) for each in ("proven", "denied", "undecided", "unreachable")}
    record: dict[str, object] = {"decision": decision, "reason": reason, "targets": len(findings), **counts}
    rows = [{"instance": name, "status": status} for name, status in findings.items()]
    return CycleEvidence({decision: (record, *rows)}, frozenset(proofs))


@dataclass
class Scene:
    """StatusReader of one lane that is deployed and closed; tests change what differs."""

    found: dict[tuple[str, str], dict[str, StackState] | PatchgateError] = field(default_factory=dict)
    facts: LaneFacts = field(default_factory=lambda: LaneFacts(WindowState("mw-1", enabled=False), SCHEDULES))
    cycle_evidence: dict[str, CycleEvidence] = field(default_factory=dict)
    reports: tuple[PatchState, ...] = ()
    refused: str = ""
    """The method that AWS refuses."""

    def __post_init__(self) -> None:
        if not self.found:
            self.found = {
                ("111111111111", "eu-central-1"): {PATCH: stack(PATCH), MONITORING: stack(MONITORING)},
                LOGS: {BUCKET: stack(BUCKET, outputs={"BucketName": "the-bucket"})},
            }

    def stacks(self, account: str, region: str) -> Mapping[str, StackState]:
        found = self.found[account, region]
        if isinstance(found, PatchgateError):
            raise found
        return found

    def lane(self, lane: Lane) -> LaneFacts:
        self._refuse("lane", lane)
        return self.facts

    def cycles(self, lane: Lane, bucket: Bucket) -> tuple[str, ...]:
        self._refuse("cycles", lane)
        assert bucket == Bucket("the-bucket", *LOGS)
        return tuple(sorted(self.cycle_evidence))

    def evidence(self, lane: Lane, bucket: Bucket, cycle: str) -> CycleEvidence:
        self._refuse("evidence", lane)
        return self.cycle_evidence.get(cycle, CycleEvidence())

    def patch_states(self, lane: Lane) -> tuple[PatchState, ...]:
        self._refuse("patch_states", lane)
        return self.reports

    def _refuse(self, method: str, lane: Lane) -> None:
        if self.refused == method:
            raise PatchgateError(f"{method} of {lane.name} was refused", remedy="ask for it")

    def own(self) -> dict[str, StackState]:
        """The stacks of the lane's own account."""
        found = self.found["111111111111", "eu-central-1"]
        assert isinstance(found, dict)
        return found

    def window(self, *, enabled: bool) -> None:
        self.facts = replace(self.facts, window=WindowState("mw-1", enabled))

    def leases(self, **texts: str) -> None:
        self.facts = replace(self.facts, leases={CYCLE: texts})

    def at(self, now: datetime) -> LaneStatus:
        (status,) = read_status([expected_lane()], self, now, one_by_one)
        return status


def one_by_one(function: Callable[[_Item], _Found], items: Iterable[_Item]) -> list[_Found]:
    return [function(item) for item in items]


def codes(status: LaneStatus) -> list[str]:
    return [each.code for each in status.concerns]
