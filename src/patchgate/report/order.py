"""The proof of order as a screen and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from patchgate.operations.check import CheckResult, Finding, LaneCheck
from patchgate.plan.capacity import Capacity
from patchgate.plan.order_cycles import Margins
from patchgate.plan.order_rules import RULES, describe_seconds
from patchgate.report.screen import ASCII_GLYPHS, UNICODE_GLYPHS, Glyphs, Line, Piece, draw, many, one_line, wrap
from patchgate.schedule.ambiguity import wall_clock

WIDEST = 120
NARROWEST = 60
_NAMED = 4


def render_order_text(result: CheckResult, *, subject: str, width: int, color: bool, ascii_only: bool) -> str:
    """The screen of a check; ``subject`` says what was checked. ``width`` is used from 60 to 120 columns."""
    glyphs = ASCII_GLYPHS if ascii_only else UNICODE_GLYPHS
    width = min(WIDEST, max(NARROWEST, width))
    lines = [*_heading(result, subject, width, glyphs), ()]
    if result.holds:
        lines += _proved(result, width)
    else:
        for finding in result.findings:
            lines += [*_finding(finding, width, glyphs), ()]
        lines += _broken(result, width)
    for capacity in result.capacities:
        if capacity.left_over:  # is a finding already
            continue
        lines += wrap((Piece(f"  {_describe_capacity(capacity)}"),), width=width, indent=4)
    for note in _notes(result):
        lines += wrap((Piece(f"  Note: {note}.", "dim"),), width=width, indent=4)
    return draw(lines, color=color, ascii_only=ascii_only)


def _heading(result: CheckResult, subject: str, width: int, glyphs: Glyphs) -> list[Line]:
    zones = {one.proof.schedules.zone for one in result.lanes}
    facts = (
        f"{len(result.lanes):,} {_lanes_or_regions(result)}",
        many(len(zones), "time zone"),
        f"{result.start:%Y-%m-%d} to {result.until:%Y-%m-%d}",
        f"tzdata {_tzdata(result)}",
    )
    pieces = (
        Piece(f"patchgate check {glyphs.dot} {one_line(subject)}", "title"),
        Piece("".join(f" {glyphs.dot} {fact}" for fact in facts), "dim"),
    )
    return wrap(pieces, width=width, indent=2)


def _lanes_or_regions(result: CheckResult) -> str:
    word = "Region" if all(one.name == one.lane.region for one in result.lanes) else "lane"
    return word if len(result.lanes) == 1 else f"{word}s"


def _tzdata(result: CheckResult) -> str:
    return next((one.proof.tzdata for one in result.lanes), "")


def _proved(result: CheckResult, width: int) -> Iterator[Line]:
    said = (
        Piece("Order proved", "open"),
        Piece(
            f": each of {result.windows:,} windows has one backup, one gate and one close, in order, whatever AWS does "
            "at clock changes."
        ),
    )
    yield from wrap(said, width=width, indent=2)
    margins = _margins(result)
    distances = (
        ("the backup's latest end to the gate", margins.backup_to_gate),
        ("the gate to the window", margins.gate_to_window),
        ("the window's end to its close", margins.window_to_close),
    )
    least = ", ".join(f"{what} {describe_seconds(seconds)}" for what, seconds in distances if seconds is not None)
    oldest = f"; oldest backup at the last install {describe_seconds(margins.proof_age)}" if margins.proof_age else ""
    yield from wrap((Piece(f"At least: {least}{oldest}.", "dim"),), width=width, indent=2)


def _margins(result: CheckResult) -> Margins:
    margins = Margins()
    for one in result.lanes:
        margins = margins.merged(one.proof.margins)
    return margins


def _finding(finding: Finding, width: int, glyphs: Glyphs) -> Iterator[Line]:
    rule = RULES[finding.rule]
    begin = (Piece(f"  {finding.rule} ", "bad"), Piece(f"{rule.fault} ", "dim"), Piece(f"{rule.broken}: ", "title"))
    yield from wrap((*begin, Piece(f"{_share(finding)} {_named(finding.lanes)}")), width=width, indent=4)
    if said := _first(finding):
        yield from wrap((Piece(f"    {said}"),), width=width, indent=4)
    if finding.reading:
        yield from wrap((Piece(f"    under one reading: {finding.reading}", "dim"),), width=width, indent=4)
    mend = (Piece(f"    {glyphs.arrow} "), Piece(one_line(finding.mend), "command"))
    yield from wrap(mend, width=width, indent=6)


def _share(finding: Finding) -> str:
    """How many windows (gates, backups ...) break the rule: of each lane, where that is the same for all."""
    lanes = len(finding.lanes)
    affected, total = finding.affected, finding.total
    if finding.alike:
        affected, total = affected // lanes, total // lanes
    noun = RULES[finding.rule].counted + ("" if total == 1 else "s")
    where = f"in each of {lanes}:" if finding.alike and lanes > 1 else "in"
    return f"{affected:,} of {total:,} {noun} {where}"


def _first(finding: Finding) -> str:
    if finding.first is None:
        return one_line(finding.detail)
    when = f"{wall_clock(finding.first, finding.zone):%a %Y-%m-%d %H:%M} {finding.zone}"
    return f"first {when}" + (f": {one_line(finding.detail)}" if finding.detail else "")


def _named(names: tuple[str, ...]) -> str:
    shown = ", ".join(one_line(name) for name in names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown


def _broken(result: CheckResult, width: int) -> list[Line]:
    lanes = {name for finding in result.findings for name in finding.lanes}
    rules = {finding.rule for finding in result.findings}
    said = (
        f": {many(len(rules), 'rule')} in {len(lanes)} of {len(result.lanes)} "
        f"{_lanes_or_regions(result)}. docs/reference/check.md explains every rule."
    )
    return wrap((Piece("Order broken", "hold"), Piece(said)), width=width, indent=2)


def _describe_capacity(capacity: Capacity) -> str:
    return (
        f"{one_line(capacity.lane)}: {capacity.instances:,} instances, {capacity.at_once} at once, "
        f"up to {capacity.capacity:,} a window"
    )


def _notes(result: CheckResult) -> list[str]:
    lanes: dict[str, list[str]] = {}
    for one in result.lanes:
        for note in one.proof.notes:
            lanes.setdefault(one_line(note), []).append(one.name)
    notes = [f"{_named(tuple(names))}: {note}" for note, names in lanes.items()]
    if result.without_zone:
        notes.append(f"TimeZone must be given in {', '.join(result.without_zone)}: their locations are not published")
    return notes


def render_order_json(result: CheckResult, *, subject: str) -> str:
    """The result as one JSON object, sorted and ASCII; all times are UTC, lengths of time are seconds.

    ``schema`` is the version of this form.
    """
    value = {
        "schema": 1,
        "subject": subject,
        "proved": result.holds,
        "start": result.start.isoformat(),
        "until": result.until.isoformat(),
        "tzdata": _tzdata(result),
        "windows": result.windows,
        "findings": [_finding_value(finding) for finding in result.findings],
        "lanes": [_lane_value(one) for one in result.lanes],
        "capacities": [_capacity_value(capacity) for capacity in result.capacities],
        "without_zone": list(result.without_zone),
    }
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def _finding_value(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "fault": RULES[finding.rule].fault,
        "what": RULES[finding.rule].broken,
        "lanes": list(finding.lanes),
        "first": None if finding.first is None else finding.first.isoformat(),
        "zone": finding.zone,
        "affected": finding.affected,
        "total": finding.total,
        "counted": RULES[finding.rule].counted,
        "detail": finding.detail,
        "mend": finding.mend,
        "reading": finding.reading,
        "alike": finding.alike,
    }


def _lane_value(one: LaneCheck) -> dict[str, Any]:
    margins, schedules = one.proof.margins, one.proof.schedules
    return {
        "lane": one.name,
        "zone": schedules.zone,
        "proved": one.proof.holds,
        "windows": len(one.proof.windows),
        "readings": one.proof.readings,
        "schedules": {
            "backup": schedules.backup,
            "gate": schedules.gate,
            "window": schedules.window,
            "window_offset_days": schedules.window_offset_days,
            "close": schedules.close,
        },
        "margins": {
            "backup_to_gate": margins.backup_to_gate,
            "gate_to_window": margins.gate_to_window,
            "window_to_close": margins.window_to_close,
            "proof_age": margins.proof_age,
        },
        "broken": [violation.rule for violation in one.proof.violations],
        "notes": list(one.proof.notes),
    }


def _capacity_value(capacity: Capacity) -> dict[str, Any]:
    return {
        "lane": capacity.lane,
        "instances": capacity.instances,
        "at_once": capacity.at_once,
        "capacity": capacity.capacity,
        "left_over": capacity.left_over,
        "shared_with": list(capacity.shared_with),
    }
