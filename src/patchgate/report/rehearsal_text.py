"""A rehearsal as a screen: what was deployed, what each lane did, who was left out and why, what it is worth."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from patchgate.errors import InputError
from patchgate.rehearsal.outcome import Contrast, LaneResult, RehearsalResult
from patchgate.report.lane_labels import label_lanes
from patchgate.report.outcome_groups import STATUS_WORDS, group_lines
from patchgate.report.rehearsal_lane import lane_lines
from patchgate.report.screen import (
    ASCII_GLYPHS,
    UNICODE_GLYPHS,
    Glyphs,
    Line,
    Piece,
    Role,
    columns,
    draw,
    fit,
    many,
    one_line,
    wrap,
)
from patchgate.report.time_axis import Axis, axis_of, row, zone_name

WIDEST = 120
NARROWEST = 60
_AXIS_SHARE = 0.4
"""How much of the width the time axis takes at least."""
_SHARE_WIDTH = 9
_LEGEND_FROM = 78
_VIOLATIONS_SHOWN = 5


def render_rehearsal_text(
    result: RehearsalResult,
    *,
    width: int,
    color: bool,
    ascii_only: bool,
    lane: str | None = None,
    command: str = "patchgate rehearse",
) -> str:
    """The screen of a rehearsal, or with ``lane`` the full timeline of that one.

    ``width`` is the terminal's, in columns: used from 60 to 120. ``command`` rehearses the same again, for the command
    that is suggested at the end. Raises InputError when no lane has that name.
    """
    lines = rehearsal_lines(result, width=width, ascii_only=ascii_only, lane=lane, command=command)
    return draw(lines, color=color, ascii_only=ascii_only)


def rehearsal_lines(
    result: RehearsalResult,
    *,
    width: int,
    ascii_only: bool,
    lane: str | None = None,
    command: str = "patchgate rehearse",
) -> list[Line]:
    """The screen as styled lines."""
    glyphs = ASCII_GLYPHS if ascii_only else UNICODE_GLYPHS
    width = min(WIDEST, max(NARROWEST, width))
    if lane is not None:
        return lane_lines(_named(result, lane), width=width, glyphs=glyphs)
    return [
        *_heading(result, width, glyphs),
        *_lane_rows(result, width, glyphs),
        (),
        *_totals(result, width),
        *group_lines(result, width=width, glyphs=glyphs),
        (),
        *_worth(result, width),
        *_next_command(result, width, command),
    ]


def _named(result: RehearsalResult, name: str) -> LaneResult:
    for lane in result.lanes:
        if lane.lane.name == name:
            return lane
    names = ", ".join(lane.lane.name for lane in result.lanes)
    raise InputError(f"no lane is called {one_line(name)}", remedy=f"the lanes are {one_line(names)}")


def _heading(result: RehearsalResult, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """One line: what was rehearsed, and as much of what it took as there is room for."""
    accounts = many(len({lane.lane.account for lane in result.lanes}), "account")
    regions = many(len({lane.lane.region for lane in result.lanes}), "Region")
    title = " ".join(
        filter(None, ["patchgate rehearsal", f"{glyphs.dot} {one_line(result.fleet)}" * bool(result.fleet)])
    )
    facts = (
        f"seed {result.seed}",
        many(result.stacks, "stack"),
        many(result.events, "event"),
        f"{accounts}, {regions}",
        f"{result.elapsed_seconds:.1f} s",
    )
    line = [Piece(fit(title, min(width, columns(title)), glyphs.ellipsis), "title")]
    room = width - columns(line[0].text)
    for fact in facts:
        said = f" {glyphs.dot} {fact}"
        if columns(said) > room:
            break
        line.append(Piece(said, "dim"))
        room -= columns(said)
    yield tuple(line)


# The lanes on their time axis


def _lane_rows(result: RehearsalResult, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """A row for each lane: its name, its last cycle, how many were patched."""
    labels = label_lanes(
        [lane.lane.name for lane in result.lanes],
        [_zone(lane) for lane in result.lanes],
        width - 2 - int(width * _AXIS_SHARE) - _SHARE_WIDTH,
        glyphs.ellipsis,
    )
    label = max((columns(f"{name} {zone}".rstrip()) for name, zone in labels), default=0)
    axis = axis_of(result.lanes, width - label - 2 - _SHARE_WIDTH)
    if axis is None:
        yield (Piece("No lane did anything.", "dim"),)
        return
    yield (Piece(_day(axis, result.rounds, label) + "  ", "dim"), *axis.header(), Piece("  patched", "dim"))
    for lane, (name, zone) in zip(result.lanes, labels, strict=True):
        after = f" {zone}" if zone else ""
        fill = " " * (label - columns(name + after) + 2)
        yield (Piece(name), Piece(after + fill, "dim"), *row(lane, axis, glyphs), _share(lane))
    yield from wrap(_legend(glyphs, width), width=width, indent=2)


def _day(axis: Axis, rounds: int, width: int) -> str:
    """The day on which the axis begins, in ``width`` columns; of several cycles, that it is the last."""
    cycle = f"Cycle {rounds} of {rounds}, " if rounds > 1 else ""
    day = f"{axis.start:%a} {axis.start.day} {axis.start:%b}"
    ways = (f"{cycle}{day} {axis.start:%Y}, local time", f"{cycle}{day}, local time", f"{cycle}{day}", day)
    return fit(next((way for way in ways if columns(way) <= width), ways[-1]), width)


def _zone(lane: LaneResult) -> str:
    spans = lane.last_spans()
    return zone_name(spans[0].start, lane.lane.zone) if spans else ""


def _share(lane: LaneResult) -> Piece:
    total = len(lane.instances)
    role: Role = "good" if lane.patched == total else "warn" if lane.patched else "bad"
    return Piece(f"{f'{lane.patched}/{total}':>{_SHARE_WIDTH}}", role)


def _legend(glyphs: Glyphs, width: int) -> list[Piece]:
    entries: tuple[tuple[str, Role, str], ...] = (
        (glyphs.backup, "backup", "backup"),
        (glyphs.open, "open", "gate opens"),
        (glyphs.hold, "hold", "gate holds"),
        (glyphs.scan, "scan", "scan"),
        (glyphs.install, "install", "install"),
        (glyphs.window, "window", "window"),
        (glyphs.close, "close", "close"),
    )
    narrow = width < _LEGEND_FROM
    pieces = [Piece("  ")]
    for glyph, role, word in entries:
        said = word.removeprefix("gate ") if narrow else word
        pieces += [Piece(f"{glyph} ", role), Piece(said + ("  ", " ")[narrow], "dim")]
    return pieces


# The instances


def _totals(result: RehearsalResult, width: int) -> list[Line]:
    """How many ended how, in the last cycle; the reboots that are due only where they cost no further line."""
    counts = result.counts()
    patched = counts["patched"] + counts["patched-pending-reboot"]
    cycle = f"Cycle {result.rounds} of {result.rounds}, " if result.rounds > 1 else ""
    begin = [
        Piece(f"{cycle}{many(len(result.instances()), 'instance')}: ", "title"),
        Piece(f"{patched} patched", "good"),
    ]
    due = [Piece(f" ({counts['patched-pending-reboot']} with a reboot due)", "warn")]
    rest = []
    for status in ("denied", "failed", "unreachable", "skipped"):
        word, role = STATUS_WORDS[status]
        if counts[status]:
            rest += [Piece(", "), Piece(f"{counts[status]} {word}", role)]
    rest.append(Piece("."))
    short = wrap([*begin, *rest], width=width, indent=2)
    full = wrap([*begin, *due, *rest], width=width, indent=2)
    return full if counts["patched-pending-reboot"] and len(full) <= len(short) else short


# What it is worth


def _worth(result: RehearsalResult, width: int) -> Iterator[Line]:
    if result.held:
        kept = (Piece("Every promise held", "open"), Piece(": no install without a proof, no window left open."))
        yield from wrap(kept, width=width, indent=2)
    else:
        yield from _violations(result, width)
    if result.contrast is not None:
        yield from _contrast(result.contrast, width)


def _contrast(contrast: Contrast, width: int) -> list[Line]:
    """Both gates in one world; that it is the same one is said where it costs no further line."""
    ours, naive = contrast.patched_without_way_back, contrast.naive_patched_without_way_back
    pieces = (
        Piece("Patched with no way back: ", "title"),
        Piece(f"{ours} by patchgate", "hold" if ours else "open"),
        Piece(", "),
        Piece(f"{naive} of {contrast.naive_patched} by a gate that counts jobs", "hold" if naive else "open"),
    )
    short = wrap((*pieces, Piece(".")), width=width, indent=2)
    full = wrap((*pieces, Piece(" in the same world.")), width=width, indent=2)
    return full if len(full) <= len(short) else short


def _violations(result: RehearsalResult, width: int) -> Iterator[Line]:
    broken = many(len(result.violations), "violation")
    left = many(result.windows_left_open, "window")
    yield (Piece(f"A promise was broken: {broken}, {left} left open.", "hold"),)
    for violation in result.violations[:_VIOLATIONS_SHOWN]:
        where = f" ({one_line(violation.account)}/{one_line(violation.region)}, {violation.at:%Y-%m-%d %H:%M:%S}Z)"
        pieces = (Piece(f"  {violation.promise}: ", "bad"), Piece(one_line(violation.what)), Piece(where, "dim"))
        yield from wrap(pieces, width=width, indent=4)
    if len(result.violations) > _VIOLATIONS_SHOWN:
        yield (Piece(f"  and {len(result.violations) - _VIOLATIONS_SHOWN} more: --output json names them", "dim"),)


def _next_command(result: RehearsalResult, width: int, command: str) -> Iterator[Line]:
    """The command that shows the lane where most is left to do; broken as a shell reads it where it is too long."""
    if not result.lanes:
        return
    most = max(result.lanes, key=lambda lane: len(lane.instances) - lane.patched)
    words = f"{one_line(command)} --lane {shlex.quote(one_line(most.lane.name))}"
    lines = wrap((Piece("Next: "), Piece(words, "command")), width=width, indent=4)
    if len(lines) > 1:
        lines = wrap((Piece("Next: "), Piece(words, "command")), width=width - 2, indent=4)
    for line in lines[:-1]:
        yield (*line, Piece(" \\", "command"))
    yield lines[-1]
