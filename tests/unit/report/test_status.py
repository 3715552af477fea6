"""The status of a fleet as a screen, as JSON and as metrics."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from patchgate.errors import PatchgateError
from patchgate.operations.status.facts import PatchState
from patchgate.operations.status.fleet import FleetStatus
from patchgate.operations.status.judging import describe_unreadable
from patchgate.operations.status.model import Concern, LaneStatus
from patchgate.report.openmetrics import render_status_openmetrics
from patchgate.report.screen import columns
from patchgate.report.status import render_status_json, render_status_text
from tests.metrics import read_metrics
from tests.unit.operations.status.scene import (
    CYCLE,
    END,
    GATE,
    START,
    Scene,
    evidence,
    expected_lane,
    lease_text,
)

NOW = END + timedelta(hours=3)
EVIL = 'x\x1b[2J"\\\n\u202e'


def patched() -> LaneStatus:
    scene = Scene(
        cycle_evidence={CYCLE: evidence("open", {"i-1": "proven", "i-2": "denied"}, ["i-1", "i-2"])},
        reports=(PatchState("i-1", START + timedelta(hours=1)), PatchState("i-2", GATE)),
    )
    scene.leases(open=lease_text(), closed="{}")
    return scene.at(NOW)


def unsafe() -> LaneStatus:
    scene = Scene()
    scene.window(enabled=True)
    return replace(scene.at(GATE - timedelta(days=1)), name="shop/eu-central-1/ubuntu/prd")


def unreadable(text: str = "no entry") -> LaneStatus:
    status = describe_unreadable(expected_lane(), PatchgateError(text, remedy="knock"))
    return replace(status, name="dark/eu-central-1/ubuntu/prd", account="333333333333")


def fleet(*lanes: LaneStatus) -> FleetStatus:
    return FleetStatus("fleet.yaml", "o-a1b2c3d4e5", NOW, lanes)


def screen(*lanes: LaneStatus, width: int = 120, ascii_only: bool = False, height: int | None = None) -> list[str]:
    text = render_status_text(fleet(*lanes), width=width, color=False, ascii_only=ascii_only, height=height)
    return text.splitlines()


def test_a_line_for_each_lane_the_worst_first_and_what_to_do() -> None:
    lines = screen(patched(), unreadable(), unsafe(), width=140)
    assert lines[0] == "patchgate status · fleet.yaml · o-a1b2c3d4e5 · 2026-07-12 03:00 UTC"
    assert lines[2].startswith("✗ shop/eu-central-1/ubuntu/prd")
    assert "left-open" in lines[2]
    assert lines[3].split() == ["✗", "dark/eu-central-1/ubuntu/prd", "?", "-", "-", "-", "-"]
    assert lines[4].startswith("✓ web/eu-central-1/ubuntu/prd")
    assert "closed" in lines[4]
    assert "Sat 07-18 23:00" in lines[4]
    assert "07-18 21:00Z" in lines[4]
    assert lines[4].endswith("07-11 open: 1 up-to-date, 1 no-report")
    assert "  ✗ no entry; knock" in lines
    assert lines[-1] == "3 lanes: 1 fine, 1 not readable, 1 unsafe."


@pytest.mark.parametrize("width", [40, 80, 110, 170, 240])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert all(columns(line) <= width for line in screen(patched(), unreadable(), unsafe(), width=width))


def test_wide_terminals_show_every_next_run() -> None:
    heading = screen(patched(), width=170)[1]
    assert [heading.count(f"next {kind}") for kind in ("backup", "gate", "window", "close")] == [1, 1, 1, 1]


def test_a_terminal_that_is_too_low_says_so() -> None:
    lines = screen(patched(), unsafe(), height=4)
    assert len(lines) == 4
    assert "more lines; the terminal is too low" in lines[-1]


def test_ascii_is_ascii() -> None:
    lines = screen(patched(), unreadable(), unsafe(), width=60, ascii_only=True)
    assert "\n".join(lines).isascii()
    assert all(len(line) <= 60 for line in lines)


def test_nothing_from_outside_reaches_the_terminal_as_it_is() -> None:
    lane = replace(
        patched(),
        name=f"{EVIL}/eu-central-1/ubuntu/prd",
        version=EVIL,
        current=False,
        concerns=(Concern("held", "attention", EVIL, EVIL),),
        notes=(EVIL,),
    )
    drawn = "".join(screen(lane, unreadable(EVIL), width=200))
    assert "\x1b" not in drawn
    assert "\u202e" not in drawn


def test_exit_codes() -> None:
    attention = replace(patched(), concerns=(Concern("held", "attention", "", ""),))
    assert fleet(patched()).exit_code == 0
    assert fleet(patched(), attention).exit_code == 1
    assert fleet(patched(), unreadable()).exit_code == 1
    assert fleet(patched(), attention, unsafe()).exit_code == 3


def test_json_says_all_of_it() -> None:
    value = json.loads(render_status_json(fleet(patched(), unsafe(), unreadable())))
    assert (value["schema"], value["exit_code"], value["at"]) == (1, 3, "2026-07-12T03:00:00Z")
    assert value["counts"] == {"unsafe": 1, "unreadable": 1, "attention": 0, "ok": 1}
    first, second, third = value["lanes"]
    assert first["next"]["window"] == {
        "utc": "2026-07-18T21:00:00Z",
        "local": "2026-07-18T23:00:00+02:00",
        "uncertain": False,
    }
    assert first["last_cycle"]["lease"]["closed"] is True
    assert first["last_cycle"]["outcomes"]["up-to-date"] == 1
    assert first["deployed"]["stacks"]["patch"] == {
        "name": "patchgate-patch-ubuntu-prd",
        "state": "ok",
        "status": "CREATE_COMPLETE",
        "reason": "",
    }
    assert second["window"] == {"id": "mw-1", "state": "left-open", "enabled": True, "expected": False}
    assert [each["code"] for each in second["concerns"]] == ["window-without-lease"]
    assert third["error"] == {"message": "no entry", "remedy": "knock"}


def test_metrics_are_openmetrics() -> None:
    evil = replace(patched(), name=EVIL)
    text = render_status_openmetrics(fleet(patched(), unsafe(), unreadable(), evil))
    assert text.endswith("\n# EOF\n")
    families = {family.name: family for family in read_metrics(text)}
    levels = {
        (sample.labels["lane"], sample.labels["patchgate_lane_level"])
        for sample in families["patchgate_lane_level"].samples
        if sample.value == 1
    }
    assert ("shop/eu-central-1/ubuntu/prd", "unsafe") in levels
    assert ("dark/eu-central-1/ubuntu/prd", "unreadable") in levels
    assert (EVIL, "ok") in levels
    (window,) = [
        sample.value
        for sample in families["patchgate_lane_next_run_timestamp_seconds"].samples
        if (sample.labels["lane"], sample.labels["run"]) == ("shop/eu-central-1/ubuntu/prd", "window")
    ]
    assert window == START.timestamp()
    assert families["patchgate_lane"].type == "info"
    assert families["patchgate_lane_last_cycle_timestamp_seconds"].unit == "seconds"


def test_metrics_of_lanes_that_cannot_be_read_are_their_level_alone() -> None:
    families = read_metrics(render_status_openmetrics(fleet(unreadable())))
    assert [family.name for family in families] == ["patchgate_status_timestamp_seconds", "patchgate_lane_level"]
