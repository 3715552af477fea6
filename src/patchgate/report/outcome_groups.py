"""Everybody with something left to do: one line for each reason, with who, why and the next step, as there is room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from patchgate.rehearsal.outcome import InstanceOutcome, LaneResult, RehearsalResult, Status
from patchgate.report.lane_labels import shorten_lane
from patchgate.report.screen import Glyphs, Line, Piece, Role, columns, fit, one_line, shorten

STATUS_WORDS: dict[Status, tuple[str, Role]] = {
    "patched": ("patched", "good"),
    "patched-pending-reboot": ("reboot due", "warn"),
    "denied": ("denied", "warn"),
    "failed": ("failed", "bad"),
    "unreachable": ("unreachable", "bad"),
    "skipped": ("not running", "dim"),
}
_LEFT_OUT: tuple[Status, ...] = ("failed", "unreachable", "denied", "patched-pending-reboot", "skipped")
_NAMES_SHOWN = 4
_LANES_SHOWN = 2
_SHORTEST_REMEDY = 14
_FAULTS_FROM = 72

Member = tuple[LaneResult, InstanceOutcome]


def group_lines(result: RehearsalResult, *, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """The groups, the most urgent first, a line of at most ``width`` columns each.

    What does not fit goes in this order: particulars, the second half of the remedy, names, the rest of the remedy.
    Fault numbers are shown from 72 columns on.
    """
    groups: dict[tuple[int, str], list[Member]] = {}
    for lane, instance in result.instances():
        if instance.status in _LEFT_OUT:
            groups.setdefault((_LEFT_OUT.index(instance.status), instance.reason), []).append((lane, instance))
    twins = {name for name, count in Counter(one.name for _, one in result.instances()).items() if count > 1}
    column = max((columns(STATUS_WORDS[_LEFT_OUT[order]][0]) for order, _ in groups), default=0)
    for (order, _), members in sorted(groups.items(), key=lambda group: (group[0][0], group[1][0][1].fault)):
        word, role = STATUS_WORDS[_LEFT_OUT[order]]
        begin: Line = (Piece("  "), Piece(fit(word, column) + " ", role))
        if width >= _FAULTS_FROM:
            begin = (*begin, Piece(f"{members[0][1].fault:<3} ", "dim"))
        room = width - sum(columns(piece.text) for piece in begin)
        yield (*begin, *_told(members, twins, room, glyphs))


def _told(members: Sequence[Member], twins: set[str], room: int, glyphs: Glyphs) -> Line:
    """The best of what fits into ``room`` columns."""
    one = members[0][1]
    names = _who(members, twins)
    why = one_line(one.meaning or one.reason)
    particulars = f"{why} ({one_line(one.detail)})" if len(members) == 1 and one.detail else why
    remedy = one_line(one.next_step)
    arrow = f" {glyphs.arrow} " if remedy else ""
    for what, after in ((particulars, remedy), (why, remedy), (why, _first_clause(remedy))):
        for who in names[:-1] or names:
            if columns(f"{who}: {what}{arrow}{after}") <= room:
                return _line(who, what, arrow, after)
    for who in names[:-1] or names:
        left = room - columns(f"{who}: {why}{arrow}")
        if remedy and left >= _SHORTEST_REMEDY:
            return _line(who, why, arrow, shorten(remedy, left, glyphs.ellipsis))
    who = next((who for who in names if columns(f"{who}: {why}") <= room), names[-1])
    who = shorten(who, max(room // 2, room - columns(why) - 2), glyphs.ellipsis)
    return _line(who, shorten(why, room - columns(who) - 2, glyphs.ellipsis), "", "")


def _line(who: str, what: str, arrow: str, after: str) -> Line:
    pieces = (Piece(f"{who}:", "title"), Piece(f" {what}"), Piece(arrow + after, "command"))
    return tuple(piece for piece in pieces if piece.text)


def _first_clause(remedy: str) -> str:
    return min((remedy.partition(end)[0] for end in (";", ":", ", and ", ", or ")), key=len)


def _who(members: Sequence[Member], twins: set[str]) -> list[str]:
    """Ways of saying who they are, the fullest first: whole lanes by their names, else instances.

    The last one is for where nothing else fits.
    """
    lanes = {lane.lane.name: lane for lane, _ in members}
    called = [_called(instance, twins) for _, instance in members]
    ways = [
        ", ".join(called[:shown]) + (f" +{len(called) - shown} more" if shown < len(called) else "")
        for shown in range(min(len(called), _NAMES_SHOWN), 0, -1)
    ]
    if len(members) > 1 and sum(len(lane.instances) for lane in lanes.values()) == len(members):
        sizes = {one_line(name): len(lane.instances) for name, lane in lanes.items()}
        many = [f"all {len(members)} of {len(sizes)} lanes"] if len(sizes) > 1 else []
        if len(sizes) > _LANES_SHOWN:
            return many
        full = ", ".join(f"all {count} of {name}" for name, count in sizes.items())
        abridged = ", ".join(f"all {count} of {shorten_lane(name)}" for name, count in sizes.items())
        return [full, abridged, *(many or ways[-1:])]
    return ways


def _called(instance: InstanceOutcome, twins: set[str]) -> str:
    if not instance.name:
        return one_line(instance.instance)
    name = one_line(instance.name)
    return f"{name} ({one_line(instance.instance)})" if instance.name in twins else name
