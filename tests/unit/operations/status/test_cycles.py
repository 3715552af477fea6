"""The last cycle: which one it is, its verdict, and what came of its instances."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from patchgate.operations.status.facts import CycleEvidence, PatchState

from .scene import CYCLE, END, GATE, MADE, START, Scene, codes, evidence, lease_text

MINUTE = timedelta(minutes=1)
FOUND = {"i-1": "proven", "i-2": "proven", "i-3": "undecided", "i-4": "unreachable", "i-5": "denied"}
REPORTED = START + timedelta(hours=1)


def opened(*proofs: str, reports: tuple[PatchState, ...] = ()) -> Scene:
    scene = Scene(cycle_evidence={CYCLE: evidence("open", FOUND, proofs)}, reports=reports)
    scene.window(enabled=True)
    scene.leases(open=lease_text())
    return scene


def over(scene: Scene) -> Scene:
    scene.window(enabled=False)
    scene.leases(open=lease_text(), closed="{}")
    return scene


def test_before_its_window_only_the_verdict_is_known() -> None:
    last = opened().at(GATE + MINUTE).last
    assert last is not None
    assert (last.verdict, last.scheduled, last.outcomes, last.targets) == ("open", GATE, None, 5)
    assert last.findings == {"proven": 2, "undecided": 1, "unreachable": 1, "denied": 1}


def test_outcomes_count_reports_since_the_windows_start() -> None:
    reports = (
        PatchState("i-1", REPORTED, installed=3),
        PatchState("i-2", REPORTED, pending_reboot=1),
        PatchState("i-3", REPORTED, failed=1, missing=1),
        PatchState("i-4", REPORTED, missing=2),
        PatchState("i-5", START - MINUTE),
        PatchState("i-9", REPORTED),
    )
    status = opened("i-1", "i-2", reports=reports).at(END - MINUTE)
    assert status.last is not None
    assert status.last.outcomes == {"up-to-date": 1, "pending-reboot": 1, "missing": 1, "failed": 1, "no-report": 1}
    assert (status.last.reached, status.last.unreached, status.last.unpatched) == (2, (), ())
    assert status.level == "ok"


def test_who_was_let_in_and_is_left_over_needs_a_person() -> None:
    reports = (PatchState("i-1", REPORTED), PatchState("i-2", REPORTED, failed=1))
    status = over(opened("i-1", "i-2", "i-5", reports=reports)).at(END + timedelta(hours=3))
    assert status.last is not None
    assert status.last.unreached == ("i-3", "i-4")
    assert status.last.unpatched == ("i-2", "i-3", "i-4")
    assert codes(status) == ["unreached", "unpatched"]
    assert "i-2 of cycle" in status.concerns[1].text


def test_a_denied_instance_is_no_concern_of_the_lane() -> None:
    reports = tuple(PatchState(each, REPORTED) for each in ("i-1", "i-2", "i-3", "i-4"))
    status = over(opened(*FOUND, reports=reports)).at(END + timedelta(hours=3))
    assert (status.level, codes(status)) == ("ok", [])


@pytest.mark.parametrize(
    ("reason", "concerns"),
    [("coverage-too-low", ["held"]), ("no-evidence", ["held"]), ("frozen", []), ("no-targets", [])],
)
def test_a_hold_needs_a_person_unless_it_was_meant(reason: str, concerns: list[str]) -> None:
    scene = Scene(cycle_evidence={CYCLE: evidence("hold", FOUND, reason=reason)})
    scene.leases(hold=f'{{"reason": "{reason}"}}')
    status = scene.at(START + MINUTE)
    assert status.last is not None
    assert (status.last.verdict, status.last.reason, codes(status)) == ("hold", reason, concerns)


def test_a_hold_that_became_an_open_is_open() -> None:
    scene = opened()
    scene.leases(open=lease_text(), hold='{"reason": "no-evidence"}')
    last = scene.at(GATE + 2 * MINUTE).last
    assert last is not None
    assert last.verdict == "open"


def test_gates_that_belong_to_no_window_are_passed_over() -> None:
    idle = "20260713T203000Z"
    scene = over(opened(*FOUND, reports=tuple(PatchState(each, REPORTED) for each in FOUND)))
    scene.facts = replace(
        scene.facts, leases={**scene.facts.leases, idle: {"hold": '{"reason": "window-not-due"}'}}
    )  # fmt: skip
    status = scene.at(datetime(2026, 7, 14, tzinfo=GATE.tzinfo))
    assert status.last is not None
    assert (status.last.cycle, status.level) == (CYCLE, "ok")


def test_a_window_that_should_have_been_due_is_not_passed_over() -> None:
    scene = Scene()
    scene.leases(hold='{"reason": "window-not-due"}')
    assert codes(scene.at(START + MINUTE)) == ["held"]


def test_evidence_without_lease_or_hold_is_a_gate_that_did_not_finish() -> None:
    status = Scene(cycle_evidence={CYCLE: evidence("open", FOUND)}).at(START + MINUTE)
    assert status.last is not None
    assert status.last.verdict == "none"
    assert codes(status) == ["gate-unfinished"]


def test_of_a_cycle_whose_parameters_were_pruned_the_evidence_tells() -> None:
    scene = Scene(cycle_evidence={CYCLE: evidence("open", {"i-1": "proven"}, ["i-1"])})
    scene.reports = (PatchState("i-1", REPORTED),)
    last = scene.at(GATE + timedelta(days=20)).last
    assert last is not None
    assert (last.verdict, last.lease) == ("open", None)
    assert last.outcomes is not None
    assert last.outcomes["up-to-date"] == 1


def test_without_any_cycle_there_is_no_last_one() -> None:
    scene = Scene(cycle_evidence={})
    assert scene.at(MADE).last is None


def test_proofs_alone_are_no_verdict() -> None:
    scene = Scene(cycle_evidence={CYCLE: CycleEvidence({}, frozenset({"i-1"}))})
    last = scene.at(START + MINUTE).last
    assert last is not None
    assert last.verdict == "none"
