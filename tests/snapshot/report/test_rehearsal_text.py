"""The screen of a rehearsal, as it was last looked at and found good; and what must hold at every width."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from patchgate.errors import InputError
from patchgate.judge.violation import Violation
from patchgate.rehearsal.outcome import Contrast, InstanceOutcome, LaneVerdict, RehearsalResult
from patchgate.report.rehearsal_text import render_rehearsal_text
from patchgate.report.screen import columns

Compare = Callable[[str, str], None]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_the_screen(sample: RehearsalResult, compare: Compare, width: int) -> None:
    compare(f"screen-{width}.txt", render_rehearsal_text(sample, width=width, color=False, ascii_only=False))


def test_the_screen_in_ascii(sample: RehearsalResult, compare: Compare) -> None:
    compare("screen-ascii.txt", render_rehearsal_text(sample, width=80, color=False, ascii_only=True))


def test_the_screen_in_colour(sample: RehearsalResult, compare: Compare) -> None:
    compare("screen-colour.txt", render_rehearsal_text(sample, width=100, color=True, ascii_only=False))


def test_one_lane(sample: RehearsalResult, compare: Compare) -> None:
    lane = "payments/us-east-1/ubuntu/stg"
    compare("lane.txt", render_rehearsal_text(sample, width=100, color=False, ascii_only=False, lane=lane))


def test_a_lane_that_held(sample: RehearsalResult, compare: Compare) -> None:
    lane = "web/eu-central-1/ubuntu/qa"
    compare("lane-held.txt", render_rehearsal_text(sample, width=60, color=False, ascii_only=True, lane=lane))


@pytest.mark.parametrize("width", range(40, 141, 3))
@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_line_is_wider_than_the_terminal(sample: RehearsalResult, width: int, ascii_only: bool) -> None:
    text = render_rehearsal_text(sample, width=width, color=False, ascii_only=ascii_only)
    assert max(map(columns, text.splitlines())) <= max(60, min(120, width))


def test_colours_change_nothing_but_colours(sample: RehearsalResult) -> None:
    colored = render_rehearsal_text(sample, width=100, color=True, ascii_only=False)
    plain = render_rehearsal_text(sample, width=100, color=False, ascii_only=False)
    stripped = [line.rstrip() for line in ANSI.sub("", colored).splitlines()]
    assert stripped == plain.splitlines()


def test_ascii_is_ascii(sample: RehearsalResult) -> None:
    lanes = [lane.lane.name for lane in sample.lanes]
    for lane in (None, *lanes):
        assert render_rehearsal_text(sample, width=80, color=False, ascii_only=True, lane=lane).isascii()


def test_the_screen_is_about_a_terminal_high(sample: RehearsalResult) -> None:
    assert len(render_rehearsal_text(sample, width=100, color=False, ascii_only=False).splitlines()) <= 30


def test_an_unknown_lane_is_refused_with_the_names(sample: RehearsalResult) -> None:
    with pytest.raises(InputError, match="no lane is called nowhere") as refused:
        render_rehearsal_text(sample, width=80, color=False, ascii_only=False, lane="nowhere")
    assert "payments/us-east-1/ubuntu/stg" in refused.value.remedy


def test_f52_hostile_names_command_no_terminal_and_forge_no_line(sample: RehearsalResult) -> None:
    evil = "x\x1b[2J\r\nEvery promise held\u202e\u2028\x07"
    outcome = InstanceOutcome("i-1", evil, "failed", evil, "F41", evil, evil, evil)
    lane = replace(sample.lanes[0], instances=(outcome,), verdict=LaneVerdict("hold", evil, evil))
    lane = replace(lane, lane=replace(lane.lane, name=evil))
    violation = Violation("proof", datetime(2026, 7, 4, tzinfo=UTC), evil, evil, "i-1", evil, (1,))
    result = replace(sample, lanes=(lane,), fleet=evil, violations=(violation,))
    for name in (None, evil):
        text = render_rehearsal_text(result, width=100, color=False, ascii_only=False, lane=name)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", text)
        assert "\nEvery" not in text


def test_a_broken_promise_is_the_last_word(sample: RehearsalResult, compare: Compare) -> None:
    violations = tuple(
        Violation(
            "proof",
            datetime(2026, 7, 4, 23, number, tzinfo=UTC),
            "111122223333",
            "eu-central-1",
            f"i-{number}",
            f"i-{number} was installed without a proof: i-{number} has no completed recovery point",
            (number,),
        )
        for number in range(7)
    )
    broken = replace(sample, violations=violations, windows_left_open=1, contrast=Contrast(7, 9, 36))
    text = render_rehearsal_text(broken, width=100, color=False, ascii_only=False)
    assert "Every promise held" not in text
    compare("broken.txt", text)


def test_names_that_occur_twice_carry_their_ids(sample: RehearsalResult) -> None:
    twins = tuple(InstanceOutcome(f"i-{n}", "web", "denied", "no-backup-job", "F08", "m") for n in range(2))
    patched = InstanceOutcome("i-9", "", "failed", "disk-full", "F42", "its disk is full")
    lane = replace(sample.lanes[0], instances=(*twins, patched))
    text = render_rehearsal_text(replace(sample, lanes=(lane,)), width=100, color=False, ascii_only=False)
    assert "web (i-0), web (i-1): m" in text
    assert "i-9: its disk is full" in text


def test_a_rehearsal_in_which_nothing_happened(sample: RehearsalResult) -> None:
    silent = replace(sample.lanes[0], spans=(), instances=(), verdict=LaneVerdict("none", "gate-silent"))
    text = render_rehearsal_text(replace(sample, lanes=(silent,)), width=100, color=False, ascii_only=False)
    assert "No lane did anything." in text
    empty = render_rehearsal_text(replace(sample, lanes=()), width=100, color=False, ascii_only=False)
    assert "0 lanes" in empty
    assert "Next:" not in empty


def test_a_gate_that_said_nothing_shows(sample: RehearsalResult) -> None:
    spans = tuple(span for span in sample.lanes[0].spans if span.kind in ("backup", "gate", "close"))
    lane = replace(sample.lanes[0], spans=spans, verdict=LaneVerdict("none", "gate-silent"))
    text = render_rehearsal_text(replace(sample, lanes=(lane,)), width=100, color=False, ascii_only=False)
    assert "? no verdict" in text
