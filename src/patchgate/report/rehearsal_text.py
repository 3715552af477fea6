"""A rehearsal as a screen: what was deployed, what each lane did, who was left out and why, what it is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from patchgate.errors import InputError
from patchgate.rehearsal.outcome import InstanceOutcome, LaneResult, RehearsalResult, Status
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
    one_line,
    wrap,
)
from patchgate.report.time_axis import axis_of, row, zone_name

WIDEST = 120
NARROWEST = 60
_ONE_ROW_FROM = 96
_VIOLATIONS_SHOWN = 5

STATUS_WORDS: dict[Status, tuple[str, Role]] = {
    "patched": ("patched", "good"),
    "patched-pending-reboot": ("reboot due", "warn"),
    "denied": ("denied", "warn"),
    "failed": ("failed", "bad"),
    "unreachable": ("unreachable", "bad"),
    "skipped": ("not running", "dim"),
}
_LEFT_OUT: tuple[Status, ...] = ("failed", "unreachable", "denied", "patched-pending-reboot", "skipped")


def render_rehearsal_text(
    result: RehearsalResult, *, width: int, color: bool, ascii_only: bool, lane: str | None = None
) -> str:
    """The screen of a rehearsal, or with ``lane`` the full timeline of that one.

    ``width`` is the terminal's, in columns: used from 60 to 120. Raises InputError when no lane has that name.
    """
    lines = rehearsal_lines(result, width=width, ascii_only=ascii_only, lane=lane)
    return draw(lines, color=color, ascii_only=ascii_only)


def rehearsal_lines(result: RehearsalResult, *, width: int, ascii_only: bool, lane: str | None = None) -> list[Line]:
    """The screen as styled lines."""
    glyphs = ASCII_GLYPHS if ascii_only else UNICODE_GLYPHS
    width = min(WIDEST, max(NARROWEST, width))
    if lane is not None:
        return lane_lines(_named(result, lane), width=width, glyphs=glyphs)
    return [
        *_heading(result, width, glyphs),
        (),
        *_lane_rows(result, width, glyphs),
        (),
        *_totals(result, width),
        *_left_out(result, width, glyphs),
        (),
        *_worth(result, width),
        *_next_command(result),
    ]


def _named(result: RehearsalResult, name: str) -> LaneResult:
    for lane in result.lanes:
        if lane.lane.name == name:
            return lane
    names = ", ".join(lane.lane.name for lane in result.lanes)
    raise InputError(f"no lane is called {one_line(name)}", remedy=f"the lanes are {one_line(names)}")


def _heading(result: RehearsalResult, width: int, glyphs: Glyphs) -> Iterator[Line]:
    accounts = {lane.lane.account for lane in result.lanes}
    regions = {lane.lane.region for lane in result.lanes}
    fleet = f" {glyphs.dot} {one_line(result.fleet)}" if result.fleet else ""
    ran = f"{_many(result.events, 'event')} on a virtual clock in {result.elapsed_seconds:.1f} s"
    rest = f" {glyphs.dot} seed {result.seed} {glyphs.dot} {ran}"
    yield from wrap((Piece(f"patchgate rehearsal{fleet}", "title"), Piece(rest, "dim")), width=width, indent=2)
    deployed = (
        f"Deployed {_many(result.stacks, 'stack')} ({_many(result.resources, 'resource')}) to "
        f"{_many(len(accounts), 'account')} and {_many(len(regions), 'Region')}: {_many(len(result.lanes), 'lane')}, "
        f"{_many(result.cycles, 'cycle')}, {_many(len(result.instances()), 'instance')}."
    )
    yield from wrap((Piece(deployed),), width=width, indent=2)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# The lanes on their time axis


def _lane_rows(result: RehearsalResult, width: int, glyphs: Glyphs) -> Iterator[Line]:
    labels = [f"{one_line(lane.lane.name)} {_zone(lane)}" for lane in result.lanes]
    label = max(map(columns, labels), default=0)
    beside = width >= _ONE_ROW_FROM and label <= width // 2
    margin = label + 2 if beside else 2
    axis = axis_of(result.lanes, width - margin - 10)
    if axis is None:
        yield (Piece("No lane did anything.", "dim"),)
        return
    day = fit(f"{axis.start:%a} {axis.start.day} {axis.start:%b %Y}, local time", label) if beside else ""
    yield (Piece(day + "  ", "dim"), *axis.header(), Piece("   patched", "dim"))
    for lane, name in zip(result.lanes, labels, strict=True):
        chart = (*row(lane, axis, glyphs), *_share(lane))
        if beside:
            yield (*_label(lane, label - columns(name)), Piece("  "), *chart)
        else:
            yield _label(lane, 0)
            yield (Piece("  "), *chart)
    yield from wrap(_legend(glyphs), width=width, indent=2)


def _zone(lane: LaneResult) -> str:
    return zone_name(lane.spans[0].start, lane.lane.zone) if lane.spans else ""


def _label(lane: LaneResult, fill: int) -> Line:
    return (Piece(one_line(lane.lane.name)), Piece(f" {_zone(lane)}{' ' * fill}", "dim"))


def _share(lane: LaneResult) -> Line:
    total = len(lane.instances)
    role: Role = "good" if lane.patched == total else "warn" if lane.patched else "bad"
    return (Piece(f"{lane.patched:>6}/{total:<3}", role),)


def _legend(glyphs: Glyphs) -> list[Piece]:
    entries: tuple[tuple[str, Role, str], ...] = (
        (glyphs.backup, "backup", "backup"),
        (glyphs.open, "open", "gate opens"),
        (glyphs.hold, "hold", "gate holds"),
        (glyphs.scan, "scan", "scan"),
        (glyphs.install, "install", "install"),
        (glyphs.window, "window", "window"),
        (glyphs.close, "close", "close"),
    )
    pieces = [Piece("  ")]
    for glyph, role, word in entries:
        pieces += [Piece(f"{glyph} ", role), Piece(f"{word}  ", "dim")]
    return pieces


# The instances


def _totals(result: RehearsalResult, width: int) -> list[Line]:
    counts = result.counts()
    patched = counts["patched"] + counts["patched-pending-reboot"]
    pieces = [Piece(_many(len(result.instances()), "instance") + ": ", "title"), Piece(f"{patched} patched", "good")]
    if counts["patched-pending-reboot"]:
        pieces.append(Piece(f" ({counts['patched-pending-reboot']} with a reboot due)", "warn"))
    for status in ("denied", "failed", "unreachable", "skipped"):
        word, role = STATUS_WORDS[status]
        if counts[status]:
            pieces += [Piece(", "), Piece(f"{counts[status]} {word}", role)]
    return wrap([*pieces, Piece(".")], width=width, indent=2)


def _left_out(result: RehearsalResult, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """Everybody with something left to do, grouped by what it is: who, why, and the next step."""
    groups: dict[tuple[int, str], list[tuple[LaneResult, InstanceOutcome]]] = {}
    for lane, instance in result.instances():
        if instance.status in _LEFT_OUT:
            groups.setdefault((_LEFT_OUT.index(instance.status), instance.reason), []).append((lane, instance))
    twins = {name for name, count in Counter(one.name for _, one in result.instances()).items() if count > 1}
    width_of_word = max((columns(STATUS_WORDS[_LEFT_OUT[order]][0]) for order, _ in groups), default=0)
    for (order, _), members in sorted(groups.items(), key=lambda group: (group[0][0], group[1][0][1].fault)):
        word, role = STATUS_WORDS[_LEFT_OUT[order]]
        begin = (Piece("  "), Piece(fit(word, width_of_word), role), Piece(f" {members[0][1].fault:<3} ", "dim"))
        who = Piece(_who(members, twins) + ":", "title")
        yield from _why(begin, who, members[0][1], width=width, alone=len(members) == 1, arrow=glyphs.arrow)


def _why(begin: Line, who: Piece, one: InstanceOutcome, *, width: int, alone: bool, arrow: str) -> list[Line]:
    """The lines of one group; the particulars of a single instance only where they cost no further line."""
    indent = sum(columns(piece.text) for piece in begin)
    what = one_line(one.meaning or one.reason)
    after = Piece(f"{arrow} {one_line(one.next_step)}", "command")
    short = wrap((*begin, who, Piece(f" {what} "), after), width=width, indent=indent)
    if not alone or not one.detail:
        return short
    full = wrap((*begin, who, Piece(f" {what} ({one_line(one.detail)}) "), after), width=width, indent=indent)
    return full if len(full) <= len(short) else short


def _who(members: list[tuple[LaneResult, InstanceOutcome]], twins: set[str]) -> str:
    lanes = {lane.lane.name: lane for lane, _ in members}
    if len(members) > 1 and all(len(lane.instances) == _count_in(members, lane) for lane in lanes.values()):
        return ", ".join(f"all {len(lane.instances)} of {one_line(name)}" for name, lane in lanes.items())
    return ", ".join(_called(instance, twins) for _, instance in members)


def _count_in(members: list[tuple[LaneResult, InstanceOutcome]], lane: LaneResult) -> int:
    return sum(one is lane for one, _ in members)


def _called(instance: InstanceOutcome, twins: set[str]) -> str:
    if not instance.name:
        return one_line(instance.instance)
    name = one_line(instance.name)
    return f"{name} ({one_line(instance.instance)})" if instance.name in twins else name


# What it is worth


def _worth(result: RehearsalResult, width: int) -> Iterator[Line]:
    if result.held:
        kept = (Piece("Every promise held", "open"), Piece(": no install without a proof, no window left open."))
        yield from wrap(kept, width=width, indent=2)
    else:
        yield from _violations(result, width)
    contrast = result.contrast
    if contrast is not None:
        ours, naive = contrast.patched_without_way_back, contrast.naive_patched_without_way_back
        pieces = (
            Piece("Patched with no way back: ", "title"),
            Piece(f"{ours} by patchgate", "hold" if ours else "open"),
            Piece(", "),
            Piece(f"{naive} of {contrast.naive_patched} by a gate that counts jobs", "hold" if naive else "open"),
            Piece(" in the same world."),
        )
        yield from wrap(pieces, width=width, indent=2)


def _violations(result: RehearsalResult, width: int) -> Iterator[Line]:
    broken = _many(len(result.violations), "violation")
    left = _many(result.windows_left_open, "window")
    yield (Piece(f"A promise was broken: {broken}, {left} left open.", "hold"),)
    for violation in result.violations[:_VIOLATIONS_SHOWN]:
        where = f" ({one_line(violation.account)}/{one_line(violation.region)}, {violation.at:%Y-%m-%d %H:%M:%S}Z)"
        pieces = (Piece(f"  {violation.promise}: ", "bad"), Piece(one_line(violation.what)), Piece(where, "dim"))
        yield from wrap(pieces, width=width, indent=4)
    if len(result.violations) > _VIOLATIONS_SHOWN:
        yield (Piece(f"  and {len(result.violations) - _VIOLATIONS_SHOWN} more: --output json names them", "dim"),)


def _next_command(result: RehearsalResult) -> Iterator[Line]:
    if result.lanes:
        most = max(result.lanes, key=lambda lane: len(lane.instances) - lane.patched)
        command = f"patchgate rehearse --lane {one_line(most.lane.name)}"
        yield (Piece("Next: "), Piece(command, "command"))
