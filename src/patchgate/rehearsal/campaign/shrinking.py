"""The smallest plan that still breaks the promise: what a person should read instead of a stormy run.

The promise is the one that the run broke first. Templates may break another one in every run, with nothing going wrong;
a plan that breaks that one first is no counterexample to the promise that is being told of.

Injections are left out, in halves first and then one by one, until each is needed; then every open question of AWS that
does not matter is answered as most see it. Each step is a run; what remains is as small as these steps can make it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out

if TYPE_CHECKING:
    from patchgate.rehearsal.campaign.ground import Ground, Grounds
    from patchgate.rehearsal.campaign.plan import RunPlan

USUAL = Assumptions()


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A shrunk plan, what came of it, and how many runs that took."""

    plan: RunPlan
    outcome: RunOutcome
    runs: int


def shrink(
    grounds: Grounds,
    ground: Ground,
    plan: RunPlan,
    outcome: RunOutcome,
    progress: Callable[[int], None] = lambda _: None,
) -> Counterexample:
    """The smallest plan that breaks first the promise that ``outcome`` broke first. The grounds' cloud keeps the last
    run's history.

    ``progress`` is called with the number of runs so far. Raises ValueError for a run that broke nothing.
    """
    if not outcome.violations:
        raise ValueError(f"the run of seed {plan.seed} broke no promise")
    broken = outcome.violations[0].promise
    runs = 0

    def breaks(candidate: RunPlan) -> bool:
        nonlocal runs
        runs += 1
        progress(runs)
        found = carry_out(grounds, ground, candidate).violations
        return bool(found) and found[0].promise == broken

    plan = _with_fewer_injections(plan, breaks)
    plan = _with_usual_assumptions(plan, breaks)
    return Counterexample(plan, carry_out(grounds, ground, plan), runs)


def _with_fewer_injections(plan: RunPlan, breaks: Callable[[RunPlan], bool]) -> RunPlan:
    size = len(plan.injections) // 2
    while size:
        start = 0
        while start < len(plan.injections):
            rest = plan.injections[:start] + plan.injections[start + size :]
            if breaks(candidate := plan.with_injections(rest)):
                plan = candidate
            else:
                start += size
        size = min(size // 2, len(plan.injections)) if size > 1 else 0
    if len(plan.injections) == 1 and breaks(candidate := plan.with_injections(())):
        return candidate
    return plan


def _with_usual_assumptions(plan: RunPlan, breaks: Callable[[RunPlan], bool]) -> RunPlan:
    for field in fields(Assumptions):
        usual = getattr(USUAL, field.name)
        if getattr(plan.assumptions, field.name) != usual:
            candidate = replace(plan, assumptions=replace(plan.assumptions, **{field.name: usual}))
            plan = candidate if breaks(candidate) else plan
    return plan
