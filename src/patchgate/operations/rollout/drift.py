"""Drift of the stacks that are there: what CloudFormation last found, and having it look again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from patchgate.operations.rollout.facts import COMPLETE, InstanceFacts, StackFacts, StackKey
from patchgate.operations.rollout.steps import DriftSummary

if TYPE_CHECKING:
    from collections.abc import Callable

    from patchgate.operations.rollout.survey import Survey


class DriftDetector(Protocol):
    """Has CloudFormation look for drift, and waits until it has. Raises PatchgateError when AWS refuses or fails."""

    def detect_stacks(self, stacks: Iterable[StackKey]) -> None:
        """Look at plain stacks."""

    def detect_sets(self, sets: Iterable[str]) -> None:
        """Look at all instances of stack sets."""


def detect_drift(survey: Survey, detector: DriftDetector, tell: Callable[[str], None]) -> None:
    """Look at every stack and stack set of the fleet that is there and complete; the facts are to be read anew."""
    facts = survey.facts
    plain = {each.key: facts.stacks.get(each.key) for each in survey.desired if not each.stack_set}
    stacks = [key for key, found in plain.items() if found is not None and found.status in COMPLETE]
    wanted = dict.fromkeys(each.stack_set for each in survey.desired if each.stack_set)
    sets = [name for name in wanted if name in facts.sets and facts.sets[name].instances]
    tell(f"looking for drift of {len(stacks)} stacks and {len(sets)} stack sets")
    detector.detect_stacks(stacks)
    detector.detect_sets(sets)


def summarize_drift(survey: Survey) -> DriftSummary | None:
    """What CloudFormation last found of the fleet's stacks; None where none is there."""
    found = list(_there(survey))
    if not found:
        return None
    drifted = sum(each.drift == "DRIFTED" for each in found)
    in_sync = sum(each.drift == "IN_SYNC" for each in found)
    times = [each.drift_at for each in found if each.drift_at is not None]
    return DriftSummary(drifted, in_sync, len(found) - drifted - in_sync, min(times, default=None))


def _there(survey: Survey) -> Iterator[StackFacts | InstanceFacts]:
    facts = survey.facts
    for each in survey.desired:
        if each.stack_set:
            carrier = facts.sets.get(each.stack_set)
            instance = carrier.instances.get((each.account, each.region)) if carrier else None
            if instance is not None:
                yield instance
        elif (stack := facts.stacks.get(each.key)) is not None:
            yield stack
