"""What is there and belongs to no lane of the fleet file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from patchgate.domain.environments import ENVIRONMENTS
from patchgate.domain.operating_systems import operating_systems
from patchgate.operations.rollout.desired import DesiredStack
from patchgate.operations.rollout.facts import Facts
from patchgate.operations.rollout.steps import SetStep, Stage, Step, Surplus
from patchgate.plan import names

_STACKS: tuple[tuple[Stage, names.NamePattern], ...] = (
    ("logs", names.LOGS_STACK),
    ("freezes", names.FREEZE_STACK),
    ("patch", names.PATCH_STACK),
    ("monitoring", names.MONITORING_STACK),
)


def identify(name: str) -> tuple[Stage, str, str] | None:
    """(stage, operating system, environment) of a stack that patchgate names so; None for any other name."""
    systems = "|".join(family.name for family in operating_systems())
    for stage, pattern in _STACKS:
        expression = pattern.render(os=f"({systems})", env=f"({'|'.join(ENVIRONMENTS)})")
        if match := re.fullmatch(expression, name):
            return stage, match[1], match[2]
    return None


def find_surplus(desired: list[DesiredStack], facts: Facts) -> Iterator[Surplus]:
    """Stacks, stack instances and whole stack sets of patchgate that no lane has, in the places that were read."""
    plain = {each.key for each in desired if not each.stack_set}
    wanted = {(each.stack_set, each.account, each.region) for each in desired if each.stack_set}
    for account, region, name in sorted(facts.stacks):
        if (account, region, name) not in plain and identify(name):
            yield Surplus(account, region, name)
    for name, found in sorted(facts.sets.items()):
        if not identify(name):
            continue
        for account, region in sorted(found.instances):
            if (name, account, region) not in wanted:
                yield Surplus(account, region, name, name)
        if not any(each[0] == name for each in wanted):
            yield Surplus("", "", name, name)


def remove_surplus(surplus: Surplus, facts: Facts) -> Step | SetStep:
    """The step that removes it."""
    identity = identify(surplus.name)
    if identity is None:
        raise ValueError(f"{surplus.name} is no stack of patchgate")
    reason = ("no lane of the fleet file has it",)
    if surplus.stack_set and not surplus.account:
        return SetStep("remove", identity[0], surplus.name, reason, seen=facts.sets[surplus.name].seen())
    place = surplus.account, surplus.region
    found = facts.sets[surplus.name].instances[place] if surplus.stack_set else facts.stacks[*place, surplus.name]
    return Step("remove", identity[0], *place, surplus.name, (), surplus.stack_set, reason, seen=found.seen())
