"""What is to be said is said to people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .histories import GATED, OPEN, TOPIC, Story, around, at

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
    assert is_told(told(evening(), "i-7  denied: backup-failed\n... and more: see the evidence"))


def test_a_hold_says_why() -> None:
    held: dict[str, Any] = {"decision": "hold", "reason": "coverage-too-low"}
    assert not is_told(told(evening(**held), "i-1  denied"))
    assert is_told(told(evening(**held), "hold because coverage-too-low\ni-1  denied"))


@pytest.mark.parametrize(
    "said", [{"decision": "hold", "reason": "window-not-due"}, {"repeated": "x", "decision": "open"}]
)
def test_who_is_not_due_or_repeats_has_nothing_to_tell(said: dict[str, Any]) -> None:
    assert is_told(evening(**said))


def test_a_run_that_fails_is_tried_again() -> None:
    story = evening()
    scheduled = {"scheduled_time": at(22.5).isoformat(), "mode": "open", "left_out": [list(LEFT_OUT)]}
    failed = around().run(OPEN, at(22.5), at(22.5) + timedelta(seconds=9), status="Error", decision="open", **scheduled)
    failed.tells_people = False
    assert is_told(failed)
    assert not is_told(story)


def test_what_a_close_finds_wrong_is_told() -> None:
    story = around()
    story.tells_people = False
    assert is_told(story.closer(problems=[]))
    story = around()
    story.tells_people = False
    assert not is_told(story.closer(problems=["the window was still open"]))
    assert is_told(told(story, "the window was still open", hours=26.2))
