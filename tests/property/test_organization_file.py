"""The large fleet file with a piece cut out or put in: lanes, or an InputError, and never anything else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from patchgate.config import parse_fleet
from patchgate.config.freeze_periods import FreezePeriod, merge_periods
from patchgate.errors import InputError

EXAMPLES = Path(__file__).parents[2] / "examples"
SAMPLE = (EXAMPLES / "organization.yaml").read_bytes()
PIECES = [b"", b"0", b"-1", b"x", b"null", b"[]", b"{}", b"true", b"1.5", b"\n", b" ", b": ", b"- ", b"'", b'"', b"#"]
HOURS = st.integers(0, 500).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
PERIODS = st.lists(st.tuples(HOURS, HOURS).filter(lambda ends: ends[0] != ends[1]), max_size=12)


@settings(deadline=None)  # the first one loads the libraries of calendars and holidays
@given(st.integers(0, len(SAMPLE)), st.integers(0, 25), st.sampled_from(PIECES))
def test_a_mutated_file_has_lanes_or_problems_with_a_place(position: int, length: int, piece: bytes) -> None:
    text = SAMPLE[:position] + piece + SAMPLE[position + length :]
    try:
        fleet = parse_fleet(text, "f.yaml", directory=EXAMPLES)
        lanes = fleet.lanes({unit.id: ["555555555555"] for unit in fleet.unresolved()}, today=date(2026, 11, 1))
    except InputError as error:
        places = [problem.line for problem in error.problems]
        lanes = ()
    else:
        places = []
    assert bool(lanes) != bool(places)
    assert all(0 <= line <= text.count(b"\n") + 2 for line in places)
    assert len({lane.lane.key for lane in lanes}) == len(lanes)


@given(PERIODS)
def test_merged_periods_cover_the_same_time_apart_and_in_order(ends: list[tuple[datetime, datetime]]) -> None:
    periods = sorted(FreezePeriod(min(pair), max(pair), (str(number),)) for number, pair in enumerate(ends))
    merged = list(merge_periods(periods))
    assert all(earlier.end < later.start for earlier, later in pairwise(merged))
    for hours in range(500):
        at = datetime(2026, 1, 1, 0, 30, tzinfo=UTC) + timedelta(hours=hours)
        assert any(each.start <= at < each.end for each in periods) == any(
            each.start <= at < each.end for each in merged
        )
    assert {reason for each in merged for reason in each.reasons} == {str(number) for number in range(len(ends))}
