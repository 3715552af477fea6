"""Evidence: there before the install, by the gate alone, and true."""

from __future__ import annotations

from typing import Any

import pytest

from patchgate.judge.violation import Violation

from .histories import AGENT, CYCLE, GATED, REGION, ROLES, TAGS, Story, around, at

POINT = f"arn:aws:ec2:{REGION}::image/ami-i-1-19"


def proven() -> Story:
    """A backup and an install; only the evidence is missing."""
    return around().back_up().install()


def false(story: Story, **changes: Any) -> str:
    """What is said of the one piece of false evidence; "" when nothing is wrong at all."""
    violations = story.judged(**ROLES | changes).violations
    assert all(violation.promise == "evidence-false" for violation in violations), violations
    assert len(violations) < 2
    return violations[0].what if violations else ""


def of(violations: tuple[Violation, ...], promise: str) -> list[str]:
    return [violation.what for violation in violations if violation.promise == promise]


def test_true_evidence_is_nothing_to_speak_of() -> None:
    assert false(proven().proof()) == ""


def test_f59_an_install_whose_evidence_denies() -> None:
    story = around().back_up(state="FAILED").install().proof(Decision="deny", Reason="backup-failed", NotAfter="0")
    assert story.broken() == ["evidence", "proof"]
    assert "against its evidence" in of(story.judged().violations, "evidence")[0]


@pytest.mark.parametrize(("seconds", "fine"), [(119, True), (120, True), (122, False)])
def test_an_install_rests_on_evidence_that_is_not_too_old(seconds: int, fine: bool) -> None:
    story = around().back_up().install(when=at(23, 10 + seconds)).proof(when=at(23, 12), began=at(23, 10))
    assert story.broken() == ([] if fine else ["evidence"])


def test_a_denial_that_overwrote_the_admission_changes_nothing_about_the_install() -> None:
    story = proven().proof().close(at(23, 40))
    second: dict[str, Any] = {"Decision": "deny", "Reason": "lease-closed", "NotAfter": "0", "ExecutionId": "another"}
    assert false(story.proof(when=at(23, 50), **second)) == ""


def test_evidence_of_which_nothing_is_known_but_that_it_is_there() -> None:
    assert proven().evidence().broken(**ROLES) == []


# Admissions


def test_f14_evidence_that_names_a_recovery_point_that_was_gone() -> None:
    other = around().back_up().back_up(hours=18, job="earlier").install()
    gone = other.tell(at(23, 20), "RecoveryPointDeleted", recovery_point=POINT).proof()
    assert "was deleted" in false(gone)
    just_so = proven().tell(at(23, 26), "RecoveryPointDeleted", recovery_point=POINT).proof()
    assert false(just_so) == ""


@pytest.mark.parametrize("detail", ["arn:aws:ec2:eu-central-1::image/ami-never of x", "", "trust me"])
def test_evidence_that_names_no_recovery_point_that_is_known(detail: str) -> None:
    assert "there is no recovery point" in false(proven().proof(Detail=detail))


def test_f07_evidence_that_names_anothers_recovery_point() -> None:
    story = proven().launch("i-2").back_up("i-2").install("i-2").proof("i-2").proof(Detail=POINT.replace("i-1", "i-2"))
    assert "is another's" in false(story)


def test_f16_evidence_that_admits_in_spite_of_a_volume() -> None:
    story = proven().proof(when=at(23, 40))
    assert false(story.tell(at(23, 36), "VolumeAttached", instance="i-1", volume="vol-2")) == ""
    story = around().back_up().proof(when=at(23, 40)).tell(at(21), "VolumeAttached", instance="i-1", volume="vol-2")
    story.tell(at(23.5), "InstanceStateChanged", instance="i-1", state="stopped")
    assert "does not hold vol-2" in false(story)


def test_f13_evidence_that_admits_by_a_recovery_point_that_is_too_old() -> None:
    story = around().back_up(hours=11).back_up(job="later").install().proof(Detail=POINT.replace("19", "11"))
    assert "is too old" in false(story)


def test_where_volumes_are_backed_up_each_needs_a_point_of_its_own() -> None:
    def story(*points: str) -> Story:
        told = around(volumes=("vol-1", "vol-2")).install()
        told.back_up("vol-1", volumes=("vol-1",), kind="volume").back_up("vol-2", volumes=("vol-2",), kind="volume")
        return told.proof(Detail=" ".join(f"arn:aws:ec2:{REGION}::image/ami-{one}-19" for one in points))

    assert false(story("vol-1", "vol-2"), backup_resources="volumes") == ""
    assert "nothing holds vol-2" in false(story("vol-1"), backup_resources="volumes")


