"""What is to be said is said to people."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .histories import CLOSE, CYCLE, GATED, NAME, OPEN, TOPIC, WINDOW, Story, around, at

LEFT_OUT = ("i-1", "denied", "backup-failed", "")


def evening(**said: Any) -> Story:
    """A lane whose gate leaves i-1 out, and who is told is for the test to say."""
    story = around().back_up(state="FAILED")
    story.tells_people = False
    return story.gate(LEFT_OUT, **said)


def told(story: Story, text: str, hours: float = 22.5, seconds: float = 5, topic: str = TOPIC) -> Story:
    return story.tell(at(hours, seconds), "MessagePublished", topic=topic, subject="patchgate", message=text)


def is_told(story: Story, **changes: Any) -> bool:
    return "told" not in story.broken(**GATED | changes)


def test_who_is_left_out_is_in_a_message_of_that_run() -> None:
    assert is_told(told(evening(), "i-1  denied: backup-failed"))
    assert not is_told(evening())
    assert not is_told(told(evening(), "i-2  denied: backup-failed"))
    assert not is_told(told(evening(), "i-1  denied: backup-failed", seconds=600))
    assert not is_told(told(evening(), "i-1  denied: backup-failed", topic=f"{TOPIC}-of-others"))


def test_a_message_that_is_cut_short_refers_to_the_evidence() -> None:
    more = "... and more: see the evidence"
    assert is_told(told(evening(), "i-7  denied: backup-failed\n" * 3000 + more))
    assert not is_told(told(evening(), f"i-7  denied: backup-failed\n{more}"))
    assert not is_told(told(evening(), "i-7  denied: backup-failed\n" * 3000))


def test_a_reason_is_told_with_whom_it_is_of() -> None:
    assert not is_told(told(evening(), "i-1"))
    assert not is_told(told(evening(), "i-1  denied\ni-7  denied: backup-failed"))


def test_a_hold_says_why() -> None:
    held: dict[str, Any] = {"decision": "hold", "reason": "coverage-too-low"}
    assert not is_told(told(evening(**held), "i-1  denied: backup-failed"))
    assert is_told(told(evening(**held), "hold because coverage-too-low\ni-1  denied: backup-failed"))


@pytest.mark.parametrize(
    "said", [{"decision": "hold", "reason": "window-not-due"}, {"repeated": "x", "decision": "open"}]
)
def test_who_is_not_due_or_repeats_has_nothing_to_tell(said: dict[str, Any]) -> None:
    assert is_told(evening(**said))


def died(*, after_the_lease: bool) -> Story:
    """A gate that dies before people are told, and its retry, which has nothing to say."""
    story = Story(tells_people=False).launch().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=False)
    payload = {"scheduled_time": at(22.5).isoformat(), "mode": "open"}
    known = {"function": OPEN, "request_id": "r"}
    said = {"decision": "open", "left_out": [list(LEFT_OUT)]}
    story.tell(at(22.5), "FunctionInvoked", payload=payload, **known)
    if after_the_lease:
        story.open(at(22.5, 5))
    story.tell(at(22.5, 9), "FunctionEnded", status="Error", error="", log=[json.dumps(said)], result=None, **known)
    story.tell(at(22.5, 70), "FunctionInvoked", payload=payload, **known)
    again = {"decision": "open", "repeated": True}
    return story.tell(
        at(22.5, 80), "FunctionEnded", status="Success", error="", log=[json.dumps(again)], result=again, **known
    )


def test_a_gate_that_died_when_its_lease_was_there_tells_on_its_next_try() -> None:
    assert is_told(died(after_the_lease=False))
    assert not is_told(died(after_the_lease=True))
    assert is_told(told(died(after_the_lease=True), "instances left out: 1 ... and more: see the evidence", seconds=75))
    assert not is_told(told(died(after_the_lease=True), "i-1  denied: backup-failed", seconds=90))
    due = {"scheduled_time": at(22.5).isoformat(), "mode": "open"}
    twice = died(after_the_lease=True).run(OPEN, at(22.5, 30), at(22.5, 40), decision="open", repeated=True, **due)
    assert not is_told(twice)
    assert is_told(told(twice, "i-1  denied: backup-failed", seconds=35))
    given_up = died(after_the_lease=True).tell(
        at(22.6), "FunctionDiscarded", function=OPEN, request_id="r", destination="queue"
    )
    assert is_told(given_up)


def test_what_a_close_finds_wrong_is_told() -> None:
    story = around()
    story.tells_people = False
    assert is_told(story.closer(problems=[]))
    story = around()
    story.tells_people = False
    assert not is_told(story.closer(problems=["the window was still open"]))
    assert is_told(told(story, "the window was still open", hours=26.2))


def test_a_watchdog_that_died_while_a_gate_created_its_lease_is_no_gate() -> None:
    """Its retry finds nothing wrong any more, and says nothing."""
    story = Story(tells_people=False).launch().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True)
    payload = {"scheduled_time": at(22.5).isoformat(), "mode": "watchdog"}
    known = {"function": CLOSE, "request_id": "r"}
    said = {"mode": "watchdog", "problems": ["the watchdog closed the window"]}
    story.tell(at(22.5), "FunctionInvoked", payload=payload, **known).open(at(22.5, 5))
    story.tell(at(22.5, 9), "FunctionEnded", status="Error", error="", log=[json.dumps(said)], result=None, **known)
    story.tell(at(22.5, 70), "FunctionInvoked", payload=payload, **known)
    again = {"mode": "watchdog", "problems": []}
    story.tell(
        at(22.5, 80), "FunctionEnded", status="Success", error="", log=[json.dumps(again)], result=again, **known
    )
    assert is_told(story)


def overlapping(decision: str, *, before: bool) -> Story:
    """A gate that dies after a lease was created: by it, or by another one that ends well and has nothing to tell."""
    story = Story(tells_people=False).launch().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=False)
    payload = {"scheduled_time": at(22.5).isoformat(), "mode": "open"}
    mine, other = ({"function": OPEN, "request_id": request} for request in ("mine", "other"))
    said = {"decision": decision, "reason": "frozen", "left_out": [list(LEFT_OUT)]}
    again = {"decision": "open", "repeated": True}
    story.tell(at(22.5), "FunctionInvoked", payload=payload, **mine)
    story.tell(at(22.5, 1 if before else 6), "FunctionInvoked", payload=payload, **other)
    story.open(at(22.5, 5))
    story.tell(at(22.5, 8), "FunctionEnded", status="Success", error="", log=[json.dumps(again)], result=again, **other)
    story.tell(at(22.5, 9), "FunctionEnded", status="Error", error="", log=[json.dumps(said)], result=None, **mine)
    story.tell(at(22.5, 70), "FunctionInvoked", payload=payload, **mine)
    return story.tell(
        at(22.5, 80), "FunctionEnded", status="Success", error="", log=[json.dumps(again)], result=again, **mine
    )


def test_a_gate_need_not_tell_what_is_not_in_force() -> None:
    assert not is_told(overlapping("open", before=False))
    assert is_told(overlapping("open", before=True)), "whose lease it is nobody knows"
    assert is_told(overlapping("hold", before=False)), "who holds creates none"


# What a run says in its log


def ended(log: list[str], *, function: str = OPEN, status: str = "Success", result: Any = None) -> Story:
    known = {"function": function, "request_id": "r"}
    payload = {"scheduled_time": at(22.5).isoformat(), "mode": "open"}
    story = Story(tells_people=False).tell(at(22.5), "FunctionInvoked", payload=payload, **known)
    return story.tell(at(22.5, 9), "FunctionEnded", status=status, error="", log=log, result=result, **known)


@pytest.mark.parametrize("function", [OPEN, CLOSE])
def test_a_run_that_succeeds_says_in_its_log_what_it_came_to(function: str) -> None:
    assert not is_told(ended([], function=function))
    assert not is_told(ended(["START", "Task timed out"], function=function))
    assert not is_told(ended(["START", json.dumps({"WatchdogRan": 1})], function=function))
    assert not is_told(ended(["START", json.dumps(["problems"])], function=function))
    assert is_told(ended(["START", json.dumps({"decision": "open"})], function=function))
    assert is_told(ended(["START", json.dumps({"problems": []})], function=function))
    assert is_told(ended([], function=function, status="Error")), "which is an alarm of its own"


def test_what_a_run_returns_is_in_no_log() -> None:
    assert not is_told(ended(["START"], result={"decision": "open", "problems": []}))


# What the evidence of a verdict says that the log leaves out

SILENT: dict[str, Any] = {"decision": "open"}


def hushed(*rows: tuple[str, str, str, str], when: float = 0, head: dict[str, Any] | None = None, **said: Any) -> Story:
    """A gate from 22:29:50 to 22:30:10 whose log names nobody, and its verdict ``when`` seconds after 22:30."""
    story = around().back_up(state="FAILED")
    story.tells_people = story.writes_verdicts = False
    return story.gate(**SILENT | said).verdict(*rows, when=at(22.5, when), **head or {})


def test_who_is_left_out_in_the_evidence_alone_is_told() -> None:
    assert not is_told(hushed(LEFT_OUT))
    assert is_told(told(hushed(LEFT_OUT), "i-1  denied: backup-failed"))
    assert not is_told(told(hushed(LEFT_OUT), "i-1  denied: backup-expired"))
    assert is_told(hushed(("i-1", "proven", "", "")))
    two = told(
        hushed(("i-7", "proven", "", ""), ("i-8", "undecided", "agent-offline", ""), LEFT_OUT), "i-1 backup-failed"
    )
    (violation,) = (one for one in two.judged(**GATED).violations if one.promise == "told")
    assert violation.what == "nobody was told: i-8 agent-offline"
    both = [one.what for one in evening().verdict(LEFT_OUT).judged(**GATED).violations]
    assert "nobody was told: i-1 backup-failed" in both, "what log and evidence say is one"


@pytest.mark.parametrize(("seconds", "fine"), [(-11, True), (-9, False), (9, False), (11, True)])
def test_evidence_is_of_the_run_that_was_on_its_way(seconds: int, *, fine: bool) -> None:
    assert is_told(hushed(LEFT_OUT, when=seconds)) is fine


def test_evidence_that_is_no_verdict_of_the_gates_binds_nobody() -> None:
    head = {"cycle": CYCLE, "decision": "open", "reason": ""}
    row = dict(zip(("instance", "status", "reason", "detail"), LEFT_OUT, strict=True))

    def written(role: str, *rows: Any) -> bool:
        story = Story(tells_people=False).gate(**SILENT).write("open.jsonl", list(rows), at(22.5), role)
        return is_told(story, verdict_role="gate-open")

    assert not written("gate-open", head, row)
    assert written("intruder", head, row)
    assert written("gate-open", head, "i-1 denied")
    assert written("gate-open")
    proof = hushed(LEFT_OUT).proof("i-9", at(22.5, -5))
    assert not is_told(proof), "a proof beside it is no verdict"
    beside = Story(tells_people=False).closer(22.5).write("open.jsonl", [head, row], at(22.5), "gate-open")
    assert is_told(beside), "a close writes none"


def test_a_hold_in_the_evidence_alone_says_why() -> None:
    held = {"decision": "hold", "reason": "coverage-too-low"}
    assert not is_told(hushed(head=held))
    assert is_told(told(hushed(head=held), "hold because coverage-too-low"))
    assert is_told(hushed(head=held | {"decision": "open"}))
    assert is_told(hushed(head=held | {"reason": ""}))


def test_of_a_window_that_is_not_due_there_is_what_the_log_says() -> None:
    not_due: dict[str, Any] = {"decision": "hold", "reason": "window-not-due"}
    assert is_told(hushed(LEFT_OUT, head=not_due, **not_due))
    assert not is_told(hushed(LEFT_OUT, head=not_due, decision="hold", reason="frozen"))


def test_who_repeats_a_verdict_has_nothing_to_tell_of_its_evidence() -> None:
    assert is_told(hushed(LEFT_OUT, repeated=True))


@pytest.mark.parametrize(
    ("began", "lasts", "fine"),
    [(-5, 20, True), (-5, 4, False), (1, 20, False), (-800, 900, True), (-5, None, True), (1, None, False)],
)
def test_evidence_is_of_nobody_when_two_gates_may_have_written_it(began: int, lasts: int | None, *, fine: bool) -> None:
    """Another one that begins so many seconds after 22:30 and has nothing to say."""
    story = hushed(LEFT_OUT)
    if lasts is not None:
        story.run(OPEN, at(22.5, began), at(22.5, began + lasts), scheduled_time=at(22.5).isoformat(), **SILENT)
    else:
        story.tell(at(22.5, began), "FunctionInvoked", function=OPEN, request_id="other", payload={})
    assert is_told(story) is fine


@pytest.mark.parametrize(("seconds", "fine"), [(-909, True), (-911, False)])
def test_a_run_that_never_ends_is_on_its_way_for_a_quarter_of_an_hour(seconds: int, *, fine: bool) -> None:
    other = {"function": OPEN, "request_id": "other"}
    assert is_told(hushed(LEFT_OUT).tell(at(22.5, seconds), "FunctionInvoked", payload={}, **other)) is fine


def test_a_gate_that_died_without_a_word_is_known_by_its_evidence() -> None:
    def silent(*, lease: bool = True, retried: bool = True) -> Story:
        story = Story(tells_people=False).verdict(LEFT_OUT, when=at(22.5, 4))
        if lease:
            story.open(at(22.5, 5))
        known = {"function": OPEN, "request_id": "r"}
        payload = {"scheduled_time": at(22.5).isoformat(), "mode": "open"}
        story.tell(at(22.5), "FunctionInvoked", payload=payload, **known)
        story.tell(at(22.5, 9), "FunctionEnded", status="Error", error="", log=[], result=None, **known)
        if retried:
            log = [json.dumps({"decision": "open", "repeated": True})]
            story.tell(at(22.5, 70), "FunctionInvoked", payload=payload, **known)
            story.tell(at(22.5, 80), "FunctionEnded", status="Success", error="", log=log, result=None, **known)
        return story

    assert not is_told(silent())
    assert is_told(told(silent(), "i-1  denied: backup-failed", seconds=75))
    assert is_told(silent(lease=False))
    assert is_told(silent(retried=False)), "its retry is to come"


# A close that dies once it has marked a lease told

UNREACHED = "1 instances were let in and never reached, for example i-1"
MARK = "/patchgate/ubuntu/prd/20260704T223000Z/closed"


def dead_close(*, marked: float = 5, name: str = MARK, value: str = '{"told": true}', retried: bool = True) -> Story:
    """A close from 26:12:00 that dies at 26:12:09, and its retry a minute later, which has nothing to say.

    ``marked`` is when, in seconds after it began, ``name`` is put as ``value``.
    """
    known = {"function": CLOSE, "request_id": "r"}
    payload = {"scheduled_time": at(26.2).isoformat(), "mode": "close"}
    story = Story(tells_people=False).open().tell(at(26.2, marked), "ParameterPut", name=name, value=value, version=1)
    story.tell(at(26.2), "FunctionInvoked", payload=payload, **known)
    log = [json.dumps({"problems": [UNREACHED]})]
    story.tell(at(26.2, 9), "FunctionEnded", status="Error", error="", log=log, result=None, **known)
    if not retried:
        return story
    log = [json.dumps({"problems": []})]
    story.tell(at(26.2, 70), "FunctionInvoked", payload=payload, **known)
    return story.tell(at(26.2, 80), "FunctionEnded", status="Success", error="", log=log, result=None, **known)


def test_a_close_that_died_when_its_lease_was_marked_told_is_not_asked_again() -> None:
    assert not is_told(dead_close())
    assert is_told(told(dead_close(), UNREACHED, hours=26.2)), "it told before it died"
    assert is_told(told(dead_close(), UNREACHED, hours=26.2, seconds=75)), "its retry tells"
    assert not is_told(told(dead_close(), UNREACHED, hours=26.2, seconds=40))
    assert not is_told(told(dead_close(), "1 instances were let in", hours=26.2, seconds=75))


def test_a_close_that_died_before_it_marked_a_lease_told_leaves_it_to_the_next() -> None:
    assert is_told(dead_close(value="{}"))
    assert is_told(dead_close(value="told"))
    assert is_told(dead_close(marked=-1))
    assert is_told(dead_close(marked=75)), "its retry marks it"
    assert is_told(dead_close(name=MARK.replace("ubuntu", "debian")))
    assert is_told(dead_close(name=MARK.replace("closed", "open")))


def test_a_close_that_died_and_is_not_tried_again_yet_or_was_given_up_is_excused() -> None:
    assert is_told(dead_close(retried=False))
    discarded = {"function": CLOSE, "request_id": "r", "destination": "queue"}
    assert is_told(dead_close().tell(at(26.3), "FunctionDiscarded", **discarded)), "which is an alarm"
    assert not is_told(dead_close().tell(at(26.3), "FunctionDiscarded", **discarded | {"request_id": "another"}))
    nowhere = dead_close().tell(at(26.3), "FunctionDiscarded", **discarded | {"destination": ""})
    assert nowhere.broken(**GATED).count("told") == 2, "neither what it had to tell nor that it was given up"


def test_what_a_close_had_to_tell_is_told_by_its_own_tries_and_duplicates() -> None:
    def told_by(scheduled: float, *, retried: bool = True) -> bool:
        other = {"scheduled_time": at(scheduled).isoformat(), "mode": "close"}
        story = dead_close(retried=retried).run(CLOSE, at(26.4), at(26.4, 10), **other)
        return is_told(told(story, UNREACHED, hours=26.4)) if retried else is_told(story)

    assert told_by(26.2)
    assert not told_by(26.1), "it was another one's"
    assert told_by(26.2, retried=False), "a duplicate that is over says nothing of a retry that is to come"


def test_a_lease_is_marked_told_by_nobody_when_two_closes_may_have_done_it() -> None:
    def beside(began: int, lasts: int) -> bool:
        due = {"scheduled_time": at(26.5).isoformat(), "mode": "watchdog"}
        return is_told(dead_close().run(CLOSE, at(26.2, began), at(26.2, began + lasts), **due))

    assert beside(-5, 13)
    assert not beside(-5, 8)
    assert not beside(6, 20)
