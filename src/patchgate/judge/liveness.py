"""Liveness: with nothing going wrong any more, every proven instance is patched within two windows.

Proven and well is an instance that was there and in the lane all the while, up, with an agent that answers and can
refuse, backed up before the gate in a way that holds to the window's end, in a lane without a freeze that was not held
for a true reason, and that capacity and the others' failures did not keep from its turn (:mod:`crowding`).
Patched is one whose install left nothing undone (:mod:`installed`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from patchgate.judge.crowding import is_crowded_out, is_denied_in_evidence, runs_of
from patchgate.judge.fitness import is_fit
from patchgate.judge.installed import left_undone, was_patched
from patchgate.judge.liveness_of_others import is_known, what_a_window_did
from patchgate.judge.sayings import NOT_DUE
from patchgate.judge.verdicts import contradiction_of
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from patchgate.judge.case import Case, Occurrence
    from patchgate.judge.doings import Said
    from patchgate.judge.estate import Instance

OUT_OF_TIME = ("lease-expired", "frozen")
"""Denials of instances that are well: their turn came when admission had ended, or a calendar that the history does not
show was closed.
"""


def unpatched(case: Case) -> Iterator[Violation]:
    """Who was well in two windows in a row after the calm began, and was patched in neither."""
    calm = case.lane.calm_from
    if calm is None or not case.lane.lively:
        return
    pairs = list(pairwise(one for one in case.occurrences if one.start >= calm))
    for instance in case.members:
        if instance.launched > case.facts.cut_at(calm).seq:
            continue
        windows = next((pair for pair in pairs if _was_passed_over(case, instance, pair)), None)
        if windows is None:
            continue
        told = "; ".join(f"{one.start.isoformat()}: {_what_happened(case, instance, one)}" for one in windows)
        end = case.facts.cut_at(windows[-1].end)
        yield Violation.at_cut(
            "liveness",
            case.lane,
            end,
            f"{instance.instance} was well and not patched in two windows: {told}",
            instance.launched,
            instance=instance.instance,
        )


def failed_in_calm(case: Case) -> Iterator[Violation]:
    """A run of the gate, the close or the watchdog that began in the calm and failed, or was given up; and a runbook of
    which the evidence says that its machine was denied: that is an answer, and not to use up the error budget.
    """
    calm = case.lane.calm_from
    if calm is None:
        return
    for name, function in ((case.lane.open_function, case.gate), (case.lane.close_function, case.closing)):
        begun = {request: cut for cut, request in reversed(function.begun)}
        failed = [(run.request, run.span.high) for run in function.runs if not run.succeeded]
        failed += [(request, cut) for cut, request, _ in function.discarded]
        for request, cut in failed:
            first = begun.get(request, cut)
            if first.at > calm:
                yield Violation.at_cut("works", case.lane, cut, f"{name} failed with nothing going wrong", first.seq)
    for run in case.runbooks:
        if (
            run.ended is not None
            and run.started.at > calm
            and run.status != "Success"
            and is_denied_in_evidence(case, run)
        ):
            what = f"the runbook of {run.instance} was a denial, and ended as {run.status}"
            yield Violation.at_cut("works", case.lane, run.ended, what, run.started.seq, instance=run.instance)


def _was_passed_over(case: Case, instance: Instance, windows: Iterable[Occurrence]) -> bool:
    return not any(was_patched(case, instance, one) or not _is_well(case, instance, one) for one in windows)


def _is_well(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    if not case.lane.has_gate:
        return is_fit(case, instance, occurrence) and is_known(case, occurrence, is_fit)
    return (
        is_fit(case, instance, occurrence)
        and not _lane_is_rightly_held(case, occurrence)
        and not _is_rightly_late(case, instance, occurrence)
        and not is_crowded_out(case, instance, occurrence)
    )


def _held(case: Case, occurrence: Occurrence) -> list[Said]:
    return [
        said
        for said in case.said_of.get("", ())
        if said.source == case.lane.open_function and occurrence.before <= said.span.high.at < occurrence.start
    ]


def _lane_is_rightly_held(case: Case, occurrence: Occurrence) -> bool:
    """Whether the last gate before a window held it for a reason that was so, and was due in its lead at all."""
    held = _held(case, occurrence)
    if case.leases_of(occurrence) or not held or held[-1].reason == NOT_DUE:
        return False
    return not contradiction_of(case, held[-1])


def _is_rightly_late(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether its turn came when admission had ended, or in a freeze: a calendar may be one that no history shows."""
    return any(
        said.reason in OUT_OF_TIME and not contradiction_of(case, said)
        for said in case.said_of.get(instance.instance, ())
        if occurrence.start <= said.span.high.at < occurrence.after
    )


def _what_happened(case: Case, instance: Instance, occurrence: Occurrence) -> str:
    """What a window did with an instance, in words."""
    if not case.lane.has_gate:
        return what_a_window_did(case, instance, occurrence)
    if not case.leases_of(occurrence):
        held = _held(case, occurrence)
        return f"held with {held[-1].reason}" if held else "not opened"
    runs = runs_of(case, occurrence, instance)
    if not runs:
        return "opened, and it was not reached"
    last = runs[-1]
    ends = case.facts.ends.get((last.place, last.instance), ())
    ended = [end for end in ends if end.seq > last.started.seq and end.at < occurrence.after]
    undone = left_undone(case, ended[-1], occurrence.start) if ended else ""
    if last.proof is not None and last.proof.get("Decision") == "deny":
        return f"denied with {last.proof.get('Reason')}"
    told = f"its runbook ended as {last.status or 'unfinished'} {last.failure}".strip()
    return f"{told}: {undone}" if undone else told
