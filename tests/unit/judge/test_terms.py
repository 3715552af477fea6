"""What a lease says, what comes before it, what a close leaves, and which cycles it calls missed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from .histories import CLOSE, CYCLE, EVENING, GATED, LOG, NAME, OPEN, WINDOW, Story, at

DAY = timedelta(hours=24)
PATH = "/patchgate/ubuntu/prd"
HELD = f"{PATH}/{CYCLE}/hold"


def broken(story: Story, **changes: Any) -> list[str]:
    return story.broken(**GATED | changes)


def lane(**facts: Any) -> Story:
    """A lane without instances whose window is enabled at 22:24, and closed at 02:12. ``facts`` are the window's."""
    story = Story(writes_verdicts=facts.pop("writes_verdicts", True))
    story.tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True, **facts).window(at(2), enabled=False)
    return story.window(at(22.4), enabled=True).close().window(at(26.2, 1), enabled=False).closer()


# The terms of a lease: the window is from 23:00 to 02:00, admission until 01:00

THREE_HOURS = {"duration": 3, "cutoff": 1}
LANES_OWN = {"duration": timedelta(hours=3), "cutoff": timedelta(hours=1)}


@pytest.mark.parametrize(
    ("terms", "fine"),
    [
        ({}, True),
        ({"admit_until": at(25, -1).isoformat()}, False),
        ({"admit_until": at(23).isoformat()}, False),
        ({"window_end": at(26, -1).isoformat()}, False),
        ({"admit_until": at(25, 1).isoformat()}, False),
        ({"admit_until": at(26).isoformat()}, False),
        ({"window_end": at(26, 1).isoformat()}, False),
    ],
)
def test_f56_a_lease_admits_until_its_windows_cutoff(terms: dict[str, Any], *, fine: bool) -> None:
    assert broken(lane(**THREE_HOURS).open(**terms)) == ([] if fine else ["lease-terms"])


@pytest.mark.parametrize(("duration", "cutoff", "fine"), [(3, 1, True), (3, 0, False), (3, 2, False), (24, 1, False)])
def test_f56_what_is_deployed_is_what_the_lane_says(duration: int, cutoff: int, *, fine: bool) -> None:
    end = at(23 + duration)
    terms: dict[str, Any] = {"window_end": end.isoformat(), "admit_until": (end - timedelta(hours=cutoff)).isoformat()}

    def lane_of(**known: Any) -> list[str]:
        return [one for one in broken(story, **known) if one == "lease-terms"]

    story = lane(duration=duration, cutoff=cutoff).open(**terms)
    assert lane_of() == []  # nothing is known but what is deployed
    assert lane_of(**LANES_OWN) == ([] if fine else ["lease-terms"])
    changed = {"window": WINDOW, "name": NAME, "enabled": False, "principal": ""}
    story.tell(at(3), "WindowUpdated", duration=6, cutoff=1, **changed)
    story.tell(at(4), "WindowUpdated", duration=duration, cutoff=cutoff, **changed)
    assert lane_of(**LANES_OWN) == []  # somebody changed it since


@pytest.mark.parametrize(("cycle", "fine"), [("20260704T200000Z", True), ("20260704T195959Z", False)])
def test_a_gate_opens_no_window_beyond_its_lead(cycle: str, *, fine: bool) -> None:
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=False)
    story.open(at(20), cycle=cycle).close(cycle=cycle).closer()
    assert broken(story) == ([] if fine else ["lease-terms"])
    assert broken(story, maximum_lead=None) == []


def test_f12_a_lease_is_for_a_window_that_begins_then() -> None:
    early: dict[str, Any] = {
        "window_start": at(22.75).isoformat(),
        "admit_until": at(24).isoformat(),
        "window_end": at(25).isoformat(),
    }
    assert broken(lane().open(**early)) == ["lease-terms"]
    assert broken(lane().open(**early), occurrences=((at(22.75), at(25.75)),)) == []
    assert broken(lane().open(**early), occurrences=((at(20), at(21)),)) == []  # later than those that are known


