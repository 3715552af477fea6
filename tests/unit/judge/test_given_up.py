"""What is given up goes to a queue with an alarm, or it excuses nobody."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from .histories import ACCOUNT, CLOSE, GATED, OPEN, REGION, Story, at, good_evening


def discarded(function: str = OPEN, when: datetime | None = None, **facts: Any) -> Story:
    return Story().tell(when or at(22.6), "FunctionDiscarded", function=function, request_id="r", **facts)


def unscheduled(function: str = OPEN, **facts: Any) -> Story:
    target = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    return Story().tell(at(22.6), "ScheduleDiscarded", schedule="schedule", target=target, **facts)


def is_told(story: Story, **changes: Any) -> bool:
    return "told" not in story.broken(**GATED | {"occurrences": ()} | changes)


@pytest.mark.parametrize("function", [OPEN, CLOSE])
def test_an_invocation_that_is_given_up_goes_somewhere(function: str) -> None:
    assert is_told(discarded(function, destination="queue"))
    assert is_told(discarded(function, destination="queue", problem=""))
    assert not is_told(discarded(function))
    assert not is_told(discarded(function, destination=""))
    assert not is_told(discarded(function, destination="queue", problem="AccessDenied"))


@pytest.mark.parametrize("function", [OPEN, CLOSE])
def test_what_a_schedule_gives_up_goes_somewhere(function: str) -> None:
    assert is_told(unscheduled(function, destination="queue"))
    assert not is_told(unscheduled(function, destination=""))
    assert not is_told(unscheduled(function))
    target = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    refused = unscheduled(function, destination="queue").tell(at(22.6), "ScheduleLost", target=target)
    assert not is_told(refused)


def test_what_others_give_up_is_their_own() -> None:
    assert is_told(discarded("patchgate-open-debian-prd"))
    assert is_told(unscheduled("patchgate-open-debian-prd"))
    assert is_told(discarded(), has_gate=False)
    assert is_told(unscheduled(), has_gate=False)


@pytest.mark.parametrize(
    ("minutes", "fine"),
    [(-60, True), (-1, True), (1, True), (14, True), (16, False)],
)
@pytest.mark.parametrize("lost", [discarded, unscheduled])
def test_f50_what_goes_with_a_function_that_is_deleted_is_nobodys_to_tell(
    lost: Any, minutes: int, *, fine: bool
) -> None:
    def deleted(function: str) -> Story:
        story: Story = lost().tell(at(1), "FunctionCreated", function=OPEN)
        return story.tell(at(22.6, 60 * minutes), "FunctionDeleted", function=function)

    assert is_told(deleted(OPEN)) is fine
    assert not is_told(deleted(CLOSE))


def test_f50_a_function_that_was_made_again_gives_up_to_somewhere() -> None:
    story = discarded().tell(at(20), "FunctionDeleted", function=OPEN).tell(at(21), "FunctionCreated", function=OPEN)
    assert not is_told(story)


# Whom it excuses


def forgotten(story: Story, **changes: Any) -> bool:
    return "forgotten" in story.broken(**GATED | changes)


def died_and_given_up(hours: float = 26.3, **facts: Any) -> Story:
    """i-2 was let in, the close that should have named it was given up at that hour, and another one names nobody."""
    story = good_evening().launch("i-2").back_up("i-2").closer(status="Error").closer(26.4)
    request = f"{CLOSE} {at(26.2, -10).isoformat()}"
    return story.tell(at(hours), "FunctionDiscarded", function=CLOSE, request_id=request, **facts)


def test_f31_a_close_that_was_given_up_and_went_nowhere_excuses_nobody() -> None:
    assert not forgotten(died_and_given_up(destination="queue"))
    assert not forgotten(died_and_given_up(26.6, destination="queue"))
    assert forgotten(died_and_given_up(destination=""))
    assert forgotten(died_and_given_up(26.6, destination=""))
    assert forgotten(died_and_given_up(destination="queue", problem="AccessDenied"))
    assert not forgotten(died_and_given_up(destination=""), has_gate=False), "nobody knows what others have"


def test_f31_a_close_that_went_nowhere_does_not_take_anothers_excuse() -> None:
    """Beside it another one failed and was never tried again: that one may still tell."""
    other = died_and_given_up(destination="").closer(26.25, status="Error")
    assert not forgotten(other)


def test_f29_a_gate_that_was_given_up_and_went_nowhere_names_nobody() -> None:
    def lost(**facts: Any) -> Story:
        return Story().launch().closer().tell(at(22.9), "FunctionDiscarded", function=OPEN, request_id="r", **facts)

    assert not forgotten(lost(destination="queue"))
    assert forgotten(lost())
    assert forgotten(lost(destination="queue", problem="AccessDenied"))
    assert not forgotten(lost(), has_gate=False)


# What is named in a return value alone, which nobody gets


def returned(function: str, hours: float, said: dict[str, Any], log: dict[str, Any]) -> Story:
    known = {"function": function, "request_id": "returned"}
    payload = {"scheduled_time": at(hours).isoformat(), "mode": "close"}
    story = good_evening().launch("i-2").back_up("i-2").tell(at(hours), "FunctionInvoked", payload=payload, **known)
    lines = ["START", json.dumps({"problems": []} | log)]
    return story.tell(at(hours, 9), "FunctionEnded", status="Success", error="", log=lines, result=said, **known)


def test_f57_a_close_that_only_returns_whom_it_did_not_reach_names_nobody() -> None:
    unreached = {"unreached": ["i-2"]}
    assert forgotten(returned(CLOSE, 26.2, unreached, {}))
    assert not forgotten(returned(CLOSE, 26.2, unreached, unreached))
    assert not forgotten(returned(CLOSE, 26.2, {}, unreached))
    assert forgotten(returned(CLOSE, 26.2, unreached, {"unreached": ["i-1"]})), "of each by itself"
    assert not forgotten(returned(CLOSE, 26.2, unreached, {}), has_gate=False), "others may be asked in other ways"


def test_a_gate_that_only_returns_whom_it_leaves_out_names_nobody() -> None:
    left_out = {"decision": "open", "left_out": [["i-2", "denied", "backup-failed", ""]]}
    assert forgotten(returned(OPEN, 22.5, left_out, {"decision": "open"}).closer())
    assert not forgotten(returned(OPEN, 22.5, left_out, left_out).closer())
