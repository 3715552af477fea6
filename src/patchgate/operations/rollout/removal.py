"""Plans that remove: a whole fleet, or what belongs to none of its lanes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from patchgate._version import __version__
from patchgate.operations.rollout.desired import DesiredWave
from patchgate.operations.rollout.facts import Facts
from patchgate.operations.rollout.steps import Plan, PlannedWave, SetStep, Step, Surplus
from patchgate.operations.rollout.surplus import find_surplus, identify, remove_surplus

if TYPE_CHECKING:
    from patchgate.operations.rollout.survey import Survey


def plan_removal(survey: Survey, now: datetime, *, prune: bool = False) -> Plan:
    """The plan that removes every stack and stack set of the fleet, in the opposite order.

    With ``prune``, what belongs to no lane goes too. ``now`` is an aware UTC datetime.
    """
    facts = survey.facts
    waves = [_removal(wave, facts) for wave in survey.waves]
    surplus = tuple(find_surplus(survey.desired, facts))
    if prune:
        waves = with_removals(waves, surplus, facts, survey.fleet.promotion)
    return Plan(
        "destroy",
        survey.fleet.source,
        survey.fleet.organization.id,
        __version__,
        now,
        facts.caller.account,
        survey.fleet.deployment.member_role,
        survey.fleet.log_account,
        survey.lock_region,
        tuple(reversed(waves)),
        survey.administration,
        {},
        () if prune else surplus,
    )


def with_removals(
    waves: Sequence[PlannedWave], surplus: Iterable[Surplus], facts: Facts, promotion: Sequence[str]
) -> list[PlannedWave]:
    """The waves with the removal of what is too much, in the wave of its environment."""
    steps: dict[str, list[Step]] = {}
    sets: dict[str, list[SetStep]] = {}
    for each in surplus:
        identity = identify(each.name)
        environment = identity[2] if identity else ""
        removal = remove_surplus(each, facts)
        if isinstance(removal, Step):
            steps.setdefault(environment, []).append(removal)
        else:
            sets.setdefault(environment, []).append(removal)
    known = {wave.environment: wave for wave in waves}
    order = [*promotion, *sorted({*steps, *sets} - set(promotion))]
    found = []
    for name in order:
        wave = known.get(name, PlannedWave(name, ()))
        wave = replace(wave, steps=(*wave.steps, *steps.get(name, ())), sets=(*wave.sets, *sets.get(name, ())))
        if wave.steps or wave.sets:
            found.append(wave)
    return found


def _removal(wave: DesiredWave, facts: Facts) -> PlannedWave:
    steps: list[Step] = []
    sets: dict[str, SetStep] = {}
    for each in wave.stacks:
        if each.stack_set:
            found = facts.sets.get(each.stack_set)
            if found is None:
                continue
            sets[each.stack_set] = SetStep("remove", each.stage, each.stack_set, seen=found.seen())
            instance = found.instances.get((each.account, each.region))
            seen = instance.seen() if instance else ""
        else:
            stack = facts.stacks.get(each.key)
            seen = stack.seen() if stack else ""
        if seen:
            notes = ("the bucket and what is in it are kept",) if each.stage == "logs" else ()
            notes = (f"the vault {each.vault}, its recovery points and the role are kept",) if each.vault else notes
            steps.append(Step("remove", each.stage, *each.key, each.lanes, each.stack_set, notes=notes, seen=seen))
    return PlannedWave(wave.environment, tuple(steps), tuple(sets.values()))