def test_f56_a_window_whose_terms_a_history_does_not_say_is_not_judged() -> None:
    assert broken(lane().open(admit_until=at(26).isoformat())) == []
    assert broken(lane(duration="3", cutoff="1").open(admit_until=at(26).isoformat())) == []
    assert broken(lane(**THREE_HOURS).open(window_id="mw-9", admit_until=at(26).isoformat())) == []


def shortened(when: datetime) -> list[str]:
    story = lane(**THREE_HOURS).open(at(22.5))
    facts = {"window": WINDOW, "name": NAME, "enabled": True, "duration": 2, "cutoff": 1}
    return broken(story.tell(when, "WindowUpdated", **facts))


def test_f24_terms_that_changed_while_the_gate_looked_may_be_either() -> None:
    assert shortened(at(22)) == ["lease-terms"]
    assert shortened(at(22.45)) == []
    assert shortened(at(22.6)) == []


def named(*ids: tuple[float, str]) -> list[str]:
    story = lane().tell(at(1), "ParameterPut", name=f"{PATH}/window-id", value=WINDOW, version=1).open()
    for hours, window in ids:
        story.tell(at(hours), "ParameterPut", name=f"{PATH}/window-id", value=window, version=2)
    return broken(story)


def test_f22_a_lease_is_for_the_lanes_own_window() -> None:
    assert named() == []
    assert named((21, "mw-2")) == ["lease-terms"]
    assert named((22.45, "mw-2")) == []  # replaced while the gate looked
    assert named((23, "mw-2")) == []


# Evidence of verdicts


def test_f44_a_lease_comes_after_the_evidence_of_its_verdict() -> None:
    def leased(when: datetime | None, **said: Any) -> list[str]:
        story = lane(writes_verdicts=False).open(at(22.5))
        return broken(story.verdict(when=when, **said) if when else story)

    assert leased(None) == ["evidence"]
    assert leased(at(22.5, -1)) == []
    assert leased(at(22.5, 1)) == ["evidence"]
    assert leased(at(22.5, -1), decision="hold") == ["evidence"]


def test_f44_a_hold_comes_after_the_evidence_of_its_verdict() -> None:
    def held(*, written: bool) -> list[str]:
        story = lane(writes_verdicts=written)
        return broken(story.tell(at(22.5), "ParameterPut", name=HELD, value="{}", version=1))

    assert held(written=True) == []
    assert held(written=False) == ["evidence"]


# A lease that is there is obeyed


def decided(written: datetime, *attempts: tuple[float, float], name: str = "open", **facts: Any) -> list[str]:
    """A verdict that is written while a lease is there since 22:30:05, by attempts at a gate: seconds from and to."""
    story = lane().verdict(when=at(22.5, 4)).open(at(22.5, 5))
    story.verdict(when=written, decision=name)
    for begin, end in attempts:
        known = {"function": OPEN, "request_id": facts.get("request", f"from {begin}")}
        story.tell(at(22.5, begin), "FunctionInvoked", payload={"scheduled_time": at(22.5).isoformat()}, **known)
        if end:
            story.tell(at(22.5, end), "FunctionEnded", status="Success", error="", log=LOG, result=None, **known)
    return broken(story, **{key: value for key, value in facts.items() if key != "request"})


@pytest.mark.parametrize("name", ["open", "hold"])
def test_f28_a_duplicate_that_finds_a_lease_decides_nothing(name: str) -> None:
    assert decided(at(22.5, 32), (0, 10), (30, 40), name=name) == ["lease-once"]
    assert decided(at(22.5, 8), (0, 10), (2, 9), name=name) == []  # it had looked before the lease was there
    assert decided(at(22.5, 32), (0, 10), (30, 40), name=name, verdict_role="gate-other") == ["evidence-forged"] * 2


def test_f28_an_attempt_that_never_ends_may_be_the_one_that_writes() -> None:
    assert decided(at(22.5, 32), (0, 0), (30, 40)) == []
    assert decided(at(22.5, 32), (0, 4.5), (30, 40)) == ["lease-once"]
    assert decided(at(22.5, 32), (0, 10), (30, 40), request="one") == []  # who wrote cannot be told
    assert decided(at(22.5, 32), (0, 10)) == []  # nobody of the gate's was on its way


