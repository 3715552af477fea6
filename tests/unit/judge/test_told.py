"""What is to be said is said to people."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .histories import CLOSE, GATED, NAME, OPEN, TOPIC, WINDOW, Story, around, at

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
