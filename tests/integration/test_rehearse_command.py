"""``patchgate rehearse`` and ``patchgate demo``, end to end, as a person calls them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import FLEET, PLAIN, WORLD

DENIED = {
    "archive-2": "backup-running",
    "cards-1": "backup-failed",
    "ledger-3": "volume-not-covered",
    "sql-1": "backup-with-issues",
    "worker-1": "agent-offline",
} | {f"sandbox-{number}": "no-evidence" for number in range(1, 7)}


def patchgate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "patchgate", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env=os.environ | {"PYTHONUTF8": "1"} | environment,
    )


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The sample rehearsal's JSON and its history."""
    history = tmp_path_factory.mktemp("sample") / "history.jsonl"
    done = patchgate("rehearse", "--output", "json", "--history", str(history))
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result, history


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A fleet file with its world beside it."""
    (tmp_path / "fleet.yaml").write_text(FLEET.replace("PARAMETERS", ""), encoding="utf-8")
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "world.yaml").write_text(WORLD.replace("INSTANCES", PLAIN), encoding="utf-8")
    return tmp_path / "fleet.yaml"


def test_sample_keeps_every_promise_and_names_everybody(sample: tuple[dict[str, Any], Path]) -> None:
    result, _ = sample
    assert result["violations"] == []
    assert result["windows_left_open"] == 0
    assert len(result["patched"]) == 28
    assert {entry["name"]: entry["reason"] for entry in result["denied"]} == DENIED
    assert {entry["name"]: entry["reason"] for entry in result["failed"]} == {
        "mail-1": "disk-full",
    }
    named = result["patched"] + result["denied"] + result["failed"] + result["skipped"]
    assert len({entry["instance"] for entry in named}) == 41


def test_sample_shows_what_a_gate_that_counts_jobs_would_have_done(sample: tuple[dict[str, Any], Path]) -> None:
    contrast = sample[0]["contrast"]
    assert contrast["patched_without_way_back"] == 0
    assert contrast["naive_patched_without_way_back"] == 10


def test_json_has_the_documented_keys(sample: tuple[dict[str, Any], Path]) -> None:
    result, _ = sample
    keys = {"schema", "seed", "lanes", "cycles", "events", "patched", "denied", "failed", "violations"}
    assert keys | {"windows_left_open"} <= set(result)
    assert {"lane", "instance", "reason"} <= set(result["denied"][0])
    assert (result["seed"], result["lanes"], result["cycles"]) == (0, 6, 6)


def test_history_is_one_event_a_line(sample: tuple[dict[str, Any], Path]) -> None:
    result, history = sample
    lines = history.read_text(encoding="utf-8").splitlines()
    assert len(lines) == result["events"]
    assert [json.loads(line)["seq"] for line in lines] == list(range(len(lines)))


def test_the_same_seed_writes_the_same_bytes(small: Path, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        done = patchgate("rehearse", str(small), "--seed", "7", "--history", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    patchgate("rehearse", str(small), "--seed", "8", "--history", str(tmp_path / "three"))
    assert (tmp_path / "three").read_bytes() != written[0]


def test_screen_is_plain_text_without_a_terminal(small: Path) -> None:
    done = patchgate("rehearse", str(small))
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "4 instances: 4 patched" in done.stdout
    assert "Every promise held" in done.stdout


def test_one_lanes_timeline(small: Path) -> None:
    done = patchgate("rehearse", str(small), "--lane", "web/eu-central-1/ubuntu/prd")
    assert done.returncode == 0
    assert "gate" in done.stdout
    assert "a" in done.stdout


def test_parameters_reach_the_templates(small: Path) -> None:
    done = patchgate("rehearse", str(small), "--output", "json", "--parameter", "*:GateMode=threshold", "--parameter",
                     "*:BackupJobThreshold=5")  # fmt: skip
    result = json.loads(done.stdout)
    assert result["patched"] == []
    assert {entry["reason"] for entry in result["denied"]} == {"threshold-not-met"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", "x"], "'x' is not a valid integer"),
        (["--lane", "web/eu-central-1/ubuntu/prod"], "did you mean 'web/eu-central-1/ubuntu/prd'?"),
        (["--parameter", "*:GateMod=threshold"], "did you mean 'GateMode'?"),
        (["--parameter", "*:GateMode=coverge"], "'coverge' is none of coverage, threshold"),
        (["--parameter", "*:MaintenanceWindowCronSchedule=cron(0 25 ? * 7 *)"], "hour"),
        (["--parameter", "*:MaintenanceWindowCronSchedule=cron(0 23 ? * 7 2020)"], "opens 0 times"),
        (["--start", "tomorrow"], "'tomorrow' is not a date"),
        (["--world", "nowhere"], "there is no world directory nowhere"),
        (["--history", "no/such/place.jsonl"], "no/such"),
    ],
)
def test_bad_arguments_exit_2_with_one_clear_message(small: Path, arguments: list[str], said: str) -> None:
    done = patchgate("rehearse", str(small), *arguments)
    assert said in done.stderr.replace("\\", "/")
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_broken_promise_exits_3(small: Path) -> None:
    # A close before the window's start, and a watchdog on New Year's Day: the window stays open for a week.
    given = ("*:DisableMaintenanceWindow=cron(40 22 ? * 7 *)", "*:WatchdogSchedule=cron(0 12 1 1 ? *)")
    done = patchgate("rehearse", str(small), "--cycles", "2", "--parameter", given[0], "--parameter", given[1])
    assert done.returncode == 3, done.stdout + done.stderr
    assert "window" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one child")
def test_ctrl_c_stops_cleanly(small: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "patchgate", "rehearse", str(small), "--history", str(small.parent / "half.jsonl")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("deploying")
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in error
    assert out == ""
    assert not (small.parent / "half.jsonl").exists()
