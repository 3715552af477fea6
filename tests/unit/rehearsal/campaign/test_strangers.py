"""What others do at the same time as the gate: forge its evidence (F59), update its stacks (F51), end backups (F14)."""

from __future__ import annotations

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.acts import evidence
from patchgate.rehearsal.campaign.ground import Ground, Grounds, open_grounds
from patchgate.rehearsal.campaign.plan import Injection, RunPlan, Value
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES
from tests.campaign.bugs import BUGS
from tests.campaign.seeding import open_broken_grounds

HOUR = 3600
WINDOW = 9 * HOUR
THRIFTY = next(shape for shape in SHAPES if shape.name == "thrifty")


def run(grounds: Grounds, ground: Ground, *injections: Injection, seed: int = 1) -> RunOutcome:
    return carry_out(grounds, ground, RunPlan(seed, ground.shape.name, Assumptions(), injections, None))


def forgery(kind: str, *, foreign: bool, namesake: bool = False) -> Injection:
    given: dict[str, Value] = {"instance": 0, "kind": kind, "foreign": foreign, "namesake": namesake}
    return Injection("F59", "forge-evidence", WINDOW + 600, None, given)


def forged(grounds: Grounds) -> list[str]:
    """The keys that the stranger, or somebody of the other account, has written."""
    strange = f"/{evidence.FORGER}", f":{evidence.OTHER_ACCOUNT}:"
    written = grounds.stage.cloud.history.of("ObjectWritten")
    return [record["key"] for record in written if any(part in record["principal"] for part in strange)]


@pytest.mark.parametrize(("foreign", "namesake"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("kind", ["proof", "open", "hold"])
def test_f59_nobody_else_writes_evidence(
    grounds: Grounds, daily: Ground, kind: str, foreign: bool, namesake: bool
) -> None:
    outcome = run(grounds, daily, forgery(kind, foreign=foreign, namesake=namesake))
    assert (outcome.struck, outcome.violations) == (("F59",), ())
    assert forged(grounds) == []


@pytest.mark.parametrize(("bug", "namesake"), [("evidence-of-all", False), ("evidence-of-namesakes", True)])
def test_f59_a_bucket_that_lets_others_in_is_found(bug: str, namesake: bool) -> None:
    with open_broken_grounds(BUGS[bug]) as grounds:
        outcome = run(grounds, grounds.of(SHAPES[0]), forgery("proof", foreign=True, namesake=namesake))
        assert len(forged(grounds)) == 1
    assert "evidence-forged" in {violation.promise for violation in outcome.violations}


def test_f59_through_the_wire_the_stranger_is_refused_alike(grounds: Grounds, daily: Ground) -> None:
    whose = ((False, False), (True, False), (True, True))
    attempts = [forgery("proof", foreign=foreign, namesake=namesake) for foreign, namesake in whose]
    direct = run(grounds, daily, *attempts)
    with open_grounds("wire") as wired:
        assert run(wired, wired.of(daily.shape), *attempts) == direct


def stack_story(grounds: Grounds, ground: Ground) -> list[tuple[str, str]]:
    """What became of the window's stack after its deployment, and who was refused."""
    name = ground.terrain.stacks[0]
    told = grounds.stage.cloud.history.of("StackStatusChanged", "StackUpdateRefused")
    mine = [record for record in told if record["stack"] == name]
    return [(record.get("status", "refused"), record["at"]) for record in mine if record.get("status") not in CREATED]


CREATED = ("CREATE_IN_PROGRESS", "CREATE_COMPLETE")


def updates(first: int, second: int, seconds: int) -> list[Injection]:
    given: dict[str, Value] = {"stack": 0, "seconds": seconds}
    return [Injection("F51", "update-stack", begins, None, given) for begins in (first, second)]


def test_f51_the_second_update_meets_the_first_one_in_progress(grounds: Grounds, daily: Ground) -> None:
    outcome = run(grounds, daily, *updates(WINDOW, WINDOW + 5, 20))
    assert (outcome.struck, outcome.violations) == (("F51",), ())
    story = stack_story(grounds, daily)
    assert [what for what, _ in story] == [
        "UPDATE_IN_PROGRESS",
        "refused",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]
    (refusal,) = grounds.stage.cloud.history.of("StackUpdateRefused")
    assert "is in UPDATE_IN_PROGRESS state and can not be updated" in refusal["reason"]
    begun, told, *_, done = (at for _, at in story)
    assert begun < told < done


def test_f51_an_update_that_comes_later_is_carried_out(grounds: Grounds, daily: Ground) -> None:
    run(grounds, daily, *updates(WINDOW, WINDOW + HOUR, 20))
    assert [what for what, _ in stack_story(grounds, daily)].count("UPDATE_COMPLETE") == 2
    assert not list(grounds.stage.cloud.history.of("StackUpdateRefused"))


def test_f51_functions_run_while_a_stack_is_updated(grounds: Grounds, daily: Ground) -> None:
    outcome = run(grounds, daily, *updates(WINDOW - 1800 + 20, WINDOW - 1800 + 21, 1))
    assert outcome.violations == ()
    (begun, *_, done) = (at for _, at in stack_story(grounds, daily))
    ran = [record["at"] for record in grounds.stage.cloud.history.of("FunctionInvoked", "FunctionEnded")]
    assert any(begun < at < done for at in ran)


def test_f14_recovery_points_expire_by_a_short_retention(grounds: Grounds) -> None:
    """Proven when the gate judged them, gone when their turn came: denied at the point of use."""
    ground = grounds.of(THRIFTY)
    gone = 0
    for seed in range(3):
        outcome = run(grounds, ground, seed=seed)
        assert outcome.violations == ()
        assert outcome.installs
        steps = grounds.stage.cloud.history.of("AutomationStepEnded")
        payloads = [(record["outputs"] or {}).get("Payload") or {} for record in steps if record["step"] == "prove"]
        gone += sum(payload.get("Reason") == "recovery-point-gone" for payload in payloads)
    assert gone > 0


def test_f14_what_cannot_be_deleted_is_expired_and_no_proof(grounds: Grounds) -> None:
    ground = grounds.of(THRIFTY)
    cycle = ground.terrain.cycles[0]
    stripped = Injection(
        "F14",
        "strip-backup-role",
        ground.terrain.seconds(cycle.backup) + 2 * HOUR,
        ground.terrain.seconds(cycle.close),
    )
    refused = 0
    for seed in range(4):
        outcome = run(grounds, ground, stripped, seed=seed)
        assert outcome.violations == ()
        history = grounds.stage.cloud.history
        expired = {record["recovery_point"] for record in history.of("RecoveryPointExpired")}
        assert bool(outcome.struck) == bool(expired)
        for record in history.of("AutomationStepEnded"):
            told = (record["outputs"] or {}).get("Payload") or {}
            if told.get("Reason") == "recovery-point-incomplete":
                point, _, state = told["Detail"].partition(" is ")
                assert (point in expired, state) == (True, "EXPIRED")
                refused += 1
    assert refused > 0