UNTRUE: dict[str, tuple[Story, dict[str, Any], str]] = {
    "another cycle": (proven(), {"Cycle": "20260703T223000Z"}, "it is of i-1 in cycle 20260703T223000Z"),
    "another instance": (proven(), {"InstanceId": "i-2"}, "it is of i-2"),
    "no decision": (proven(), {"Decision": "perhaps"}, "cannot be read"),
    "no start": (proven(), {"ProofStarted": "soon"}, "cannot be read"),
    "too long": (proven(), {"NotAfter": str(int(at(23, 25).timestamp()) + 122)}, "it admits until"),
    "for ever": (proven(), {"NotAfter": "forever"}, "it admits until None"),
    "out of the lane": (
        around(tags=TAGS | {"ToBackupAndPatch": "no"}).back_up(),
        {},
        "it admits what is not in the lane",
    ),
    "stopped": (around(state="stopped").back_up(), {}, "it admits what did not run"),
    "no agent": (around(agent=AGENT | {"ping": "Inactive"}).back_up(), {}, "it admits what had no agent online"),
    "old agent": (around(agent=AGENT | {"version": "3.0.501.0"}).back_up(), {}, "an agent that cannot refuse"),
}


@pytest.mark.parametrize("what", UNTRUE)
def test_an_admission_that_says_what_is_not_so(what: str) -> None:
    story, said, expected = UNTRUE[what]
    violations = story.proof(**said).judged(**ROLES, occurrences=((at(0), at(1)),)).violations
    assert any(expected in lie for lie in of(violations, "evidence-false")), violations


def test_a_proof_that_ends_with_its_admission() -> None:
    until = at(23, 60)
    story = around(admit_until=until.isoformat()).back_up().install(when=at(23, 50))
    assert "it admits until" in false(story.proof())
    story = around(admit_until=until.isoformat()).back_up().install(when=at(23, 50))
    assert false(story.proof(NotAfter=str(int(until.timestamp())))) == ""


@pytest.mark.parametrize(("seconds", "fine"), [(-1, True), (0, False)])
def test_a_proof_that_was_started_when_admission_had_ended(seconds: int, fine: bool) -> None:
    until = str(int(at(25).timestamp()))
    story = proven().proof().proof(when=at(25, 2), began=at(25, seconds), NotAfter=until, ExecutionId="late")
    assert ("admission had ended" in false(story)) is not fine


def test_an_admission_after_the_lease_was_closed() -> None:
    story = around().back_up().close(at(23, 20)).proof()
    assert "it admits without an open lease" in of(story.judged().violations, "evidence-false")[0]


def test_an_admission_that_began_in_the_instant_of_the_close() -> None:
    story = around().back_up().close(at(23, 25)).proof()
    assert of(story.judged().violations, "evidence-false") == []


def test_f53_an_admission_in_a_freeze() -> None:
    frozen = {"name": "/patchgate/freeze", "value": "release", "version": 1}
    story = around().back_up().proof().tell(at(23, 20), "ParameterPut", **frozen)
    assert of(story.judged().violations, "evidence-false")[0].endswith("it admits in a freeze")


def test_evidence_from_the_future() -> None:
    story = proven().proof(ProofStarted="2026-07-04T23:00:31Z")
    assert "started after it was written" in false(story)


# Denials and runbooks


def test_evidence_and_runbook_say_the_same() -> None:
    denied: dict[str, Any] = {"Decision": "deny", "Reason": "backup-failed", "NotAfter": "0"}
    story = around().back_up(state="FAILED").deny("backup-failed").proof(when=at(23, 28), **denied)
    assert false(story) == ""
    story = (
        around().back_up(state="FAILED").deny("backup-failed").proof(when=at(23, 28), **denied | {"Reason": "frozen"})
    )
    assert "the runbook was told backup-failed" in false(story)
    story = around().back_up(state="FAILED").deny("backup-failed").proof(when=at(23, 28))
    assert "it says admit, the runbook was told deny" in " ".join(of(story.judged().violations, "evidence-false"))


def test_a_denial_of_a_runbook_that_died_is_judged_by_itself() -> None:
    denied: dict[str, Any] = {"Decision": "deny", "Reason": "backup-failed", "NotAfter": "0"}
    assert false(around().back_up(state="FAILED").proof(**denied), occurrences=((at(0), at(1)),)) == ""
    lie = false(around().back_up().proof(**denied), occurrences=((at(0), at(1)),))
    assert "it denies with backup-failed" in lie


def test_f57_a_denial_that_left_no_evidence_would_be_taken_for_nobodys_turn() -> None:
    def missing(story: Story) -> list[str]:
        return of(story.judged().violations, "evidence")

    def denied() -> Story:
        story = around().back_up(state="FAILED")
        story.writes_denials = False
        return story.deny("backup-failed")

    wrote: dict[str, Any] = {"Decision": "deny", "Reason": "backup-failed", "NotAfter": "0"}
    assert missing(denied()) == ["a runbook was told deny, and no evidence of that was written"]
    assert missing(denied().proof(**wrote)) == []
    assert missing(denied().evidence()) == []  # of which a history does not keep the text
    assert missing(denied().proof(**wrote, ExecutionId="another")) != []
    assert missing(denied().proof(**wrote | {"Cycle": ""})) == []


# Verdicts


def judged(story: Story) -> list[str]:
    return of(story.gate().closer().judged(**GATED).violations, "evidence-false")


