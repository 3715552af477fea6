"""The time axis: local times, ticks, and who hides whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from patchgate.rehearsal.outcome import LaneResult, LaneVerdict, RehearsedLane, Span, SpanKind
from patchgate.report.screen import ASCII_GLYPHS, Line
from patchgate.report.time_axis import Axis, axis_of, local, row, zone_name

BERLIN = RehearsedLane("a", "1", "eu-central-1", "ubuntu", "prd", "Europe/Berlin", "v", "w", "g", "o", "c")
MIDNIGHT = datetime(2026, 7, 4, tzinfo=UTC)


def at(hours: float) -> datetime:
    """An hour of the evening in Berlin, in summer."""
    return MIDNIGHT + timedelta(hours=hours - 2)


def lane_of(*spans: tuple[SpanKind, float, float], verdict: LaneVerdict = LaneVerdict("open")) -> LaneResult:  # noqa: B008
    return LaneResult(BERLIN, verdict, tuple(Span(kind, at(start), at(end)) for kind, start, end in spans))


def text(line: Line) -> str:
    return "".join(piece.text for piece in line)


def drawn(lane: LaneResult, hours: int = 8, width: int = 32) -> str:
    axis = Axis(datetime(2026, 7, 4, 19), datetime(2026, 7, 4, 19) + timedelta(hours=hours), width)  # noqa: DTZ001
    return text(row(lane, axis, ASCII_GLYPHS))


def test_a_cycle() -> None:
    lane = lane_of(
        ("backup", 19, 20), ("gate", 22.5, 22.51), ("window", 23, 26), ("install", 23.25, 24), ("close", 26.2, 26.2)
    )
    assert drawn(lane) == "====          O -###--------|   "[:32]


def test_a_scan_shows_and_hides_no_install() -> None:
    assert "s##" in drawn(lane_of(("scan", 23, 23.2), ("install", 23, 23.75)))
    assert "#" in drawn(lane_of(("scan", 23, 23.2), ("install", 23.1, 23.2)))


def test_a_span_of_no_length_is_still_seen() -> None:
    assert drawn(lane_of(("install", 23, 23))).count("#") == 1


def test_a_hold_says_why_where_there_is_room() -> None:
    lane = lane_of(("gate", 22.5, 22.5), ("close", 26.2, 26.2), verdict=LaneVerdict("hold", "no-evidence"))
    assert "X holds: no..." in drawn(lane)
    assert drawn(lane).index("|") == 28
    assert "…" not in drawn(lane, width=64)


def test_what_lies_outside_is_kept_within() -> None:
    assert drawn(lane_of(("backup", 10, 11)))[0] == "="
    assert drawn(lane_of(("install", 40, 41)))[-1] == "#"


def test_an_axis_holds_every_span_on_whole_hours() -> None:
    axis = axis_of([lane_of(("backup", 19.5, 20)), lane_of(("close", 26.2, 26.3))], 40)
    assert axis is not None
    assert (axis.start.hour, axis.end.hour) == (19, 3)
    assert axis_of([lane_of()], 40) is None


@pytest.mark.parametrize(
    ("hours", "width", "ticks"),
    [(4, 24, "19    20    21    22"), (8, 16, "19  21  23  01"), (72, 12, "04. 05. 06.")],
)
def test_ticks_are_as_many_as_there_is_room_for(hours: int, width: int, ticks: str) -> None:
    start = datetime(2026, 7, 4, 19)  # noqa: DTZ001 - the clock on the wall
    assert text(Axis(start, start + timedelta(hours=hours), width).header()).rstrip() == ticks


def test_local_time_follows_the_zone() -> None:
    winter = datetime(2026, 1, 4, 12, tzinfo=UTC)
    assert local(winter, "Europe/Berlin").hour == 13
    assert (zone_name(winter, "Europe/Berlin"), zone_name(at(12), "Europe/Berlin")) == ("CET", "CEST")
