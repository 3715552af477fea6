"""Ground truth: could an instance have been brought back when something was done to it?

A promise speaks of a proof that was *read* at most so many seconds before an install. So each question is asked of
that whole span: what was so at any point of it may have been read, because no check-then-act can say more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from patchgate.judge.case import Case
    from patchgate.judge.estate import Instance, RecoveryPoint
    from patchgate.judge.spans import Span


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to a question of ground truth. ``lacks`` is "" when it holds; ``witness`` are records' seqs."""

    lacks: str
    witness: tuple[int, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.lacks


def way_back(case: Case, instance: Instance, span: Span, *, any_vault: bool = False) -> Finding:
    """Whether complete, fresh recovery points held every attached volume at some point of a span.

    ``any_vault`` asks for a way back at all, wherever it is kept.
    """
    if instance.root_device != "ebs":
        return Finding("its root is an instance store, which no recovery point holds", (instance.launched,))
    answer = Finding("nothing is known of its volumes", (instance.launched,))
    for attached in reversed(instance.volumes.seen(span)):
        if not attached:
            continue
        if case.lane.backup_resources == "volumes":
            answer = _each_volume_covered(case, attached, span, any_vault=any_vault)
        else:
            answer = _one_point_covers(case, instance.instance, attached, span, any_vault=any_vault)
        if answer.holds:
            return answer
    if not answer.holds and len(instance.volumes.values) > 1:
        return Finding(answer.lacks, (*answer.witness, instance.volumes.seqs[-1]))
    return answer


def _each_volume_covered(case: Case, attached: frozenset[str], span: Span, *, any_vault: bool) -> Finding:
    witness: list[int] = []
    for volume in sorted(attached):
        answer = _one_point_covers(case, volume, frozenset((volume,)), span, any_vault=any_vault)
        if not answer.holds:
            return Finding(f"{volume}: {answer.lacks}", answer.witness)
        witness += answer.witness
    return Finding("", tuple(witness))


def _one_point_covers(case: Case, resource: str, attached: frozenset[str], span: Span, *, any_vault: bool) -> Finding:
    """Whether one recovery point of ``resource`` will do; if not, what the newest one lacks."""
    newest: Finding | None = None
    for job in reversed(case.facts.jobs.get((case.lane.place, resource), [])):
        point = job.point
        if point is None or point.completed.seq > span.high.seq:
            continue
        lacks = lack_of(case, point, attached, span, any_vault=any_vault)
        if not lacks:
            return Finding("", (point.completed.seq,))
        newest = newest or Finding(f"{point.arn} {lacks}", (point.completed.seq,))
    return newest or Finding(f"{resource} has no completed recovery point")


def lack_of(case: Case, point: RecoveryPoint, attached: frozenset[str], span: Span, *, any_vault: bool = False) -> str:
    """Why a recovery point proved nothing at any point of a span; "" when it did prove the attached volumes."""
    lane = case.lane
    missing = ", ".join(sorted(attached - point.volumes))
    elsewhere = not any_vault and lane.vault and point.vault != lane.vault
    expired = not any_vault and point.expired is not None and point.expired <= span.low.seq
    read_at = max(span.low.at, point.completed.at)
    too_old = point.oldest is None or read_at - point.oldest > lane.maximum_proof_age
    found = (
        (point.completed.seq > span.high.seq, "was not complete"),
        (not point.existed(span), "was deleted"),
        (expired, "had expired"),
        (elsewhere, f"is in the vault {point.vault}, not in {lane.vault}"),
        (not lane.accepts(point.category), f"completed with {point.category or 'no message category'}"),
        (missing, f"does not hold {missing}"),
        (too_old, "is too old"),
    )
    return next((text for speaks_against, text in found if speaks_against), "")
