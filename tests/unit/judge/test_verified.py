"""A runbook that ends as a success had its install end well, and its machine come back."""

from __future__ import annotations

from typing import Any

import pytest

from patchgate.judge.violation import Violation

from .histories import AGENT, DOCUMENT, REGION, Story, around, at

SILENT = AGENT | {"ping": "ConnectionLost"}
SENT, BEGAN, OVER, ENDED = at(23, 40), at(23, 60), at(23, 600), at(23, 610)
"""When a good evening's command is sent, when its install begins and is over, and when its runbook ends."""


def begun(*, sent: bool = True, document: str = DOCUMENT) -> Story:
    """A runbook that proves i-1 and sends its install."""
    story = around().back_up().evidence().prove()
    return send(story, document=document) if sent else story


def send(story: Story, document: str = DOCUMENT, principal: str = "gate-prove", **facts: Any) -> Story:
    given = {"parameters": {"Operation": ["Install"]}, "document": document, "principal": principal}
    return story.tell(SENT, "CommandSent", command="command-i-1", instances=["i-1"], **given | facts)


def ended(story: Story, when: Any = ENDED, status: str = "Success", execution: str = "execution-i-1") -> Story:
    facts = {"document": DOCUMENT, "target": "i-1", "failure": "" if status == "Success" else "verifyStatus"}
    return story.tell(when, "AutomationEnded", execution=execution, status=status, **facts)


def patched(**facts: Any) -> Story:
    """A runbook whose install went well; when and how it ends, and what befalls the machine, is for the test to say."""
    return begun(**facts).install()


def patch_ended(story: Story, status: str, *failed: str) -> Story:
    facts = {"instance": "i-1", "operation": "Install", "command": "command-i-1"}
    story.tell(BEGAN, "PatchStarted", reboot_option="RebootIfNeeded", volumes=[], **facts)
    return story.tell(OVER, "PatchEnded", status=status, output="", failed=list(failed), **facts)


def found(story: Story, **changes: Any) -> list[Violation]:
    return [one for one in story.judged(**changes).violations if one.promise == "verified"]


def befalls(when: Any, event: str, **facts: Any) -> Story:
    return patched().tell(when, event, instance="i-1", **facts)


def test_a_runbook_whose_install_and_machine_are_well_is_a_success() -> None:
    assert ended(patched()).judged().held


@pytest.mark.parametrize(
    ("status", "failed", "says"),
    [
        ("Failed", ("p", "q"), "although it failed to install p, q"),
        ("Success", ("p",), "although it failed to install p"),
        ("Failed", (), "although the install ended as Failed"),
        ("Interrupted", (), "although the install ended as Interrupted"),
    ],
)
def test_f41_a_success_whose_install_failed(status: str, failed: tuple[str, ...], says: str) -> None:
    story = ended(patch_ended(begun(), status, *failed))
    (violation,) = found(story)
    assert violation.what == f"the runbook of i-1 ended as a success {says}"
    assert (violation.instance, violation.at, violation.region) == ("i-1", ENDED, REGION)
    assert [story.records()[seq]["event"] for seq in violation.witness] == [
        "AutomationStarted",
        "PatchStarted",
        "PatchEnded",
        "AutomationEnded",
    ]


def test_a_success_before_its_install_was_over() -> None:
    (violation,) = found(ended(patched(), at(23, 599)))
    assert violation.what.endswith("before its install was over")
    (violation,) = found(ended(patched(), at(23, 50)))
    assert violation.what.endswith("before its install was over")
    never = begun().tell(BEGAN, "PatchStarted", instance="i-1", operation="Install", command="command-i-1")
    assert found(never) == []
    assert len(found(ended(never))) == 1


@pytest.mark.parametrize("status", ["Failed", "TimedOut", "Cancelled"])
def test_a_runbook_that_ends_otherwise_names_its_machine(status: str) -> None:
    assert found(ended(patch_ended(begun(), "Failed", "p"), status=status)) == []
    assert found(ended(befalls(OVER, "InstanceStatusChanged", status="impaired"), status=status)) == []


BAD: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("InstanceStateChanged", {"state": "stopped"}, {"state": "running"}, "was stopped"),
    ("InstanceStatusChanged", {"status": "impaired"}, {"status": "ok"}, "was impaired"),
    ("AgentChanged", {"agent": SILENT}, {"agent": AGENT}, "had a silent agent"),
]
EACH_STATE = pytest.mark.parametrize(("event", "bad", "good", "says"), BAD, ids=[state[-1] for state in BAD])


