"""F53: change calendars. What they held is in the history, and freezes, reasons and verdicts are held against it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from patchgate.judge.freezes import Calendar

from .histories import ACCOUNT, CYCLE, GATED, OPEN, REGION, Story, around, at, good_evening

NAME = "quarter-end"
OTHER = "holidays"
FROZEN = {"calendars": (NAME,)}
NIGHTS: dict[str, Any] = GATED | {"occurrences": tuple((at(23 + 24 * day), at(26 + 24 * day)) for day in range(2))}
HOUR = timedelta(hours=1)


def calendar(
    story: Story,
    *closed: tuple[datetime, datetime],
    when: datetime | None = None,
    name: str = NAME,
    default: str = "OPEN",
) -> Story:
    """A change calendar that is closed in those spans; one that is closed by default is open in them."""
    exceptions = [[begin.isoformat(), end.isoformat()] for begin, end in closed]
    return story.tell(when or at(1), "CalendarChanged", calendar=name, default=default, exceptions=exceptions)


# What a calendar says

SPANS = ((at(1), at(2)), (at(2), at(3)), (at(5), at(6)))


@pytest.mark.parametrize(
    ("low", "high", "at_all", "throughout"),
    [
        (0, 0.9, False, False),
        (0, 1, True, False),
        (1, 1, True, True),
        (1.5, 2.5, True, True),
        (1, 3, True, False),
        (3, 4, False, False),
        (2.9, 5.1, True, False),
    ],
)
def test_a_calendar_is_closed_from_the_begin_of_an_event_to_before_its_end(
    low: float, high: float, *, at_all: bool, throughout: bool
) -> None:
    assert Calendar(closed_by_default=False, exceptions=SPANS).closed_in(at(low), at(high)) is at_all
    assert Calendar(closed_by_default=False, exceptions=SPANS).closed_throughout(at(low), at(high)) is throughout
    assert Calendar(closed_by_default=True, exceptions=SPANS).closed_throughout(at(low), at(high)) is not at_all
    assert Calendar(closed_by_default=True, exceptions=SPANS).closed_in(at(low), at(high)) is not throughout


# Installs: the proof of `good_evening` is read from 22:59 to the install at 23:01


def installed(story: Story, **changes: Any) -> list[str]:
    return story.broken(**FROZEN | changes)


def test_an_install_while_a_calendar_is_closed() -> None:
    assert installed(calendar(good_evening())) == []
    assert installed(calendar(good_evening(), (at(22), at(24)))) == ["freeze"]
    assert installed(calendar(good_evening(), default="CLOSED")) == ["freeze"]
    assert installed(calendar(good_evening(), (at(22), at(24)), default="CLOSED")) == []


def test_a_calendar_that_was_open_while_the_proof_may_have_been_read() -> None:
    begins, ends = at(23, -60), at(23, 60)
    assert installed(calendar(good_evening(), (begins - timedelta(seconds=1), ends + timedelta(seconds=1)))) == [
        "freeze"
    ]
    assert installed(calendar(good_evening(), (begins, ends + timedelta(seconds=1)))) == []
    assert installed(calendar(good_evening(), (at(22), ends))) == []
    later = calendar(calendar(good_evening()), (at(22), at(24)), when=at(23, 10))
    assert installed(later) == []
    lifted = calendar(calendar(good_evening(), (at(22), at(24))), when=at(23, 10))
    assert installed(lifted) == []


def test_one_calendar_that_is_closed_closes_all() -> None:
    both = {"calendars": (OTHER, NAME)}
    story = calendar(calendar(good_evening()), (at(22), at(24)), name=OTHER)
    assert installed(story, **both) == ["freeze"]
    assert OTHER in story.judged(**both).violations[0].what
    assert installed(story) == []  # the other is not the lane's


def test_a_calendar_of_which_the_history_says_nothing_is_not_judged() -> None:
    assert installed(good_evening()) == []
    made = calendar(good_evening(), (at(22), at(24)), when=at(23, 5))
    assert installed(made) == []
    deleted = calendar(good_evening(), (at(22), at(24))).tell(at(22.5), "CalendarDeleted", calendar=NAME)
    assert installed(deleted) == []


def test_a_calendar_may_be_named_by_its_arn() -> None:
    story = calendar(good_evening(), (at(22), at(24)))
    assert installed(story, calendars=(f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/{NAME}",)) == ["freeze"]
    assert installed(story, calendars=(f"arn:aws:ssm:{REGION}:444455556666:document/{NAME}",)) == []


def test_evidence_that_admits_while_a_calendar_is_closed() -> None:
    def admitted() -> Story:
        """The proof is read from 23:00:25 to 23:00:30."""
        return around().back_up().proof().install()

    assert calendar(admitted(), (at(23, 26), at(24))).broken(**FROZEN) == []
    closed = calendar(admitted(), (at(23, 24), at(23, 31)))
    assert closed.broken(**FROZEN) == ["evidence-false"]
    assert "in a freeze" in closed.judged(**FROZEN).violations[0].what


# Reasons


@pytest.mark.parametrize(
    ("closed", "true"),
    [((at(22), at(24)), True), ((at(23, 25), at(24)), True), ((at(23, 31), at(24)), False), ((at(21), at(22)), False)],
)
def test_a_denial_is_for_a_calendar_that_was_closed_while_it_was_read(
    closed: tuple[datetime, datetime], *, true: bool
) -> None:
    """The runbook reads from 23:00:20 to 23:00:30."""
    story = calendar(around().back_up().deny("frozen"), closed)
    assert story.broken(**FROZEN) == ([] if true else ["reason"])


def held(*closed: tuple[datetime, datetime], **changes: Any) -> list[str]:
    """A hold for a freeze at 22:30, where the window is due at 23:00."""
    story = calendar(Story().launch(), *closed)
    story.tell(at(22.5, 9), "ParameterPut", name=f"/patchgate/ubuntu/prd/{CYCLE}/hold", value="{}", version=1)
    story.gate(decision="hold", reason="frozen").closer()
    return story.broken(**NIGHTS | FROZEN | changes)


def test_a_hold_is_for_a_calendar_that_is_closed_at_the_windows_start() -> None:
    assert held((at(23), at(23, 1))) == []
    assert held((at(22), at(22.9))) == ["reason"]  # closed when the gate looked, open when the window begins
    assert held((at(23, 1), at(24))) == ["reason"]
    assert held() == ["reason"]
    assert held((at(46.9), at(47.1))) == ["reason"]  # the next night


def test_a_hold_whose_window_is_not_known_is_not_judged() -> None:
    assert held(calendars=("unseen",)) == []
    assert held(maximum_lead=None) == []
    assert held(occurrences=NIGHTS["occurrences"][:1]) == []
    changing = ((at(23), at(26)), (at(48), at(51)))  # 25 hours: the clock is changed, and nobody knows how AWS reads it
    assert held(occurrences=changing) == []


# Verdicts


def open_lane(story: Story) -> Story:
    """A gate from 22:30:00 to 22:30:10 that opens a lane with one machine, which is backed up and patched."""
    due = {"scheduled_time": at(22.5).isoformat(), "mode": "open"}
    story.run(OPEN, at(22.5), at(22.5, 10), decision="open", **due).open(at(22.5, 8))
    return story.launch().back_up().close().evidence().install().closer()


def opened(story: Story, **changes: Any) -> list[str]:
    return open_lane(story).broken(**NIGHTS | FROZEN | changes)


def test_no_verdict_opens_a_window_for_which_a_calendar_is_closed() -> None:
    assert opened(calendar(Story(), (at(22), at(23)))) == []
    assert opened(calendar(Story(), (at(22), at(23, 1)))) == ["verdict"]
    assert opened(calendar(Story(), (at(23), at(23, 1)))) == ["verdict"]
    assert opened(calendar(Story(), (at(23), at(23, 1))), calendars=()) == []


def test_a_calendar_that_was_changed_while_the_gate_looked_may_have_been_open() -> None:
    changed = calendar(calendar(Story()), (at(23), at(23, 1)), when=at(22.5, 2))
    assert opened(changed) == []


def test_no_verdict_opens_a_frozen_lane() -> None:
    frozen = {"name": "/patchgate/freeze", "value": "release", "version": 1}
    lifted = {"name": "/patchgate/freeze"}
    story = Story().tell(at(22), "ParameterPut", **frozen).tell(at(22.6), "ParameterDeleted", **lifted)
    assert opened(calendar(story)) == ["verdict"]
    story = Story().tell(at(22), "ParameterPut", **frozen).tell(at(22.5, 5), "ParameterDeleted", **lifted)
    assert opened(calendar(story)) == []


def test_a_duplicate_that_obeys_a_lease_has_not_opened_it() -> None:
    story = open_lane(calendar(calendar(Story()), (at(22), at(24)), when=at(22.7)))
    again = {"scheduled_time": at(22.5).isoformat(), "mode": "open"}
    story.run(OPEN, at(22.8), at(22.8, 5), decision="open", repeated=True, **again)
    assert story.broken(**NIGHTS | FROZEN) == ["freeze"]
