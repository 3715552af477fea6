"""People are told: what a gate, a close or a watchdog has to say of a lane is in a message, and not in a log alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from patchgate.judge.doings import LONGEST_RUN
from patchgate.judge.evidence import VERDICTS, is_anothers
from patchgate.judge.sayings import NOT_DUE
from patchgate.judge.spans import Span
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patchgate.judge.case import Case
    from patchgate.judge.doings import Function, Run, Writing
    from patchgate.judge.spans import Cut

CUT_SHORT = "... and more"
"""In a message that would be too long for SNS, and in one that only says where to look."""
LONG_BYTES = 65_536
"""What was cut short for SNS, which takes 262,144 bytes, is longer than that."""


def untold(case: Case) -> Iterator[Violation]:
    """What a run had to tell and no message says; a run that says nothing in its log, of which alarms are made; and an
    invocation that was given up and went nowhere, so that no alarm tells of it.
    """
    verdicts = [
        writing
        for (_, name), writings in case.evidence.items()
        if name in VERDICTS
        for writing in writings
        if not is_anothers(case, writing, name)
    ]
    for function in (case.gate, case.closing):
        for run in function.runs:
            written = _verdict_of(case, run, verdicts) if function is case.gate else []
            yield from _untold_by(case, function, run, _to_tell(run, written))
            if run.succeeded and not run.logged:
                what = "nobody was told what a run came to: it succeeded, and its log does not say"
                yield Violation.at_cut("told", case.lane, run.span.high, what, run.span.low.seq)
        lost = [one.cut for one in function.discarded if not one.arrived] + function.unscheduled
        for cut in (one for one in lost if not _is_deleted(case, function, one)):
            what = "nobody was told that an invocation was given up: it went nowhere"
            yield Violation.at_cut("told", case.lane, cut, what)


def _is_deleted(case: Case, function: Function, cut: Cut) -> bool:
    """Whether a function was deleted at a point of a history, or soon after it, with all that belongs to it (F50)."""
    return False in function.there.seen(Span(cut, case.facts.cut_at(cut.at + LONGEST_RUN)))


def _untold_by(case: Case, function: Function, run: Run, to_tell: tuple[tuple[str, ...], ...]) -> Iterator[Violation]:
    """A run that succeeded and published no message that says what it had to tell; and one that died when that was done
    after which no other says it again, if none of its tries says it either.

    Excused is who was given up, which is an alarm, and who is still to be tried again: its message may be to come.
    """
    if not to_tell or not (run.succeeded or _is_the_last_to_tell(case, function, run)):
        return
    texts, where_to_look = _texts_within(case, run), False
    if not run.succeeded:
        if any(one.request == run.request for one in case.given_up(function)):
            return
        again = [other for other in function.runs if other.scheduled == run.scheduled]
        texts = [text for other in again for text in _texts_within(case, other)]
        if not any(other.succeeded for other in again if other.request == run.request):
            return
        where_to_look = any(CUT_SHORT in text for text in texts)
    lines = {line for text in texts for line in text.splitlines()}
    cut_short = where_to_look or any(CUT_SHORT in text and len(text.encode()) > LONG_BYTES for text in texts)
    missing = [
        words for words in to_tell if not cut_short and not any(all(word in line for word in words) for line in lines)
    ]
    if missing:
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        what = f"nobody was told: {' '.join(missing[0])}{more}"
        yield Violation.at_cut("told", case.lane, run.span.high, what, run.span.low.seq)


def _to_tell(run: Run, rows: list[Mapping[str, Any]]) -> tuple[tuple[str, ...], ...]:
    """What people must be told of a run: what its log names, and what the ``rows`` of its evidence say.

    So nothing is kept from people by leaving it out of log and message alike. Of a verdict that another one overtook,
    and of one that no window was due for, there is nothing to tell.
    """
    if run.repeated:
        return ()
    head = rows[0] if rows else {}
    if head.get("reason") == NOT_DUE:
        return run.to_tell
    found = [(str(row.get("instance")), str(row.get("reason"))) for row in rows[1:] if row.get("status") != "proven"]
    held = [(str(head["reason"]),)] if head.get("decision") == "hold" and head.get("reason") else []
    return tuple(dict.fromkeys((*run.to_tell, *found, *held)))


def _verdict_of(case: Case, run: Run, verdicts: list[Writing]) -> list[Mapping[str, Any]]:
    """The lines of the evidence that a gate's run wrote; none where another gate, which may have written it, was on its
    way as well, or where a history does not keep them.
    """
    for writing in verdicts:
        if _is_surely_of(case.gate, run, writing.cut.seq):
            return [row for row in writing.rows or () if isinstance(row, Mapping)]
    return []


def _is_the_last_to_tell(case: Case, function: Function, run: Run) -> bool:
    """Whether a run that died did that after which no other one says again what it had to tell: a gate created the
    lease that is in force, a close marked a lease told. Of runs that were on their way together it may have been any.
    """
    if function is case.gate:
        if run.decision not in ("open", ""):
            return False
        done = [lease.opened.seq for lease in case.leases]
    else:
        done = [cut.seq for cut in case.facts.told.get((case.lane.place, case.path), ())]
    return any(_is_surely_of(function, run, seq) for seq in done)


def _is_surely_of(function: Function, run: Run, seq: int) -> bool:
    """Whether something was done by a run of a function: it was on its way then, and no other run of it was."""
    if not run.span.low.seq < seq < run.span.high.seq:
        return False
    return not any(
        other.span.low.seq < seq < other.span.high.seq for other in function.runs if other is not run
    ) and not any(begun.seq < seq and begun.at >= run.span.low.at - LONGEST_RUN for begun in function.unended)


def _texts_within(case: Case, run: Run) -> list[str]:
    """The messages to the lane's topic that were published while a run was on its way."""
    low, high = run.span.low.seq, run.span.high.seq
    return [
        message.text
        for message in case.facts.messages.get(case.lane.place, ())
        if low < message.cut.seq < high and message.topic.endswith(case.lane.suffix)
    ]
