"""Liveness of templates that others wrote, as far as it can be known: they have no leases and give no verdicts.

Why a gate of theirs held a window, nobody can tell; but with every machine well and backed up there is no good reason.
In a window that opened, and whose tasks all ended well in time, whoever was well had to be patched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from patchgate.judge.case import Case, Occurrence
    from patchgate.judge.doings import Execution
    from patchgate.judge.estate import Instance

    Fitness = Callable[[Case, Instance, Occurrence], bool]

_OUT_OF_TIME = ("TIMED_OUT", "CANCELLED", "CANCELLING", "SKIPPED_OVERLAPPING")
_TERMINATED = "terminated"


def is_known(case: Case, occurrence: Occurrence, is_fit: Fitness) -> bool:
    """Whether an instance that is well had to be patched in a window, whatever the templates are like."""
    executions = list(_executions(case, occurrence))
    if any(one.ended is None or one.ended > occurrence.end or one.status in _OUT_OF_TIME for one in executions):
        return False
    if executions and all(one.status == "SUCCESS" for one in executions):
        return True
    there = [one for one in case.members if not _is_gone(case, one, occurrence)]
    return len(there) >= _fleet(case) and all(is_fit(case, one, occurrence) for one in there)


def _fleet(case: Case) -> int:
    """How many machines the lane began with: a gate that counts may hold, with a reason, when there are fewer."""
    begun = case.facts.cut_at(case.facts.instants[0])
    return sum(one.launched <= begun.seq for one in case.members)


def what_a_window_did(case: Case, instance: Instance, occurrence: Occurrence) -> str:
    """What a window did with an instance, in words."""
    executions = list(_executions(case, occurrence))
    if not executions:
        return "not opened"
    refusals = case.facts.refusals.get((case.lane.place, instance.instance), ())
    why = next((step.reason for step in refusals if occurrence.start <= step.at < occurrence.after), "")
    told = f"opened, and its tasks ended as {', '.join(one.status for one in executions)}"
    return f"{told}: {why}" if why else f"{told}; nothing was installed on it"


def _executions(case: Case, occurrence: Occurrence) -> Iterator[Execution]:
    for window in case.windows:
        yield from (one for one in window.executions if occurrence.start <= one.started < occurrence.end)


def _is_gone(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether it was terminated before a cycle began: no backup, gate or window is about it."""
    return instance.states.as_of(case.facts.cut_at(occurrence.before).seq) == _TERMINATED
