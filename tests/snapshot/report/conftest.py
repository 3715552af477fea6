"""A made-up but realistic rehearsal: 6 lanes in 2 accounts and 2 Regions, 41 instances, every kind of trouble."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from patchgate.domain.reasons import reason_of
from patchgate.rehearsal.outcome import (
    Contrast,
    InstanceOutcome,
    LaneResult,
    LaneVerdict,
    Moment,
    RehearsalResult,
    RehearsedLane,
    Span,
    Status,
)

Trouble = dict[int, tuple[Status, str, str]]


def lane_of(account: str, region: str, system: str, environment: str) -> RehearsedLane:
    zone = {"us-east-1": "America/New_York", "eu-central-1": "Europe/Berlin"}[region]
    return RehearsedLane(
        name=f"{account}/{region}/{system}/{environment}",
        account={"payments": "111122223333", "web": "444455556666"}[account],
        region=region,
        operating_system=system,
        environment=environment,
        zone=zone,
        vault=f"backup-vault-{system}-{environment}-{region}",
        window_name=f"maintenance-window-{system}-{environment}-{region}",
        patch_group=f"{system}-patch-group-{environment}",
        open_function=f"patchgate-open-{system}-{environment}",
        close_function=f"patchgate-close-{system}-{environment}",
    )


def instance_of(number: int, name: str, trouble: tuple[Status, str, str] | None, midnight: datetime) -> InstanceOutcome:
    status, code, detail = trouble or ("patched", "", "")
    reason = reason_of(code) if code else None
    moments = [
        Moment(midnight + timedelta(hours=19, minutes=2), "backup started"),
        Moment(midnight + timedelta(hours=19, minutes=27), "backup completed"),
        Moment(midnight + timedelta(hours=23, seconds=4), "scan started"),
        Moment(midnight + timedelta(hours=23, minutes=2), "scan success: 4 missing"),
    ]
    if status in ("patched", "patched-pending-reboot"):
        moments += [
            Moment(midnight + timedelta(hours=23, minutes=3), "proof: admitted"),
            Moment(midnight + timedelta(hours=23, minutes=15), "install success: 4 installed"),
        ]
    elif code == "no-evidence":
        moments = []
    elif status == "denied":
        moments.append(Moment(midnight + timedelta(hours=24, minutes=3), f"proof: denied, {code}"))
    return InstanceOutcome(
        instance=f"i-{number:017x}",
        name=name,
        status=status,
        reason=code,
        fault=reason.fault if reason else "",
        meaning=reason.meaning if reason else "",
        detail=detail,
        next_step=reason.remedy if reason else "",
        timeline=tuple(moments),
    )


def lane_result(
    lane: RehearsedLane, prefix: str, count: int, trouble: Trouble, *, minutes: int, verdict: LaneVerdict | None = None
) -> LaneResult:
    offset = {"America/New_York": 4, "Europe/Berlin": -2}[lane.zone]
    midnight = datetime(2026, 7, 4, tzinfo=UTC) + timedelta(hours=offset)
    first = 0x0A1B2C3D0000 + sum(map(ord, lane.name)) * 64

    def at(hours: float) -> datetime:
        return midnight + timedelta(hours=hours)

    spans = [Span("gate", at(22.5), at(22.505)), Span("window", at(23), at(26)), Span("close", at(26.17), at(26.171))]
    opened = verdict is None
    if opened:
        spans.append(Span("backup", at(19.03), at(19.5 + count / 20)))
    if opened:
        spans += [Span("scan", at(23.01), at(23.1)), Span("install", at(23.1), at(23.1 + minutes / 60))]
    instances = (
        instance_of(first + index, f"{prefix}-{index + 1:02d}", trouble.get(index), midnight) for index in range(count)
    )
    return LaneResult(
        lane=lane,
        verdict=verdict or LaneVerdict("open", "", f"{count} of {count}", at(22.5)),
        spans=tuple(sorted(spans, key=lambda span: span.start)),
        instances=tuple(instances),
        timeline=(
            Moment(at(22.5), "gate: open, 10 of 12"),
            Moment(at(23), "window started"),
            Moment(at(26.17), "lease closed"),
            Moment(at(26.17), "window disabled"),
        )
        if opened
        else (Moment(at(22.5), "gate: hold, no-evidence, 0 of 5"),),
    )


@pytest.fixture(scope="session")
def sample() -> RehearsalResult:
    hold = LaneVerdict("hold", "no-evidence", "0 of 5", datetime(2026, 7, 4, 20, 30, tzinfo=UTC))
    held: Trouble = dict.fromkeys(range(5), ("denied", "no-evidence", "0 of 5"))
    lanes = (
        lane_result(
            lane_of("payments", "eu-central-1", "amazonlinux", "prd"),
            "ledger",
            12,
            {
                2: ("denied", "backup-failed", "Insufficient privileges to create snapshot of vol-0c2"),
                7: ("denied", "volume-not-covered", "vol-0f00d5eed0000077"),
            },
            minutes=95,
        ),
        lane_result(
            lane_of("payments", "eu-central-1", "windows", "prd"),
            "clearing",
            6,
            {
                1: ("denied", "backup-with-issues", "Windows VSS Backup Job Error encountered"),
                4: ("patched-pending-reboot", "pending-reboot", "KB5060842"),
            },
            minutes=70,
        ),
        lane_result(
            lane_of("payments", "us-east-1", "ubuntu", "stg"),
            "risk",
            5,
            {0: ("failed", "disk-full", "linux-image-6.8.0-64"), 3: ("skipped", "instance-not-running", "stopped")},
            minutes=40,
        ),
        lane_result(lane_of("web", "eu-central-1", "ubuntu", "qa"), "preview", 5, held, minutes=0, verdict=hold),
        lane_result(
            lane_of("web", "us-east-1", "amazonlinux", "prd"),
            "edge",
            9,
            {
                3: ("unreachable", "command-undelivered", "DeliveryTimedOut"),
                8: ("denied", "backup-running", "RUNNING"),
            },
            minutes=80,
        ),
        lane_result(lane_of("web", "us-east-1", "windows", "dev"), "office", 4, {}, minutes=30),
    )
    return RehearsalResult(
        seed=7,
        start=datetime(2026, 7, 4, 12, tzinfo=UTC),
        end=datetime(2026, 7, 5, 18, tzinfo=UTC),
        lanes=lanes,
        events=4182,
        stacks=18,
        resources=284,
        contrast=Contrast(0, 9, 36),
        elapsed_seconds=3.4,
        fleet="examples/fleet.yaml",
    )


@pytest.fixture
def compare() -> Callable[[str, str], None]:
    """Compare a text with the kept one of that name; PATCHGATE_UPDATE_SNAPSHOTS=1 keeps the new one instead."""

    def check(name: str, text: str) -> None:
        kept = Path(__file__).parent / "kept" / name
        if os.environ.get("PATCHGATE_UPDATE_SNAPSHOTS"):
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(text, encoding="utf-8", newline="\n")
        assert text == kept.read_text(encoding="utf-8")

    return check
