"""Windows and leases over time: closed by the first close that succeeds, and by nobody else's promise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .histories import AGENT, CLOSE, CYCLE, EVENING, GATED, LOG, NAME, OPEN, WINDOW, Story, at

DAY = timedelta(hours=24)
LANE_PATH = "/patchgate/ubuntu/prd"


def night() -> Story:
    """A lane without instances whose window is open from 23:00 to 02:00, and nobody has closed it yet."""
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True).window(at(2), enabled=False)
    return story.window(at(22.4), enabled=True).open()


def broken(story: Story, **changes: Any) -> list[str]:
    return story.broken(**GATED | changes)


def shut(story: Story, when: float = 26.2) -> Story:
    """What a close does, in the middle of a run around that time."""
    return story.close(at(when)).window(at(when, 1), enabled=False)


def test_a_close_that_closes() -> None:
    assert broken(shut(night()).closer()) == []


def test_f31_a_close_that_succeeds_and_leaves_window_and_lease_open() -> None:
    judgement = night().closer().judged(**GATED)
    assert [violation.promise for violation in judgement.violations] == ["window", "lease-closed"]
    assert judgement.windows_left_open == 1
    assert broken(night().window(at(26.2), enabled=False).closer()) == ["lease-closed"]
    assert broken(night().close(at(26.2)).closer()) == ["window"]


def test_f31_a_close_that_fails_leaves_it_to_the_next() -> None:
    failed = night().closer(status="Error")
    assert broken(failed) == []
    assert broken(shut(failed, 34).closer(34, mode="watchdog"), end=at(40)) == []
    assert broken(night().closer(status="Error").closer(34, mode="watchdog"), end=at(40)) == ["window", "lease-closed"]


def test_f31_a_close_that_fails_in_the_calm_excuses_nothing() -> None:
    end = EVENING + 3 * DAY
    assert broken(night().closer(status="Error"), calm_from=EVENING, end=end) == ["works", "lease-closed", "window"]
    assert broken(shut(night(), 26.1).closer(status="Error"), calm_from=EVENING, end=end) == ["works"]
    assert broken(shut(night().closer(status="Error"), 34).closer(34), calm_from=at(30), end=at(80)) == []
    retried = shut(night().closer(status="Error"), 34).closer(34)
    assert broken(retried, calm_from=EVENING, end=at(80)) == ["works"]


def test_a_watchdog_or_a_gate_that_fails_in_the_calm_is_a_broken_promise() -> None:
    story = shut(night()).closer().closer(36, mode="watchdog", status="Error")
    assert broken(story, end=at(80)) == []
    assert broken(story, calm_from=at(37), end=at(80)) == []
    assert broken(story, calm_from=EVENING, end=at(80)) == ["works"]
    gate = shut(night()).closer().run(OPEN, at(46.5), at(46.6), status="Error")
    assert broken(gate, calm_from=EVENING, end=at(50)) == ["works"]
    given_up = (
        shut(night()).closer().tell(at(46.9), "FunctionDiscarded", function=OPEN, request_id="r", destination="queue")
    )
    assert broken(given_up, calm_from=EVENING, end=at(50)) == ["works"]


def test_f31_a_close_that_never_comes_is_missed_after_a_day_of_calm() -> None:
    both = ["lease-closed", "window"]
    assert broken(night(), end=EVENING + 3 * DAY) == []
    assert broken(night(), calm_from=EVENING, end=at(26) + timedelta(hours=24)) == []
    assert broken(night(), calm_from=EVENING, end=at(26) + timedelta(hours=25)) == both
    assert broken(night().window(at(30), enabled=False), calm_from=EVENING, end=at(60)) == ["lease-closed"]
    assert broken(night().close(at(30)), calm_from=EVENING, end=at(60)) == ["window"]
    assert broken(night(), calm_from=at(40), end=at(26) + timedelta(hours=25)) == []


def test_a_window_that_is_left_enabled_is_one_violation_however_many_closes_pass_by() -> None:
    story = shut(night()).closer().window(at(30), enabled=True)
    story.closer(34, mode="watchdog").closer(58, mode="watchdog")
    assert story.judged(**GATED, end=at(60)).windows_left_open == 1
    story.window(at(60), enabled=False).window(at(61), enabled=True).closer(82, mode="watchdog")
    assert story.judged(**GATED, end=at(90)).windows_left_open == 2


def test_f24_who_enables_a_window_after_a_close_has_until_the_next_one() -> None:
    again = shut(night()).closer().window(at(30), enabled=True)
    assert broken(again, end=at(33)) == []
    assert broken(again.closer(34, mode="watchdog"), end=at(40)) == ["window"]


@pytest.mark.parametrize(("seconds", "fine"), [(-11, False), (-9, True), (9, True), (11, False)])
def test_f24_a_window_that_was_closed_at_any_point_of_the_run_was_closed(seconds: int, fine: bool) -> None:
    """The run is from -10 to 10 seconds; somebody enables the window at -20, it is closed for an instant."""
    story = shut(night(), 26).window(at(26.2, -20), enabled=True)
    story.window(at(26.2, seconds), enabled=False).window(at(26.2, seconds + 0.5), enabled=True).closer()
    assert broken(story) == ([] if fine else ["window"])


def test_a_lease_for_a_window_to_come_keeps_it_enabled() -> None:
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True).window(at(2), enabled=False)
    story.window(at(22.4), enabled=True).open().closer(22.6, mode="watchdog")
    assert broken(story, end=at(25)) == []
    expired = night().closer(26.2)  # the same lease, after its window
    assert "window" in broken(expired)


def test_a_window_without_a_lease_is_closed_by_any_watchdog() -> None:
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True)
    assert broken(story.closer(12, mode="watchdog"), end=at(20)) == ["window"]
    story = Story().tell(at(12), "WindowCreated", window=WINDOW, name=NAME, enabled=True)
    assert broken(story.closer(12, mode="watchdog"), end=at(20)) == []  # made while it ran


def test_a_close_of_an_earlier_night_that_comes_late_owes_this_lease_nothing() -> None:
    late = {"scheduled_time": at(2).isoformat(), "mode": "close"}
    story = night().window(at(26.2), enabled=False).run(CLOSE, at(26.2, -10), at(26.2, 10), closed=[], **late)
    assert broken(story) == []


def test_f22_a_second_window_of_the_name_is_not_the_lanes() -> None:
    story = shut(night()).tell(at(1), "ParameterPut", name=f"{LANE_PATH}/window-id", value=WINDOW, version=1)
    story.tell(at(2.5), "WindowCreated", window="mw-2", name=NAME, enabled=True)
    assert broken(story.closer(), window_id="") == []


def test_f24_a_window_that_is_replaced_is_judged_by_who_was_told() -> None:
    story = shut(night()).tell(at(1), "ParameterPut", name=f"{LANE_PATH}/window-id", value=WINDOW, version=1)
    story.tell(at(26.1), "WindowCreated", window="mw-2", name=NAME, enabled=True)
    story.tell(at(26.2), "ParameterPut", name=f"{LANE_PATH}/window-id", value="mw-2", version=2)
    assert broken(story.closer()) == []
    assert broken(story.closer(34, mode="watchdog"), end=at(40)) == ["window"]


def test_a_window_that_was_deleted_is_closed() -> None:
    story = night().close(at(26.1)).tell(at(26.1), "WindowDeleted", window=WINDOW, name=NAME)
    assert broken(story.closer()) == []
    assert broken(story, calm_from=EVENING, end=EVENING + 5 * DAY) == []


def test_a_lease_that_was_deleted_is_closed() -> None:
    story = night().window(at(26.2), enabled=False)
    story.tell(at(26.2), "ParameterDeleted", name=f"{LANE_PATH}/{CYCLE}/open")
    assert broken(story.closer()) == []


# Opened once, in time


def opened(began: float, written: float, *, ended: bool = True) -> list[str]:
    """A lease written so many seconds after the start by a gate that began so many seconds after it."""
    story = Story().open(at(23, written)).close()
    payload = {"scheduled_time": at(22.5).isoformat(), "mode": "open"}
    known = {"function": OPEN, "request_id": "r"}
    story.tell(at(23, began), "FunctionInvoked", payload=payload, **known)
    if ended:
        story.tell(at(23, written + 1), "FunctionEnded", status="Success", error="", log=LOG, result=None, **known)
    return broken(story)


def test_f27_a_gate_that_is_overtaken_by_the_start_is_not_a_gate_that_comes_after_it() -> None:
    assert opened(-5, -1) == []
    assert opened(-5, 3) == []
    assert opened(-5, 3, ended=False) == []
    assert opened(1, 3) == ["lease-once"]
    assert opened(1, 3, ended=False) == ["lease-once"]


# Commands


def commanded(not_after: object, *, document: str = "patchgate-patch-ubuntu-prd") -> list[str]:
    parameters = {"NotAfter": [not_after], "Operation": ["Install"]}
    facts = {"command": "c", "document": document, "instances": ["i-1"], "parameters": parameters}
    return broken(shut(night()).closer().tell(at(24.99), "CommandSent", principal="arn:role/prove", **facts))


def test_f55_no_command_may_start_after_admission_has_ended() -> None:
    until = int(at(25).timestamp())
    assert commanded(str(until)) == []
    assert commanded(str(until + 1)) == ["admission"]
    assert commanded(str(until + 1), document="AWS-RunPatchBaseline") == []
    assert commanded("") == []


@pytest.mark.parametrize(("late", "fine"), [(0, True), (10, True), (11, False)])
def test_f29_no_command_is_sent_when_its_proof_has_ended(late: int, fine: bool) -> None:
    """Whether or not a node refuses it, by a clock that may be slow."""
    sent = int(at(24.99).timestamp())
    assert commanded(str(sent - late)) == ([] if fine else ["admission"])


@pytest.mark.parametrize(("delivered", "fine"), [(-1, True), (0, False)])
def test_f55_an_install_begins_when_its_command_is_handed_over(delivered: int, fine: bool) -> None:
    story = shut(night()).closer().launch().back_up().evidence(when=at(25, -30)).install(when=at(25, 1))
    story.tell(at(25, delivered), "CommandDelivered", command="command-i-1", instance="i-1")
    assert broken(story) == ([] if fine else ["admission"])


@pytest.mark.parametrize(("skew", "fine"), [(0, False), (60, False), (-29, False), (-31, True)])
def test_a_node_whose_clock_is_slow_refuses_as_much_later(skew: int, fine: bool) -> None:
    agent = AGENT | {"clock_skew_seconds": skew}
    story = shut(night()).closer().launch(agent=agent).back_up().evidence(when=at(25, -30)).install(when=at(25, 40))
    story.tell(at(25, 30), "CommandDelivered", command="command-i-1", instance="i-1")
    assert broken(story) == ([] if fine else ["admission"])


@pytest.mark.parametrize(("seconds", "fine"), [(-61, False), (-60, True)])
def test_no_install_begins_before_its_window(seconds: int, fine: bool) -> None:
    story = shut(night()).closer().launch().back_up().evidence(when=at(22.9)).install(when=at(23, seconds))
    assert broken(story) == ([] if fine else ["admission"])


def test_f31_a_window_that_nobody_closes_for_a_day_is_left_open_whatever_comes_later() -> None:
    later = shut(night(), 60).closer(60)
    assert broken(later, calm_from=EVENING, end=at(80)) == ["window"]
    assert broken(later, end=at(80)) == []
    disabled = shut(night().window(at(40), enabled=False), 60).closer(60)
    assert broken(disabled, calm_from=EVENING, end=at(80)) == []
