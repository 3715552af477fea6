"""The screen of a rehearsal, as it was last looked at and found good; and what must hold at every width."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from patchgate.domain.reasons import reason_of
from patchgate.errors import InputError
from patchgate.judge.violation import Violation
from patchgate.rehearsal.outcome import Contrast, InstanceOutcome, LaneResult, LaneVerdict, RehearsalResult
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


@pytest.mark.parametrize(("width", "height"), [(60, 30), (70, 30), (80, 24), (100, 24), (120, 24)])
def test_the_screen_is_about_a_terminal_high(sample: RehearsalResult, width: int, height: int) -> None:
    assert len(render_rehearsal_text(sample, width=width, color=False, ascii_only=False).splitlines()) <= height


def test_of_several_cycles_the_last_is_shown_and_named(sample: RehearsalResult, compare: Compare) -> None:
    lanes = tuple(in_three_weeks(lane) for lane in sample.lanes)
    thrice = replace(sample, lanes=lanes)
    text = render_rehearsal_text(thrice, width=100, color=False, ascii_only=False)
    once = render_rehearsal_text(sample, width=100, color=False, ascii_only=False).splitlines()
    assert text.splitlines()[1].startswith("Cycle 3 of 3, Sat 18 Jul 2026, local time")
    assert text.splitlines()[2:9] == once[2:9]
    assert "Cycle 3 of 3, 41 instances: 29 patched" in text
    lane = render_rehearsal_text(thrice, width=100, color=False, ascii_only=False, lane=lanes[0].lane.name)
    assert "cycle 3 of 3: 10 of 12 patched" in lane
    assert lane.count("▒▒") == lane.splitlines()[4].count("▒▒")
    compare("screen-cycles.txt", text)


def in_three_weeks(lane: LaneResult) -> LaneResult:
    weeks = [timedelta(weeks=week) for week in range(3)]
    (window,) = (span for span in lane.spans if span.kind == "window")
    occurrences = tuple((window.start + week, window.end + week) for week in weeks)
    spans = tuple(replace(s, start=s.start + week, end=s.end + week) for week in weeks for s in lane.spans)
    return replace(lane, lane=replace(lane.lane, occurrences=occurrences), spans=spans, cycles=3)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_next_command_repeats_what_was_asked_for(sample: RehearsalResult, width: int) -> None:
    command = "./venv/bin/patchgate rehearse 'my fleet.yaml' --seed 7"
    text = render_rehearsal_text(sample, width=width, color=False, ascii_only=False, command=command)
    said = text[text.index("Next: ") :].removeprefix("Next: ").replace("\\\n", " ")
    assert shlex.split(said) == [*shlex.split(command), "--lane", "web/eu-central-1/ubuntu/qa"]
    assert "\n" not in said.strip()


def denied(number: int, lane: LaneResult, code: str = "backup-failed") -> InstanceOutcome:
    reason = reason_of(code)
    name = f"{lane.instances[0].name}-{number}"
    return InstanceOutcome(name, name, "denied", code, reason.fault, reason.meaning, "boom", reason.remedy)


def test_one_reason_over_lanes_is_one_line_with_some_names(sample: RehearsalResult) -> None:
    lanes = [replace(lane, instances=(*lane.instances[:1], denied(1, lane), denied(2, lane))) for lane in sample.lanes]
    text = render_rehearsal_text(replace(sample, lanes=tuple(lanes)), width=100, color=False, ascii_only=False)
    (line,) = (line for line in text.splitlines() if "its backup failed" in line)
    assert "ledger-01-1, ledger-01-2" in line
    assert re.search(r" \+9 more: its backup failed → repair the cause", line)
    narrow = render_rehearsal_text(replace(sample, lanes=tuple(lanes)), width=60, color=False, ascii_only=False)
    assert "its backup failed" in narrow


def test_whole_lanes_are_named_and_many_are_counted(sample: RehearsalResult) -> None:
    lanes = [replace(lane, instances=(denied(1, lane, "frozen"), denied(2, lane, "frozen"))) for lane in sample.lanes]

    def said(count: int, width: int) -> str:
        result = replace(sample, lanes=tuple(lanes[:count]))
        text = render_rehearsal_text(result, width=width, color=False, ascii_only=False)
        (line,) = (line for line in text.splitlines() if "a freeze is in force" in line)
        return line

    assert "all 2 of payments/eu-central-1/amazonlinux/prd: a freeze is in force" in said(1, 100)
    assert "all 2 of payments/euc1/amzn/prd, all 2 of payments/euc1/win/prd: a freeze is in force" in said(2, 120)
    assert "all 12 of 6 lanes: a freeze is in force → lift the freeze when its reason is gone" in said(6, 100)


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
    assert "0 instances: 0 patched" in empty
    assert "Next:" not in empty


def test_a_gate_that_said_nothing_shows(sample: RehearsalResult) -> None:
    spans = tuple(span for span in sample.lanes[0].spans if span.kind in ("backup", "gate", "close"))
    lane = replace(sample.lanes[0], spans=spans, verdict=LaneVerdict("none", "gate-silent"))
    text = render_rehearsal_text(replace(sample, lanes=(lane,)), width=100, color=False, ascii_only=False)
    assert "? no verdict" in text
