"""Windows of other people's templates: each occurrence has until its next gate, or a day, to be closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from patchgate.judge.left_open import closing_deadline

from .histories import EVENING, LANE, NAME, TAGS, WINDOW, Story, at

HOUR = timedelta(hours=1)
DAILY = tuple((at(23 + 24 * day), at(26 + 24 * day)) for day in range(3))
OTHERS: dict[str, Any] = {
    "has_gate": False,
    "vault": "",
    "tags": TAGS,
    "occurrences": DAILY,
    "maximum_lead": HOUR / 2,
    "end": at(98),
}
"""A lane of others: every night from 23:00 to 02:00, its gate is due at 22:30."""


def window(*changes: tuple[float, bool]) -> Story:
    """A lane without machines whose window was enabled and disabled at those hours."""
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=False)
    for hours, enabled in changes:
        story.window(at(hours), enabled=enabled)
    return story


def nights(*closes: float) -> Story:
    """Opened at 22:30 each night and closed at those hours."""
    opens = [(22.5 + 24 * day, True) for day in range(3)]
    return window(*opens, *((hours, False) for hours in closes))


def test_a_window_that_is_closed_after_every_end_is_fine() -> None:
    assert nights(26.2, 50.2, 74.2).broken(**OTHERS) == []


def test_f31_a_lost_close_that_the_next_nights_makes_good_is_still_a_violation() -> None:
    story = nights(50.2, 74.2)
    (violation,) = story.judged(**OTHERS).violations
    assert violation.promise == "window"
    assert violation.at == at(46.5)
    assert f"still enabled 20.5 hours after its end at {at(26).isoformat()}" in violation.what


def test_a_close_that_is_late_and_comes_before_the_next_gate_is_in_time() -> None:
    assert nights(46.4, 50.2, 74.2).broken(**OTHERS) == []
    assert nights(46.5, 50.2, 74.2).broken(**OTHERS) == ["window"]


def test_where_no_gate_is_known_the_window_has_until_it_starts_again() -> None:
    assert nights(46.9, 50.2, 74.2).broken(**OTHERS | {"maximum_lead": None}) == []
    assert nights(47, 50.2, 74.2).broken(**OTHERS | {"maximum_lead": None}) == ["window"]


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        (HOUR / 2, "20.5 hours after its end at {end}, when its next gate is due: nothing closed it"),
        (None, "21 hours after its end at {end}, when it starts again: nothing closed it"),
        (HOUR * 22, "21 hours after its end at {end}, when it starts again: nothing closed it"),
    ],
)
def test_a_gate_is_spoken_of_only_where_one_is_due(lead: timedelta | None, said: str) -> None:
    (violation,) = nights(50.2, 74.2).judged(**OTHERS | {"maximum_lead": lead}).violations
    assert violation.what.endswith(said.format(end=at(26).isoformat()))


def test_a_weekly_window_has_a_day() -> None:
    weekly = OTHERS | {"occurrences": (DAILY[0], (at(191), at(194))), "end": at(217)}
    assert window((22.5, True), (49.9, False)).broken(**weekly) == []
    (violation,) = window((22.5, True), (50.1, False)).judged(**weekly).violations
    assert violation.what.endswith(f"24 hours after its end at {at(26).isoformat()}: nothing closed it")


def test_whoever_disables_it_closes_it() -> None:
    story = window((22.5, True), (27, False), (27.1, True), (50.2, False), (70.5, True), (74.2, False))
    assert story.broken(**OTHERS) == []


def test_a_window_that_nobody_ever_closes_is_one_violation() -> None:
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True).window(at(60), enabled=True)
    (violation,) = story.judged(**OTHERS).violations
    assert (violation.promise, violation.at) == ("window", at(46.5))


def test_the_last_window_is_judged_when_its_deadline_is_over() -> None:
    (violation,) = nights(26.2, 50.2).judged(**OTHERS).violations
    assert (violation.promise, violation.at) == ("window", at(98))
    assert nights(26.2, 50.2).broken(**OTHERS | {"end": at(97.9)}) == []


def test_f23_a_window_that_is_enabled_by_hand_while_none_is_due_has_a_day() -> None:
    weekly = OTHERS | {"occurrences": (DAILY[0], (at(191), at(194))), "end": at(218)}
    shut = [(22.5, True), (26.2, False)]
    (violation,) = window(*shut, (40, True), (64.1, False)).judged(**weekly).violations
    assert violation.at == at(64)
    assert f"still enabled 24 hours after it was enabled at {at(40).isoformat()}" in violation.what
    assert window(*shut, (40, True), (63.9, False)).broken(**weekly) == []
    assert window(*shut, (167.5, True), (194.2, False)).broken(**weekly) == []  # for the next start
    assert window(*shut, (190.5, True), (194.2, False), (217, True)).broken(**weekly) == []


def test_a_gate_that_also_runs_when_no_window_is_due_is_fine() -> None:
    weekly = OTHERS | {"occurrences": (DAILY[0], (at(191), at(194))), "end": at(218)}
    story = window(*[(22.5 + 24 * day, True) for day in range(9)], *[(26.2 + 24 * day, False) for day in range(9)])
    assert story.broken(**weekly) == []


def test_a_window_that_is_deleted_is_closed() -> None:
    story = nights(50.2, 74.2).tell(at(30), "WindowDeleted", window=WINDOW, name=NAME)
    assert "window" not in story.broken(**OTHERS)


def test_f22_a_second_window_of_the_name_is_not_the_lanes() -> None:
    story = nights(26.2, 50.2, 74.2).tell(at(3), "WindowCreated", window="mw-2", name=NAME, enabled=True)
    assert story.broken(**OTHERS) == []
    assert story.broken(**OTHERS | {"window_id": ""}) == ["window"]


@pytest.mark.parametrize(
    ("lead", "following", "expected"),
    [
        (HOUR, at(47), at(46)),
        (HOUR, at(200), at(50)),
        (None, at(47), at(47)),
        (HOUR * 22, at(47), at(47)),  # that gate is due before the window has ended
        (HOUR, at(25), at(26)),  # windows overlap
    ],
)
def test_the_deadline_of_a_window_that_ends_at_two(
    lead: timedelta | None, following: datetime, expected: datetime
) -> None:
    assert closing_deadline(replace(LANE, maximum_lead=lead), EVENING + 26 * HOUR, following) == expected