@EACH_STATE
def test_f40_a_success_although_the_machine_did_not_come_back(
    event: str, bad: dict[str, Any], good: dict[str, Any], says: str
) -> None:
    story = ended(befalls(at(23, 599), event, **bad))
    (violation,) = found(story)
    assert violation.what == f"the runbook of i-1 ended as a success although it {says}"
    late = found(ended(befalls(at(23, 599), event, **bad).tell(at(23, 611), event, instance="i-1", **good)))
    assert len(late) == 1
    came_back = befalls(at(23, 599), event, **bad).tell(at(23, 605), event, instance="i-1", **good)
    assert found(ended(came_back)) == []


@EACH_STATE
def test_what_befalls_it_after_it_may_have_been_read_is_nothing_a_runbook_could_know(
    event: str, bad: dict[str, Any], good: dict[str, Any], says: str
) -> None:
    assert found(ended(befalls(at(23, 605), event, **bad))) == []
    assert found(ended(befalls(at(23, 611), event, **bad))) == []
    assert good != bad
    assert says


@EACH_STATE
def test_nothing_is_read_longer_than_a_quarter_of_an_hour_before_the_end(
    event: str, bad: dict[str, Any], good: dict[str, Any], says: str
) -> None:
    """It was well when its install was over, and no more when the runbook last looked."""
    assert found(ended(befalls(at(23, 700), event, **bad), at(23, 700 + 959))) == []
    (violation,) = found(ended(befalls(at(23, 700), event, **bad), at(23, 700 + 960)))
    assert violation.what.endswith(says)
    again = befalls(at(23, 700), event, **bad).tell(at(23, 1000), event, instance="i-1", **good)
    assert found(ended(again, at(23, 700 + 960))) == []


def test_a_success_while_the_machine_still_reboots() -> None:
    reboot = {"ready_at": at(23, 720).isoformat()}
    assert found(ended(befalls(at(23, 599), "InstanceRebooted", **reboot)))[0].what.endswith("had not come up again")
    assert found(ended(befalls(at(23, 599), "InstanceRebooted", **reboot), at(23, 720))) == []
    assert found(ended(befalls(at(23, 605), "InstanceRebooted", **reboot))) == []


@pytest.mark.parametrize(("back", "count"), [(at(23, 610), 0), (at(23, 611), 1)])
def test_f55_an_agent_that_is_away_for_a_time_is_silent_until_it_is_back(back: Any, count: int) -> None:
    away = AGENT | {"offline_from": at(23, 300).isoformat(), "online_from": back.isoformat()}
    assert len(found(ended(befalls(at(23), "AgentChanged", agent=away)))) == count


def test_nothing_is_said_of_a_machine_whose_agent_no_history_tells_of() -> None:
    story = send(around(agent=None).back_up().evidence().prove()).install()
    assert found(ended(story)) == []


def impaired(story: Story) -> list[Violation]:
    return found(ended(story.install().tell(at(23, 1), "InstanceStatusChanged", instance="i-1", status="impaired")))


def test_a_runbook_answers_for_the_installs_that_it_began() -> None:
    assert len(impaired(begun())) == 1
    assert impaired(begun(sent=False)) == []
    assert impaired(begun(document="AWS-RunPatchBaseline")) == []
    assert impaired(send(begun(sent=False), principal="")) == []
    assert impaired(begun(sent=False).tell(at(23, 10), "CommandSent", command="command-i-1", document=DOCUMENT)) == []


def other(document: str = DOCUMENT, started: Any = None, over: Any = None) -> Story:
    """Another runbook on the machine beside the one that installs."""
    facts = {"execution": "execution-2", "document": document, "target": "i-1"}
    story = begun().tell(started or at(23, 25), "AutomationStarted", **facts)
    return ended(story, over, "Cancelled", "execution-2") if over else story


def test_an_install_may_be_of_any_of_several_runbooks_that_are_under_way() -> None:
    assert impaired(other()) == []
    assert len(impaired(other(over=at(23, 39)))) == 1
    assert len(impaired(other(started=at(23, 41)))) == 1
    assert len(impaired(other("AWS-RestartEC2Instance"))) == 1


def test_the_last_install_of_a_runbook_counts() -> None:
    again = {"instance": "i-1", "operation": "Install", "command": "again"}
    story = patch_ended(begun(), "Failed", "p").tell(at(23, 610), "PatchStarted", **again)
    sent = {"parameters": {}, "document": DOCUMENT, "principal": "gate-prove", "instances": ["i-1"]}
    story.tell(at(23, 605), "CommandSent", command="again", **sent)
    story.tell(at(23, 700), "PatchEnded", status="Success", failed=[], **again)
    assert found(ended(story, at(23, 710))) == []


def test_an_install_that_was_interrupted_and_goes_on_ends_as_it_ends_at_last() -> None:
    story = patch_ended(begun(), "Interrupted")
    known = {"instance": "i-1", "operation": "Install", "command": "command-i-1"}
    story.tell(at(23, 605), "PatchStarted", **known).tell(at(23, 700), "PatchEnded", status="Success", **known)
    assert found(ended(story, at(23, 710))) == []


