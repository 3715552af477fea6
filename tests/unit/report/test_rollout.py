"""Plans as people and programs read them."""

from __future__ import annotations

import json
from dataclasses import replace

from patchgate.operations.rollout.steps import Plan, PlannedWave, ScheduleProof, SetStep, Step, Surplus
from patchgate.report.rollout import render_plan_json, render_plan_text, summarize
from tests.unit.operations.rollout.fakes import NOW

WEB, REGION = "111111111111", "eu-central-1"
LANE = "web/eu-central-1/ubuntu/dev"
STEPS = (
    Step("leave", "logs", WEB, REGION, "patchgate-logs-ubuntu-dev", (LANE,), notes=("has drifted",)),
    Step(
        "update", "patch", WEB, REGION, "patchgate-patch-ubuntu-dev", (LANE,), "patchgate-patch-ubuntu-dev",
        tuple(f"P{number}: 1 -> 2" for number in range(8)),
    ),
    Step("create", "monitoring", WEB, REGION, "patchgate-monitoring-ubuntu-dev", (LANE,), reasons=("not there",)),
)  # fmt: skip
WAVE = PlannedWave("dev", STEPS, (SetStep("update", "patch", "patchgate-patch-ubuntu-dev", ("the template",)),))
PLAN = Plan(
    "deploy", "fleet.yaml", "o-a1b2c3d4e5", "0.1.0", NOW, "999999999999", "Role", WEB, REGION, (WAVE,),
    surplus=(Surplus(WEB, REGION, "patchgate-patch-suse-dev"), Surplus("", "", "patchgate-patch-suse-dev", "x")),
    proof=ScheduleProof(NOW, NOW.replace(year=2029), 1234),
)  # fmt: skip


def text_of(plan: Plan, *, every: bool = False, ascii_only: bool = False) -> str:
    return render_plan_text(plan, width=120, color=False, ascii_only=ascii_only, every=every)


def test_a_plan_says_what_happens_to_which_lane_and_why() -> None:
    assert text_of(PLAN).splitlines() == [
        "patchgate plan · fleet.yaml · o-a1b2c3d4e5 · from account 999999999999",
        "",
        "1  dev  3 stacks, 1 as they should be",
        "   ~ stack set patchgate-patch-ubuntu-dev",
        "       the template",
        f"   = {WEB}/{REGION}    patchgate-logs-ubuntu-dev",
        "       has drifted",
        f"   ~ {LANE}  patchgate-patch-ubuntu-dev (stack set)",
        *(f"       P{number}: 1 -> 2" for number in range(6)),
        "       and 2 more changes",
        f"   + {LANE}  patchgate-monitoring-ubuntu-dev",
        "",
        "Order proved for 1,234 windows, 2026-07-01 to 2029-07-01.",
        f"→ {WEB}/{REGION}/patchgate-patch-suse-dev is of no lane of the fleet file; --prune removes it",
        "→ stack set patchgate-patch-suse-dev is of no lane of the fleet file; --prune removes it",
        "1 to create, 2 to update, 1 as they should be.",
    ]


def test_what_forbids_it_is_told_and_nothing_outside_the_terminals_alphabet() -> None:
    proof = ScheduleProof(NOW, NOW, 0, ("gate-too-late in lane: evil \x1b[2J",))
    said = text_of(replace(PLAN, proof=proof, problems=("51 windows",)), ascii_only=True)
    assert "Order broken, 2026-07-01 to 2026-07-01; patchgate check FLEET says more." in said
    assert "x 51 windows" in said
    assert "\x1b" not in said
    assert said.isascii()


def test_a_destruction_says_what_is_kept() -> None:
    wave = PlannedWave("dev", tuple(replace(step, action="remove", notes=()) for step in STEPS))
    plan = replace(PLAN, purpose="destroy", waves=(wave,), proof=None, surplus=())
    said = text_of(plan)
    assert said.splitlines()[0].startswith("patchgate destroy")
    assert said.splitlines()[-1] == (
        "Kept: backup vaults with their recovery points, backup roles, log buckets with what is in them."
    )
    assert summarize(plan) == "3 to remove, 0 as they should be"
    assert summarize(plan, done=True) == "3 removed, 0 left as they were"


def test_the_json_has_everything_but_the_templates() -> None:
    content = json.loads(render_plan_json(PLAN))
    assert content["fingerprint"] == PLAN.fingerprint
    assert content["changes"] == 3
    assert [step["action"] for step in content["waves"][0]["steps"]] == ["leave", "update", "create"]
    assert content["proof"]["windows"] == 1234
    assert "bodies" not in content
