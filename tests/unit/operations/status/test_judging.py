"""What a lane's stacks, window, schedules and leases come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from patchgate.errors import PatchgateError

from .scene import (
    CLOSE,
    CYCLE,
    END,
    GATE,
    LOGS,
    MADE,
    MONITORING,
    PATCH,
    SCHEDULES,
    START,
    Scene,
    codes,
    evidence,
    lease_text,
    stack,
)

MINUTE = timedelta(minutes=1)
QUIET = GATE - timedelta(days=1)
OPENED = {"open": lease_text()}


def test_a_lane_that_is_deployed_and_closed_is_fine() -> None:
    status = Scene().at(QUIET)
    assert (status.level, status.concerns, status.notes, status.current) == ("ok", (), (), True)
    assert status.window is not None
    assert (status.window.word, status.window.expected) == ("closed", False)
    starts = {kind: run.start for kind, run in status.upcoming.items()}
    assert starts == {"backup": GATE - timedelta(hours=3, minutes=30), "gate": GATE, "window": START, "close": CLOSE}


def test_nothing_deployed_is_one_concern() -> None:
    scene = Scene()
    scene.own().clear()
    scene.facts = replace(scene.facts, window=None, schedules={})
    status = scene.at(QUIET)
    assert (status.level, codes(status), status.window) == ("attention", ["not-deployed"], None)


def test_a_window_without_its_gate_is_named() -> None:
    scene = Scene()
    del scene.own()[MONITORING]
    status = scene.at(QUIET)
    assert codes(status) == ["window-without-gate"]
    assert status.stacks["monitoring"].word == "missing"


@pytest.mark.parametrize(
    ("changes", "word", "code"),
    [
        ({"status": "UPDATE_ROLLBACK_COMPLETE"}, "failed", "stack-failed"),
        ({"status": "ROLLBACK_COMPLETE", "reason": "no"}, "failed", "stack-failed"),
        ({"status": "REVIEW_IN_PROGRESS"}, "failed", "stack-failed"),
        ({"drift": "DRIFTED"}, "drifted", "stack-drifted"),
        ({"status": "UPDATE_IN_PROGRESS"}, "busy", ""),
    ],
)
def test_a_stack_that_is_not_as_it_should_be(changes: dict[str, str], word: str, code: str) -> None:
    scene = Scene()
    scene.own()[PATCH] = stack(PATCH, **changes)
    status = scene.at(QUIET)
    assert status.stacks["patch"].word == word
    assert codes(status) == ([code] if code else [])


def test_another_version_and_other_parameters_are_notes() -> None:
    scene = Scene()
    scene.own()[PATCH] = stack(PATCH, outputs={"PatchgateVersion": "0.0.1", "GateHash": "0" * 16})
    scene.own()[MONITORING] = stack(MONITORING, parameters={**stack(MONITORING).parameters, "LookBackHours": "20"})
    status = scene.at(QUIET)
    assert (status.level, status.current) == ("ok", False)
    assert [note.split()[0] for note in status.notes] == ["0.0.1+0.1.0", "stack"]
    assert "LookBackHours" in status.notes[1]


def test_the_next_runs_are_those_of_the_schedules_that_are_deployed() -> None:
    scene = Scene()
    parameters = {**stack(MONITORING).parameters, "CheckBackUpJobAndEnableMaintenanceWindow": "cron(0 22 ? * 7 *)"}
    scene.own()[MONITORING] = stack(MONITORING, parameters=parameters)
    assert scene.at(QUIET).upcoming["gate"].start == GATE - timedelta(minutes=30)


# The window, enabled


@pytest.mark.parametrize(
    ("now", "texts", "word", "level"),
    [
        (QUIET, {}, "left-open", "unsafe"),
        (GATE - MINUTE, {}, "left-open", "unsafe"),
        (GATE + MINUTE, {}, "opening", "ok"),
        (GATE + 16 * MINUTE, {}, "left-open", "unsafe"),
        (GATE + MINUTE, OPENED, "open", "ok"),
        (START + MINUTE, OPENED, "open", "ok"),
        (END - MINUTE, OPENED, "open", "ok"),
        (END, OPENED, "closing", "ok"),
        (CLOSE + 29 * MINUTE, OPENED, "closing", "ok"),
        (CLOSE + 31 * MINUTE, OPENED, "left-open", "unsafe"),
        (START + MINUTE, OPENED | {"closed": "{}"}, "left-open", "unsafe"),
        (START + MINUTE, {"hold": '{"reason": "frozen"}'}, "left-open", "unsafe"),
    ],
)
def test_an_enabled_window_needs_an_open_lease(now: datetime, texts: dict[str, str], word: str, level: str) -> None:
    scene = Scene()
    scene.window(enabled=True)
    if texts:
        scene.leases(**texts)
    status = scene.at(now)
    assert status.window is not None
    assert (status.window.word, status.level) == (word, level)
    assert ("window-without-lease" in codes(status)) == (level == "unsafe")


def test_a_new_window_is_enabled_until_the_watchdog_has_run() -> None:
    scene = Scene()
    scene.window(enabled=True)
    noon = MADE.replace(hour=10)  # 12:00 in Frankfurt
    status = scene.at(noon + 29 * MINUTE)
    assert (status.window.word if status.window else "", status.level) == ("new", "ok")
    assert "inert" in status.notes[0]
    assert scene.at(noon + 31 * MINUTE).level == "unsafe"


def test_a_window_without_gate_that_nothing_closes_is_unsafe() -> None:
    scene = Scene()
    scene.window(enabled=True)
    del scene.own()[MONITORING]
    assert codes(scene.at(QUIET)) == ["window-without-gate", "window-without-lease"]


# The window, disabled


@pytest.mark.parametrize("now", [GATE + MINUTE, START + MINUTE])
def test_a_disabled_window_under_an_open_lease_needs_a_person(now: datetime) -> None:
    scene = Scene()
    scene.leases(**OPENED)
    status = scene.at(now)
    assert (status.level, codes(status)) == ("attention", ["window-disabled"])
    assert status.lease is not None
    assert status.lease.cycle == CYCLE


def test_a_window_that_is_gone() -> None:
    scene = Scene()
    scene.facts = replace(scene.facts, window=None)
    assert codes(scene.at(QUIET)) == ["window-missing"]


# Schedules


def test_schedules_that_are_off_or_gone() -> None:
    scene = Scene()
    schedules = SCHEDULES | {"patchgate-open-ubuntu-prd": "DISABLED"}
    del schedules["patchgate-watchdog-ubuntu-prd"]
    scene.facts = replace(scene.facts, schedules=schedules)
    assert codes(scene.at(QUIET)) == ["schedule-disabled", "schedule-missing"]


# A cycle without a verdict


def test_a_window_that_no_gate_judged() -> None:
    assert codes(Scene().at(START - MINUTE)) == []
    assert codes(Scene().at(START + MINUTE)) == ["no-verdict"]


def test_a_window_before_the_stacks_was_nobodys() -> None:
    scene = Scene()
    scene.own()[MONITORING] = stack(MONITORING, changed=GATE)
    assert codes(scene.at(START + MINUTE)) == []


def test_evidence_of_a_verdict_is_enough() -> None:
    scene = Scene(cycle_evidence={CYCLE: evidence("hold", {}, reason="no-targets")})
    scene.leases(hold='{"reason": "no-targets"}')
    assert codes(scene.at(START + MINUTE)) == []


# What cannot be read


def test_a_place_that_cannot_be_read_is_one_error_of_its_lanes() -> None:
    scene = Scene()
    scene.found["111111111111", "eu-central-1"] = PatchgateError("no entry", remedy="knock")
    status = scene.at(QUIET)
    assert (status.level, status.error, status.remedy) == ("unreadable", "no entry", "knock")


@pytest.mark.parametrize("method", ["lane", "patch_states"])
def test_a_lane_that_cannot_be_read_has_its_error(method: str) -> None:
    scene = Scene(refused=method)
    scene.leases(**OPENED)
    assert scene.at(QUIET).error == f"{method} of web/eu-central-1/ubuntu/prd was refused"


@pytest.mark.parametrize("method", ["cycles", "evidence"])
def test_evidence_that_cannot_be_read_hides_nothing_else(method: str) -> None:
    scene = Scene(refused=method)
    scene.window(enabled=True)
    scene.leases(**OPENED)
    status = scene.at(START + MINUTE)
    assert codes(status) == ["evidence-unreadable"]
    assert status.last is not None
    assert status.last.verdict == "open"


@pytest.mark.parametrize("text", ["", "{}", "[]", '"x"', '{"window_start": 1}', lease_text(window_end="soon")])
def test_a_lease_that_no_gate_wrote_is_an_error(text: str) -> None:
    scene = Scene()
    scene.leases(open=text)
    assert "is not one that a gate wrote" in scene.at(QUIET).error


def test_the_log_account_that_cannot_be_read_is_an_error() -> None:
    scene = Scene()
    scene.found[LOGS] = PatchgateError("no entry")
    assert scene.at(QUIET).error == "no entry"