def test_runbooks_of_others_are_not_judged() -> None:
    story = ended(patch_ended(begun(), "Failed", "p"))
    assert found(story, has_gate=False) == []
    assert found(story, environment="dev") == []


@pytest.mark.parametrize(("target", "document"), [("", DOCUMENT), ("i-1", DOCUMENT), ("", "another")])
def test_an_install_may_be_that_of_a_runbook_that_somebody_started_by_hand(target: str, document: str) -> None:
    """Of such a one no history need say for which machine it is."""
    by_hand = {"execution": "by-hand", "document": document}
    story = begun(sent=False).tell(at(23, 10), "AutomationStarted", target=target, **by_hand)
    story = ended(send(story).install(), BEGAN)
    story.tell(ENDED, "AutomationEnded", target=target, status="Success", failure="", **by_hand)
    assert bool(found(story)) == (document != DOCUMENT)


# Neither an install nor a denial


def bare(**said: str) -> Story:
    """A runbook that neither installs nor denies, with what its proof puts out: an admission, unless it is told."""
    return ended(around().back_up().evidence().prove(**said))


def test_a_success_needs_an_install_or_a_denial() -> None:
    story = bare()
    (violation,) = found(story)
    assert violation.what == "the runbook of i-1 ended as a success with neither an install nor a denial"
    assert [story.records()[seq]["event"] for seq in violation.witness] == ["AutomationStarted", "AutomationEnded"]
    assert (violation.instance, violation.at, violation.region) == ("i-1", ENDED, REGION)
    unproven = around().tell(at(23, 20), "AutomationStarted", execution="x", document=DOCUMENT, target="i-1")
    assert len(found(ended(unproven, execution="x"))) == 1


@pytest.mark.parametrize("status", ["Failed", "TimedOut", "Cancelled"])
def test_without_either_a_runbook_may_fail(status: str) -> None:
    assert found(ended(around().back_up().evidence().prove(), status=status)) == []


def test_a_denial_is_a_success_by_what_its_proof_put_out() -> None:
    assert found(bare(decision="deny", reason="backup-missing")) == []
    assert len(found(bare(decision="admit", reason="backup-missing"))) == 1


def test_a_denial_is_a_success_by_the_evidence_that_its_runbook_wrote() -> None:
    def written(**said: Any) -> int:
        story = around().back_up().tell(at(23, 20), "AutomationStarted", execution="execution-i-1", **TARGET)
        return len(found(ended(story.proof(**said))))

    assert written(Decision="deny") == 0
    assert written(Decision="admit") == 1
    assert written(Decision="deny", ExecutionId="another") == 1


TARGET = {"document": DOCUMENT, "target": "i-1"}
INSTALL = {"instance": "i-1", "operation": "Install", "command": "maybe"}


@pytest.mark.parametrize(
    ("began", "count"), [(at(23, 19), 1), (at(23, 21), 0), (at(23, 60), 0), (at(23, 609), 0), (at(23, 611), 1)]
)
def test_an_install_that_began_in_its_time_may_be_a_runbooks(began: Any, count: int) -> None:
    assert len(found(bare().tell(began, "PatchStarted", **INSTALL))) == count
    assert len(found(bare().tell(began, "PatchStarted", **INSTALL | {"instance": "i-2"}).launch("i-2"))) == 1
    assert len(found(bare().tell(began, "PatchStarted", **INSTALL | {"operation": "Scan"}))) == 1


@pytest.mark.parametrize(("sent", "count"), [(at(23, 19), 1), (at(23, 21), 0), (at(23, 609), 0), (at(23, 611), 1)])
def test_an_install_that_was_sent_in_its_time_may_be_a_runbooks(sent: Any, count: int) -> None:
    """Of another document, so that it is not surely the runbook's."""
    given = {"parameters": {"Operation": ["Install"]}, "document": "another", "instances": ["i-1"]}
    story = bare().tell(sent, "CommandSent", command="maybe", principal="gate-prove", **given)
    assert len(found(story.tell(at(23, 700), "PatchStarted", **INSTALL))) == count
    story = bare().tell(sent, "CommandSent", command="maybe", principal="gate-prove", **given)
    assert len(found(story)) == 1  # and never began


def test_an_operators_install_may_be_what_a_runbook_found() -> None:
    given = {"parameters": {}, "document": "AWS-RunPatchBaseline", "principal": "", "instances": ["i-1"]}
    story = bare().tell(SENT, "CommandSent", command="maybe", **given)
    assert found(story.tell(BEGAN, "PatchStarted", **INSTALL)) == []


def test_of_a_machine_that_no_history_tells_of_nothing_is_known() -> None:
    story = around().tell(at(23, 20), "AutomationStarted", execution="x", document=DOCUMENT, target="i-9")
    assert found(ended(story, execution="x")) == []
