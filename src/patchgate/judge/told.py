"""People are told: what a gate, a close or a watchdog has to say of a lane is in a message, and not in a log alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patchgate.judge.case import Case
    from patchgate.judge.doings import Run

CUT_SHORT = "... and more"
"""In a message that would be too long for SNS, and in one that only says where to look."""
LONG_BYTES = 65_536
"""What was cut short for SNS, which takes 262,144 bytes, is longer than that."""


def untold(case: Case) -> Iterator[Violation]:
    """A run that succeeded, had something to tell, and published no message that says it; and a gate that died when its
    lease was there, if no gate of that cycle says it either, and it was not given up, which is an alarm. Of gates that
    were on their way together one is in force, and no history says which.
    """
    for function in (case.gate, case.closing):
        for run in function.runs:
            if not run.to_tell or not (run.succeeded or (function is case.gate and _surely_left_a_lease(case, run))):
                continue
            texts, where_to_look = _texts_within(case, run), False
            if not run.succeeded:
                if any(request == run.request for _, request in function.discarded):
                    continue
                again = [other for other in function.runs if other.scheduled == run.scheduled]
                texts = [text for other in again for text in _texts_within(case, other)]
                if not any(other.succeeded for other in again if other.request == run.request):
                    continue
                where_to_look = any(CUT_SHORT in text for text in texts)
            lines = {line for text in texts for line in text.splitlines()}
            cut_short = where_to_look or any(CUT_SHORT in text and len(text.encode()) > LONG_BYTES for text in texts)
            missing = [
                words
                for words in run.to_tell
                if not cut_short and not any(all(word in line for word in words) for line in lines)
            ]
            if missing:
                more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
                what = f"nobody was told: {' '.join(missing[0])}{more}"
                yield Violation.at_cut("told", case.lane, run.span.high, what, run.span.low.seq)


def _surely_left_a_lease(case: Case, run: Run) -> bool:
    """Whether a gate's run created the lease that is in force: it was on its way to open then, and no other run was."""
    if run.decision != "open":
        return False
    created = [lease.opened.seq for lease in case.leases if run.span.low.seq < lease.opened.seq < run.span.high.seq]
    others = [other.span for other in case.gate.runs if other is not run]
    return any(not any(other.low.seq < seq < other.high.seq for other in others) for seq in created)


def _texts_within(case: Case, run: Run) -> list[str]:
    """The messages to the lane's topic that were published while a run was on its way."""
    low, high = run.span.low.seq, run.span.high.seq
    return [
        message.text
        for message in case.facts.messages.get(case.lane.place, ())
        if low < message.cut.seq < high and message.topic.endswith(case.lane.suffix)
    ]