def test_f28_a_lease_that_was_deleted_may_be_decided_again() -> None:
    story = lane().verdict(when=at(22.5, 4)).open(at(22.5, 5))
    story.run(OPEN, at(22.7), at(22.7, 10), decision="open", scheduled_time=at(22.5).isoformat())
    story.verdict(when=at(22.7, 5))
    assert broken(story) == ["lease-once"]
    assert broken(story.tell(at(22.6), "ParameterDeleted", name=f"{PATH}/{CYCLE}/open")) == []


# A window that is closed before its end


def closed_early(*cycles: str, **story: Any) -> list[str]:
    """A close from 23:09:50 to 23:10:10, which says that it closed these cycles. The window stays enabled to 02:12."""
    due = {"scheduled_time": at(23 + 1 / 6, -10).isoformat(), "mode": "close"}
    told = lane().open().close(at(23 + 1 / 6))
    told.run(CLOSE, at(23 + 1 / 6, -10), at(23 + 1 / 6, 10), closed=list(cycles), **due)
    if story.get("disabled"):
        told.window(at(23 + 1 / 6, 5), enabled=False)
    if story.get("another"):
        told.open(at(22.6), cycle="20260704T223600Z").close(at(26.2), "20260704T223600Z")
    return broken(told)


def test_f26_a_close_that_ends_a_lease_disables_its_window() -> None:
    assert closed_early(CYCLE) == ["window"]
    assert closed_early(CYCLE, disabled=True) == []


def test_f26_a_lease_that_somebody_else_closed_or_that_stays_open_keeps_the_window() -> None:
    assert closed_early() == []  # another run closed it, and disables the window itself
    assert closed_early(CYCLE, another=True) == []


# Cycles that are called missed


def judged(decision: str = "hold", **said: Any) -> Story:
    """A gate from 22:30:00 to 22:30:10."""
    due = {"scheduled_time": at(22.5).isoformat(), "mode": "open"}
    return Story().run(OPEN, at(22.5), at(22.5, 10), decision=decision, **due | said)


def missed(
    story: Story, hours: float = 26.2, *, mode: str = "close", status: str = "Success", **changes: Any
) -> list[str]:
    """A run of the close function at that hour that says that no gate judged a cycle."""
    story.closer(hours, mode=mode, status=status, CyclesWithoutVerdict=1)
    return broken(story, **{"end": EVENING + 3 * DAY} | changes)


@pytest.mark.parametrize("decision", ["hold", "open"])
def test_a_cycle_that_a_gate_judged_is_not_missed(decision: str) -> None:
    assert missed(judged(decision)) == ["reason"]
    assert missed(Story()) == []
    assert missed(judged(decision), maximum_lead=None) == []
    assert missed(judged(decision), status="Error") == []
    assert "hold" in judged().closer(CyclesWithoutVerdict=1).judged(**GATED).violations[0].what


@pytest.mark.parametrize(
    ("due", "told"),
    [(at(19.9), True), (at(20), False), (at(23), False), (at(23, 1), True)],
)
def test_a_gate_judges_the_window_that_begins_within_its_lead(due: datetime, *, told: bool) -> None:
    assert missed(judged(scheduled_time=due.isoformat())) == ([] if told else ["reason"])


def test_a_gate_that_had_not_judged_when_the_close_looked() -> None:
    assert missed(Story().run(OPEN, at(22.5), at(22.5, 10), status="Error", scheduled_time=at(22.5).isoformat())) == []
    assert missed(judged(status="Error")) == []
    assert missed(judged("")) == []
    assert missed(judged(repeated=True)) == []
    late = {"scheduled_time": at(22.5).isoformat(), "decision": "hold"}
    assert missed(Story().run(OPEN, at(26.2, -5), at(26.2, 5), **late)) == []


