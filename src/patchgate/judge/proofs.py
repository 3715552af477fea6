"""Ground truth: could an instance have been brought back, and was its lane open, when something was done to it?

A promise speaks of a proof that was *read* at most so many seconds before an install. So each question is
asked at every point of that span: once is enough, because no check-then-act can say more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from patchgate.judge.facts import Cut, Facts, Instance, LaneFacts, Lease, RecoveryPoint, Step

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to a question of ground truth. ``lacks`` is "" when it holds; ``witness`` are records' seqs."""

    lacks: str
    witness: tuple[int, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.lacks


def points_before(facts: Facts, lane: LaneFacts, step: Step) -> Iterator[Cut]:
    """Every point of the span before a step in which its proof may have been read, latest first."""
    earliest = facts.cut_at(step.at - lane.proof_read_within)
    for seq, at in facts.between(earliest.seq, step.seq):
        yield Cut(seq, at)
    yield earliest


def way_back(facts: Facts, lane: LaneFacts, instance: Instance, step: Step, *, any_vault: bool = False) -> Finding:
    """Whether a complete, fresh recovery point covered every volume at some point of the span before a step.

    ``any_vault`` asks for a way back at all, wherever it is kept.
    """
    if instance.root_device != "ebs":
        return Finding("its root is an instance store, which no recovery point holds", (step.seq,))
    answers = []
    for cut in points_before(facts, lane, step):
        answer = _covered_at(facts, lane, instance, cut, any_vault=any_vault)
        if answer.holds:
            return answer
        answers.append(answer)
    return answers[0]


def _covered_at(facts: Facts, lane: LaneFacts, instance: Instance, cut: Cut, *, any_vault: bool) -> Finding:
    attached = instance.volumes.as_of(cut.seq)
    if not attached:
        return Finding("nothing is known of its volumes", (instance.launched,))
    if lane.backup_resources == "volumes":
        return _each_volume_covered(facts, lane, instance, attached, cut, any_vault=any_vault)
    return _one_point_covers(facts, lane, instance.instance, attached, cut, any_vault=any_vault)


def _each_volume_covered(
    facts: Facts, lane: LaneFacts, instance: Instance, attached: frozenset[str], cut: Cut, *, any_vault: bool
) -> Finding:
    witness: list[int] = []
    for volume in sorted(attached):
        answer = _one_point_covers(facts, lane, volume, frozenset((volume,)), cut, any_vault=any_vault)
        if not answer.holds:
            return Finding(f"{volume}: {answer.lacks}", (instance.launched, *answer.witness))
        witness += answer.witness
    return Finding("", tuple(witness))


def _one_point_covers(
    facts: Facts, lane: LaneFacts, resource: str, attached: frozenset[str], cut: Cut, *, any_vault: bool
) -> Finding:
    """Whether one recovery point of ``resource`` will do; if not, what the newest one lacks."""
    newest: Finding | None = None
    for point in reversed(facts.recovery_points.get((lane.place, resource), [])):
        if point.completed > cut.seq:
            continue
        lacks = _lacks(point, lane, attached, cut, any_vault=any_vault)
        if not lacks:
            return Finding("", (point.completed,))
        newest = newest or Finding(f"{point.arn} {lacks}", (point.completed,))
    return newest or Finding(f"{resource} has no completed recovery point")


def _lacks(point: RecoveryPoint, lane: LaneFacts, attached: frozenset[str], cut: Cut, *, any_vault: bool) -> str:
    missing = sorted(attached - point.volumes)
    if not point.exists(cut.seq):
        return "was deleted"
    if not any_vault and lane.vault and point.vault != lane.vault:
        return f"is in the vault {point.vault}, not in {lane.vault}"
    if point.category not in ("SUCCESS", *lane.waived_message_categories):
        return f"completed with {point.category or 'no message category'}"
    if missing:
        return f"does not hold {', '.join(missing)}"
    if point.oldest is None or cut.at - point.oldest > lane.maximum_proof_age:
        return "is too old"
    return ""


def open_lease(facts: Facts, lane: LaneFacts, step: Step) -> Lease | None:
    """The newest lease of the lane that was open at some point of the span before the step."""
    leases = facts.leases.get((lane.place, lane.parameter_path.rstrip("/")), [])
    for cut in points_before(facts, lane, step):
        for lease in reversed(leases):
            if lease.is_open(cut.seq):
                return lease
    return None


def frozen_throughout(facts: Facts, lane: LaneFacts, step: Step) -> str:
    """The name of a freeze that stood during the whole span before the step; "" when there was none."""
    names = (f"{lane.parameter_path}freeze", "/patchgate/freeze")
    standing = [facts.freezes[lane.place, name] for name in names if (lane.place, name) in facts.freezes]
    if standing and all(any(freeze.as_of(cut.seq) for freeze in standing) for cut in points_before(facts, lane, step)):
        return " or ".join(name for name in names if (lane.place, name) in facts.freezes)
    return ""