PROVEN = ("i-1", "proven", "", POINT)


def test_a_true_verdict() -> None:
    assert judged(proven().proof().verdict(PROVEN)) == []


def test_a_verdict_that_calls_proven_what_was_not() -> None:
    assert "was not completed without issues" in judged(around().back_up(state="FAILED").verdict(PROVEN))[0]
    assert "was not completed without issues" in judged(around().back_up(category="VSS_ERROR").verdict(PROVEN))[0]
    assert "did not run" in judged(around(state="stopped").back_up().verdict(PROVEN))[0]


@pytest.mark.parametrize("status", ["denied", "undecided", "unreachable"])
def test_whoever_is_not_proven_is_so_for_a_reason_that_is_true(status: str) -> None:
    failed = around().back_up(state="FAILED")
    assert judged(failed.verdict(("i-1", "denied", "backup-failed", ""))) == []
    (lie,) = judged(proven().verdict(("i-1", status, "backup-failed", "")))
    assert f"i-1 is {status} with backup-failed, but its newest backup job was COMPLETED" in lie
    (lie,) = judged(proven().verdict(("i-1", status, "", "")))
    assert f"i-1 is {status} with no reason, but that is no reason of the gate's" in lie


def test_a_verdict_calls_a_machine_by_one_of_four_words() -> None:
    (lie,) = judged(proven().verdict(("i-1", "skipped", "backup-failed", "")))
    assert "i-1 is called skipped" in lie


@pytest.mark.parametrize(("seconds", "fine"), [(-3, True), (0, True), (1, False)])
def test_a_job_that_ends_while_the_gate_reads(seconds: int, fine: bool) -> None:
    story = around().back_up(state="RUNNING").back_up(hours=22, seconds=seconds)  # completed around 22:30:00
    lies = judged(story.verdict(("i-1", "proven", "", POINT.replace("19", "22"))))
    assert bool(lies) is not fine


def test_f21_a_verdict_that_leaves_somebody_out() -> None:
    assert judged(proven().launch("i-2").verdict(PROVEN)) == [
        f"the evidence {CYCLE}/open.jsonl is false: it leaves out i-2"
    ]
    gone = proven().launch("i-2", state="terminated")
    assert judged(gone.verdict(PROVEN)) == []


def test_a_verdict_that_names_strangers_or_somebody_twice() -> None:
    stranger = proven().launch("i-9", tags={}).back_up("i-9")
    assert "i-9 is not in the lane" in judged(stranger.verdict(PROVEN, ("i-9", "proven", "", "")))[0]
    assert "names i-1 twice" in judged(proven().verdict(PROVEN, PROVEN))[0]


@pytest.mark.parametrize(
    ("said", "lie"),
    [
        ({"targets": 2}, "it counts 2 targets and names 1"),
        ({"proven": 2}, "it counts 1 targets and names 1"),
        ({"cycle": "20260703T223000Z"}, "it is of cycle"),
        ({"at": "today"}, "cannot be read"),
    ],
)
def test_a_verdict_that_contradicts_itself(said: dict[str, Any], lie: str) -> None:
    assert lie in judged(proven().verdict(PROVEN, **said))[0]


def test_f28_two_gates_that_do_not_agree_keep_their_evidence_apart() -> None:
    story = proven().verdict(PROVEN)
    assert judged(story.verdict(PROVEN, when=at(22.5, 2), decision="hold", reason="frozen")) == []
    lie = [{"cycle": CYCLE, "decision": "hold", "reason": "frozen", "targets": 0}]
    told = judged(story.write("open.jsonl", lie, at(22.5, 2), "gate-open"))
    assert any("it holds a cycle that was opened" in lie for lie in told)


# Who wrote it


def test_f59_evidence_that_somebody_else_wrote() -> None:
    row = {"Decision": "admit"}

    def forged(role: str, name: str = "i-1.json") -> list[str]:
        story = proven().proof().write(name, [row], at(25), role)
        return [violation.promise for violation in story.judged(**ROLES).violations if "written by" in violation.what]

    assert forged("gate-prove") == []
    assert forged("gate-open") == ["evidence-forged"]
    assert forged("gate-open", "open.jsonl") == []
    assert forged("gate-prove", "hold.jsonl") == ["evidence-forged"]
    key = f"evidence/ubuntu/prd/111122223333/{REGION}/{CYCLE}/i-1.json"
    by_hand = proven().proof().tell(at(25), "ObjectWritten", key=key, principal="", sha256="0", text=None)
    assert by_hand.broken(**ROLES) == ["evidence-forged"]
    assert by_hand.broken() == []


def test_f59_one_run_writes_one_thing() -> None:
    assert proven().proof().proof(when=at(23, 31), began=at(23, 25)).broken(**ROLES) == []
    changed = proven().proof().proof(when=at(23, 31), began=at(23, 26))
    assert changed.broken(**ROLES) == ["evidence-forged"]
    other = proven().proof().proof(when=at(23, 31), began=at(23, 26), ExecutionId="another")
    assert other.broken(**ROLES) == []
