"""A watchdog says that no close ended well where none did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .histories import CLOSE, EVENING, GATED, NAME, WINDOW, Story, at

BLAME = f"no close ended well; the watchdog closed window {WINDOW} and its lease"
NEXT = "20260705T223000Z"
TERMS: dict[str, Any] = {
    "window_start": at(47).isoformat(),
    "window_end": at(50).isoformat(),
    "admit_until": at(49).isoformat(),
}


def night() -> Story:
    """A lane without instances whose window was open from 23:00 to 02:00, and disabled at 02:12."""
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True).window(at(2), enabled=False)
    return story.window(at(22.4), enabled=True).open().window(at(26.2, 1), enabled=False)


def closed() -> Story:
    """A night whose close ended well."""
    return night().close(at(26.2)).closer()


def blamed(story: Story, hours: float = 34, *, status: str = "Success", **changes: Any) -> list[str]:
    """What is wrong with a watchdog of that hour that blames the closes."""
    story.closer(hours, mode="watchdog", status=status, problems=[BLAME])
    return story.broken(**GATED | {"end": at(40)} | changes)


def test_a_close_that_ended_well_is_not_to_blame() -> None:
    assert blamed(closed()) == ["reason"]
    story = closed().closer(34, mode="watchdog", problems=[BLAME])
    (violation,) = story.judged(**GATED, end=at(40)).violations
    close = next(record["seq"] for record in story.records() if record["event"] == "FunctionEnded")
    assert close in violation.witness


def test_who_says_something_else_blames_nobody() -> None:
    said = closed().closer(34, mode="watchdog", problems=["schedule open is DISABLED", f"one says: {BLAME}"])
    assert said.broken(**GATED, end=at(40)) == []
    assert blamed(closed(), status="Error") == [], "nobody was told of it"


def test_a_watchdog_that_has_to_close_a_lease_blames_rightly() -> None:
    assert blamed(night().close(at(34))) == []
    assert blamed(night().close(at(26.2)).closer(status="Error")) == [], "which may not have told"
    assert blamed(night().close(at(26.2))) == [], "somebody else closed it"


def test_where_nothing_was_ever_open_nobody_is_to_blame() -> None:
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=False)
    assert blamed(story, occurrences=()) == ["reason"]
    assert blamed(Story(), occurrences=()) == [], "of whose window no history tells"


def test_f24_who_enables_a_window_meanwhile_gives_it_a_reason() -> None:
    def enabled(begin: Any, end: Any) -> list[str]:
        return blamed(closed().window(begin, enabled=True).window(end, enabled=False))

    assert enabled(at(30), at(34)) == []
    assert enabled(at(34, -5), at(34, 5)) == []
    assert enabled(at(30), at(31)) == ["reason"]
    assert enabled(at(34, 20), at(34, 30)) == ["reason"]


def test_f24_any_of_its_windows_may_be_the_one() -> None:
    path = "/patchgate/ubuntu/prd/window-id"
    story = closed().tell(at(0.6), "ParameterPut", name=path, value=WINDOW, version=1)
    story.tell(at(30), "WindowCreated", window="mw-2", name=NAME, enabled=True)
    story.tell(at(30), "ParameterPut", name=path, value="mw-2", version=2)
    assert "reason" not in blamed(story.window(at(34), enabled=False))
    story = closed().tell(at(0.6), "ParameterPut", name=path, value=WINDOW, version=1)
    story.tell(at(30), "WindowCreated", window="mw-2", name=NAME, enabled=False)
    story.tell(at(30), "ParameterPut", name=path, value="mw-2", version=2)
    assert "reason" not in blamed(story.window(at(31), enabled=True).window(at(34), enabled=False))


@pytest.mark.parametrize(
    ("hours", "due", "mode", "well"),
    [
        (26.2, 23.0, "close", True),
        (26.2, 22.99, "close", False),
        (22.8, 26.2, "close", True),
        (22.4, 26.2, "close", False),
        (26.2, 22.0, "watchdog", True),
        (25.9, 22.0, "watchdog", False),
    ],
)
def test_a_lease_is_ended_by_a_close_that_was_due_for_it(hours: float, due: float, mode: str, *, well: bool) -> None:
    """A close those whose window began before it was due, a watchdog those whose window had ended when it came."""
    given = {"scheduled_time": at(due).isoformat(), "mode": mode}
    story = night().close(at(26.3)).run(CLOSE, at(hours), at(hours, 10), **given)
    assert ("reason" in blamed(story)) is well


def test_every_lease_that_is_closed_was_closed_well() -> None:
    again: dict[str, Any] = {"window_start": at(23).isoformat()}
    two = closed().open(at(22.6), cycle="20260704T223500Z", **again)
    assert blamed(two.close(at(26.2), cycle="20260704T223500Z")) == ["reason"]
    late = closed().open(at(30), cycle=NEXT, **TERMS).close(at(31), cycle=NEXT)
    assert blamed(late) == []


def test_leases_that_are_open_or_gone_or_to_come_are_nobodys_to_close() -> None:
    assert blamed(closed().open(at(30), cycle=NEXT, **TERMS)) == ["reason"]
    name = f"/patchgate/ubuntu/prd/{NEXT}/open"
    gone = closed().open(at(30), cycle=NEXT, **TERMS).close(at(31), cycle=NEXT)
    assert blamed(gone.tell(at(32), "ParameterDeleted", name=name)) == ["reason"]
    to_come = closed().open(at(36), cycle=NEXT, **TERMS).close(at(37), cycle=NEXT)
    assert blamed(to_come) == ["reason"]


def beside(story: Story, began: float, ended: float | None, status: str = "Success") -> Story:
    """Another close, from and to so many seconds after 02:12; the one that ended well is from -10 to 10."""
    given = {"scheduled_time": at(26.2).isoformat(), "mode": "close"}
    if ended is not None:
        return story.run(CLOSE, at(26.2, began), at(26.2, ended), status=status, **given)
    return story.tell(at(26.2, began), "FunctionInvoked", function=CLOSE, request_id="other", payload=given)


@pytest.mark.parametrize(
    ("began", "ended", "status", "false"),
    [
        (-20, 5, "Success", True),
        (-20, 5, "Error", False),
        (5, 20, "Error", False),
        (-5, 5, "Error", False),
        (-20, -15, "Error", True),
        (15, 20, "Error", True),
        (5, 28100, "Success", False),
        (-20, None, "", False),
        (5, None, "", False),
        (15, None, "", True),
    ],
)
def test_a_close_beside_it_that_did_not_end_well_may_have_undone_it(
    began: float, ended: float | None, status: str, *, false: bool
) -> None:
    assert blamed(beside(closed(), began, ended, status)) == (["reason"] if false else [])


def test_a_close_that_ended_well_ended_before_the_watchdog_began() -> None:
    under_way = {"scheduled_time": at(26.2).isoformat(), "mode": "close"}
    story = night().close(at(26.2))
    assert blamed(story.run(CLOSE, at(34, -30), at(34, -5), **under_way)) == []


# With nothing going wrong any more


def calm(story: Story, hours: float = 58, *, calm_from: Any = EVENING, status: str = "Success") -> list[str]:
    """The same of a watchdog that finds a lease that somebody closed, in whatever is calm from then on."""
    story.open(at(46.5), cycle=NEXT, **TERMS).close(at(50.2), cycle=NEXT)
    story.closer(hours, mode="watchdog", status=status, problems=[BLAME])
    found = story.broken(**GATED, calm_from=calm_from, end=EVENING + timedelta(hours=60))
    return [promise for promise in found if promise in ("works", "reason")]


def test_in_the_calm_the_second_watchdog_finds_no_close_to_blame() -> None:
    assert calm(closed().closer(34, mode="watchdog")) == ["works"]
    assert calm(closed()) == [], "the first one puts in order what went wrong before"
    assert calm(closed().closer(34, mode="watchdog"), calm_from=None) == []
    quiet = closed().closer(34, mode="watchdog").closer(58, mode="watchdog", problems=["schedule open is DISABLED"])
    assert "works" not in quiet.broken(**GATED, calm_from=EVENING, end=at(60))


def test_in_the_calm_whoever_puts_things_in_order_is_a_calm_watchdog_that_succeeds() -> None:
    assert calm(closed().closer(34)) == [], "a close does not put all in order"
    assert calm(closed().closer(34, mode="watchdog", status="Error"), calm_from=at(33)) == ["works"], "its failure"
    assert calm(closed().closer(34, mode="watchdog"), calm_from=at(34)) == []
    assert calm(closed().closer(34, mode="watchdog"), calm_from=at(34, -11)) == ["works"]


def test_in_the_calm_a_watchdog_beside_the_first_one_may_find_what_went_wrong_before() -> None:
    def overlapping(began: float) -> list[str]:
        first = {"scheduled_time": at(58).isoformat(), "mode": "watchdog"}
        return calm(closed().run(CLOSE, at(58, began), at(58, began + 10), **first))

    assert overlapping(-19) == []
    assert overlapping(-21) == ["reason", "works"]
    other = {"scheduled_time": at(58).isoformat(), "mode": "watchdog"}
    second = closed().closer(34, mode="watchdog").run(CLOSE, at(58, -19), at(58, -9), **other)
    assert calm(second) == ["works"], "the first one of all had put it in order"


@pytest.mark.parametrize(
    ("came", "mode", "found"), [(51, "close", []), (51, "watchdog", ["works"]), (63, "close", ["works"])]
)
def test_in_the_calm_a_watchdog_may_come_before_the_close(came: float, mode: str, found: list[str]) -> None:
    story = closed().closer(34, mode="watchdog")
    story.open(at(46.5), cycle=NEXT, **TERMS).close(at(50.1), cycle=NEXT)
    story.closer(50.1, mode="watchdog", problems=[BLAME])
    story.closer(came, mode=mode)
    facts = GATED | {"calm_from": EVENING, "end": EVENING + timedelta(hours=64)}
    broken_ones = story.broken(**facts | {"occurrences": ((at(23), at(26)), (at(47), at(50)))})
    assert [promise for promise in broken_ones if promise in ("works", "reason")] == found