def test_a_close_belongs_to_its_window_for_half_a_day() -> None:
    assert missed(judged(), 38) == ["reason"]
    assert missed(judged(), 38.1) == []
    assert missed(judged(), 22.9) == []  # before the window


@pytest.mark.parametrize("leaf", ["hold", "open"])
def test_a_verdict_that_somebody_deleted_is_not_remembered(leaf: str) -> None:
    def forgotten(when: datetime, cycle: str = CYCLE) -> list[str]:
        return missed(judged().tell(when, "ParameterDeleted", name=f"{PATH}/{cycle}/{leaf}"))

    assert forgotten(at(25)) == []
    assert forgotten(at(25), "20260703T223000Z") == ["reason"]
    assert forgotten(at(27)) == ["reason"]
    assert forgotten(at(26.2)) == ["reason"], "the close deleted it itself"


@pytest.mark.parametrize(
    ("began", "ended", "own"),
    [(-10, 10, True), (-10, -5, False), (5, 10, False), (-900, None, True), (-901, None, False), (5, None, False)],
)
def test_a_verdict_that_a_close_deleted_is_its_own_to_remember(began: int, ended: int | None, *, own: bool) -> None:
    """One that was on its way from and to so many seconds after the deletion, or never ended."""
    story = judged().tell(at(25), "ParameterDeleted", name=f"{PATH}/{CYCLE}/hold")
    payload = {"scheduled_time": at(25).isoformat(), "mode": "close"}
    if ended is not None:
        story.run(CLOSE, at(25, began), at(25, ended), **payload)
    else:
        story.tell(at(25, began), "FunctionInvoked", function=CLOSE, request_id="other", payload=payload)
    assert missed(story) == (["reason"] if own else [])


@pytest.mark.parametrize(("days", "forgets"), [(13, False), (15, True)])
def test_what_is_long_over_a_watchdog_forgets(days: int, *, forgets: bool) -> None:
    story = judged().tell(at(12), "ParameterPut", name=f"{PATH}/due", value=at(23).isoformat(), version=1)
    story.tell(at(24 * days), "ParameterDeleted", name=f"{PATH}/{CYCLE}/hold")
    found = missed(story, 24.0 * days, mode="watchdog", end=EVENING + (days + 1) * DAY)
    assert found == ([] if forgets else ["reason"])


def waited(*starts: tuple[float, str]) -> list[str]:
    """What is wrong with a watchdog at 12:00 of the next day that waited for windows, as somebody wrote them."""
    story = judged()
    for hours, text in starts:
        story.tell(at(hours), "ParameterPut", name=f"{PATH}/due", value=text, version=1)
    return missed(story, 36, mode="watchdog")


def test_a_watchdog_is_held_to_the_window_that_it_waited_for() -> None:
    start = at(23).isoformat()
    assert waited((12, start)) == ["reason"]
    assert waited() == []
    assert waited((12, at(27).isoformat())) == []  # a gate may have missed that one
    assert waited((12, at(47).isoformat())) == []  # which is yet to come
    assert waited((12, "soon")) == []
    assert waited((12, start), (36, at(47).isoformat())) == ["reason"]  # it then wrote down the next one
    assert waited((12, start), (35, at(27).isoformat())) == []
    assert waited((12, start), (36, at(27).isoformat())) == []  # it may have waited for either


def test_a_watchdog_may_find_a_window_that_begins_while_it_looks() -> None:
    story = Story().run(OPEN, at(35), at(35, 10), decision="hold", scheduled_time=at(35).isoformat())
    story.tell(at(12), "ParameterPut", name=f"{PATH}/due", value=at(36).isoformat(), version=1)
    assert missed(story, 36, mode="watchdog") == ["reason"]


def test_a_watchdog_that_waits_for_nothing_is_not_judged() -> None:
    story = judged().tell(at(12), "ParameterPut", name=f"{PATH}/due", value=at(23).isoformat(), version=1)
    assert missed(story.tell(at(13), "ParameterDeleted", name=f"{PATH}/due"), 36, mode="watchdog") == []
