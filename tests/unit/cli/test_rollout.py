"""Deployments at the command line: bars and lines, where journals are, and how often AWS is asked."""

from __future__ import annotations

import io
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from patchgate.cli.console import Terminal
from patchgate.cli.rollout import read_poll_interval, released, terminated_as_interrupted
from patchgate.cli.rollout_progress import open_watcher
from patchgate.cli.root import run
from patchgate.cli.state import state_directory
from patchgate.errors import InputError, PatchgateError
from patchgate.operations.rollout.plan_file import render_plan_file
from patchgate.operations.rollout.ports import LockHolder
from patchgate.operations.rollout.steps import Plan, PlannedWave, Step

LANE = "web/eu-central-1/ubuntu/dev"
DONE = Step("create", "patch", "1", "eu-central-1", "patchgate-patch-ubuntu-dev", (LANE,))
BAD = Step("update", "logs", "1", "eu-central-1", "patchgate-logs-ubuntu-dev", (LANE, "other"))
WAVE = PlannedWave("dev", (DONE, BAD))


def watch(*, interactive: bool) -> str:
    stream = io.StringIO()
    terminal = Terminal(color=False, width=100, ascii_only=True, interactive=interactive)
    with open_watcher(stream, terminal) as watcher:
        watcher.say("reading \x1b[2J")
        watcher.wave_begins(WAVE, 1, 2)
        watcher.step_begins(DONE)
        watcher.step_ends(DONE, failed=False)
        watcher.step_begins(BAD)
        watcher.step_ends(BAD, failed=True)
        watcher.bakes(WAVE, 2.5)
        watcher.wave_ends(WAVE)
    return stream.getvalue()


def test_a_pipeline_that_ends_its_job_is_like_ctrl_c() -> None:
    """Within the context alone; before and afterwards SIGTERM means what it meant."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_where_nobody_watches_every_end_is_a_line() -> None:
    assert watch(interactive=False).splitlines() == [
        "reading \\x1b[2J",
        "wave 1 of 2, dev: 2 changes",
        f"  created {LANE}: patchgate-patch-ubuntu-dev",
        "  failed  1/eu-central-1: patchgate-logs-ubuntu-dev",
        "  dev is through; it is looked at again in 2.5 minutes",
        "wave dev is done",
    ]


def test_at_a_terminal_there_is_a_bar_for_the_wave_and_failures_stay_in_sight() -> None:
    shown = watch(interactive=True)
    assert "failed 1/eu-central-1: patchgate-logs-ubuntu-dev" in shown
    assert "dev is done" in shown
    assert "\x1b[2J" not in shown


@pytest.mark.parametrize(
    ("environment", "platform", "path"),
    [
        ({}, "linux", "/home/ada/.local/state/patchgate"),
        ({"XDG_STATE_HOME": "/state"}, "linux", "/state/patchgate"),
        ({}, "darwin", "/home/ada/Library/Application Support/patchgate"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/patchgate"),
        ({}, "win32", "/home/ada/AppData/Local/patchgate"),
        ({"PATCHGATE_STATE_DIR": "/mine"}, "darwin", "/mine"),
    ],
)
def test_journals_are_where_the_platform_keeps_state(environment: dict[str, str], platform: str, path: str) -> None:
    assert state_directory(environment, Path("/home/ada"), platform) == Path(path)


def test_how_often_aws_is_asked_is_a_number_of_seconds() -> None:
    assert read_poll_interval({}) == timedelta(seconds=5)
    assert read_poll_interval({"PATCHGATE_POLL_SECONDS": "0.5"}) == timedelta(seconds=0.5)
    for text in ("often", "0", "-1", "601", "nan"):
        with pytest.raises(InputError, match=f"PATCHGATE_POLL_SECONDS is '{text}'"):
            read_poll_interval({"PATCHGATE_POLL_SECONDS": text})


class FakeLock:
    """DeploymentLock that may fail to be given back."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.held = True

    def acquire(self, holder: LockHolder, *, take_over: bool = False) -> None:
        raise NotImplementedError

    def release(self) -> None:
        if self.refusal:
            raise PatchgateError(self.refusal)
        self.held = False


@pytest.mark.parametrize("error", [None, PatchgateError("a wave failed"), KeyboardInterrupt(), ValueError("defect")])
def test_the_lock_is_given_back_whatever_happens(error: BaseException | None) -> None:
    lock = FakeLock()
    if error is None:
        with released(lock):
            pass
    else:
        with pytest.raises(type(error)), released(lock):
            raise error
    assert not lock.held


def test_a_lock_that_stays_does_not_hide_why_the_deployment_failed() -> None:
    with pytest.raises(PatchgateError, match="a wave failed\nno way") as told, released(FakeLock("no way")):
        raise PatchgateError("a wave failed", remedy="mend it")
    assert told.value.remedy == "mend it; the lock stays: --take-over takes it"


def test_a_plan_to_destroy_is_not_deployed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    now = datetime(2026, 7, 1, tzinfo=UTC)
    made = Plan(
        "destroy", "f", "o-a1b2c3d4e5", "0.1.0", now, "1", "Role", "1", "eu-central-1", (PlannedWave("dev", ()),)
    )
    Path("plan.json").write_text(render_plan_file(made), encoding="utf-8")
    assert run(("deploy", "--plan", "plan.json", "--yes")) == 2
    assert "plan.json is a plan to destroy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("deploy", "fleet.yaml", "--plan", "plan.json"), "give a fleet file or --plan, not both"),
        (("deploy", "--plan", "plan.json", "--prune"), "--prune belongs to the plan"),
        (("deploy", "--plan", "nowhere.json"), "cannot read nowhere.json"),
        (("plan", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_wrong_input_is_said_before_aws_is_asked(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    assert said in capsys.readouterr().err
