"""Durations: what is taken for one, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from patchgate.emulator.server.durations import parse_duration
from patchgate.errors import InputError


@pytest.mark.parametrize(
    ("value", "duration"),
    [
        (0, timedelta()),
        (90, timedelta(seconds=90)),
        (0.5, timedelta(milliseconds=500)),
        ("PT2H30M", timedelta(hours=2, minutes=30)),
        ("P1D", timedelta(days=1)),
        ("P1W", timedelta(days=7)),
        ("P1DT12H", timedelta(days=1, hours=12)),
        ("PT90.5S", timedelta(seconds=90.5)),
    ],
)
def test_seconds_and_iso_8601(value: object, duration: timedelta) -> None:
    assert parse_duration(value) == duration


@pytest.mark.parametrize(
    "value", [-1, True, None, "", "P", "PT", "P1DT", "P1M", "2h", "90", "PT-5M", float("nan"), float("inf"), 1e300, []]
)
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(InputError, match="is no duration"):
        parse_duration(value)
