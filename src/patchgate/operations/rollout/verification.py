"""Whether AWS is still as a plan saw it, and whether what was deployed is as it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from patchgate.errors import PatchgateError
from patchgate.operations.rollout.facts import COMPLETE, FAILED_CREATION, Facts, FactsReader
from patchgate.operations.rollout.journal import Progress
from patchgate.operations.rollout.steps import Plan, PlannedWave, SetStep, Step

if TYPE_CHECKING:
    from patchgate.operations.rollout.facts import SetFacts, StackFacts

_POLL_SECONDS = 5.0
_PATIENCE_SECONDS = 3600.0
_SHOWN = 5


class ChangedFactsError(PatchgateError):
    """AWS is not as the plan saw it."""


def read_planned(plan: Plan, reader: FactsReader) -> Facts:
    """The facts of everything that the plan is about."""
    caller = reader.caller()
    sets = reader.sets(plan.administration.region) if plan.administration else {}
    places = dict.fromkeys(step.place for step in plan.steps() if not step.stack_set)
    return replace(Facts(caller), stacks=reader.stacks(places), sets=sets)


def await_settled(read: Callable[[], Facts], pause: Callable[[float], None], tell: Callable[[str], None]) -> Facts:
    """The facts, once no operation is changing anything of them; what is waited for is told.

    Raises PatchgateError when an hour was not enough.
    """
    waited = 0.0
    while busy := (facts := read()).in_progress():
        if waited >= _PATIENCE_SECONDS:
            raise PatchgateError(
                f"still in progress after an hour: {', '.join(busy)}", remedy="look at its events, and try again later"
            )
        tell(f"waiting for {', '.join(busy[:_SHOWN])}")
        pause(_POLL_SECONDS)
        waited += _POLL_SECONDS
    return facts


def check_unchanged(plan: Plan, facts: Facts, progress: Progress) -> frozenset[str]:
    """The stacks and stack sets of the plan that need nothing more, because an earlier attempt did them.

    Raises ChangedFactsError when anything else is not as the plan saw it: what it does was decided for that. What an
    earlier attempt failed to make, and AWS rolled back, may be tried again.
    """
    if facts.caller.account != plan.deployer:
        raise ChangedFactsError(
            f"the plan was made from account {plan.deployer}, these are credentials of {facts.caller.account}",
            remedy=f"use credentials of {plan.deployer}, or make a new plan",
        )
    done, changed, failures = set[str](), list[str](), find_own_failures(plan, facts, progress)
    for wave in plan.waves:
        touched = {step.stack_set for step in wave.steps if "/".join(step.key) in progress.begun}
        for change in wave.sets:
            if change.name in touched and _is_set_achieved(change, facts):
                done.add(change.name)
            elif _seen_of_set(change, facts) != change.seen:
                changed.append(f"stack set {change.name}")
        for step in wave.steps:
            key = "/".join(step.key)
            if key in progress.begun and (step.action == "leave" or _is_achieved(step, facts)):
                done.add(key)
            elif _seen_of(step, facts) != step.seen and key not in failures:
                changed.append(key)
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if changed[_SHOWN:] else ""
        raise ChangedFactsError(
            f"AWS has changed since the plan was made: {', '.join(changed[:_SHOWN])}{more}",
            remedy="look at a new plan: patchgate plan FLEET --save FILE",
        )
    return frozenset(done)


def find_own_failures(plan: Plan, facts: Facts, progress: Progress) -> frozenset[str]:
    """The plain stacks that an earlier attempt at the plan began and AWS rolled back: as they were, but for that."""
    return frozenset("/".join(step.key) for step in plan.steps() if _is_own_failure(step, facts, progress))


def _is_own_failure(step: Step, facts: Facts, progress: Progress) -> bool:
    stack = facts.stacks.get(step.key)
    if step.stack_set or stack is None or "/".join(step.key) not in progress.begun:
        return False
    if step.action == "create":
        keeps = step.stage == "patch"  # its vault and role stay: what is made next must be told of them by a new plan
        return stack.status in FAILED_CREATION and not keeps and (not step.seen or step.clear_first)
    rolled_back = step.action == "update" and stack.status == "UPDATE_ROLLBACK_COMPLETE"
    return rolled_back and any(replace(stack, status=each).seen() == step.seen for each in COMPLETE)


def find_unsettled(wave: PlannedWave, facts: Facts) -> Iterator[str]:
    """What a wave that was carried out should have, and has not: the bake condition."""
    for step in wave.steps:
        if step.action in ("create", "update") and not _is_healthy(step, facts):
            yield f"{'/'.join(step.key)}: {_describe(step, facts)}"


def _is_healthy(step: Step, facts: Facts) -> bool:
    if step.stack_set:
        found = facts.sets.get(step.stack_set)
        instance = found.instances.get(step.place) if found else None
        return instance is not None and instance.status == "CURRENT"
    stack = facts.stacks.get(step.key)
    return stack is not None and stack.status in COMPLETE and stack.status != "UPDATE_ROLLBACK_COMPLETE"


def _describe(step: Step, facts: Facts) -> str:
    if step.stack_set:
        found = facts.sets.get(step.stack_set)
        instance = found.instances.get(step.place) if found else None
        return f"its stack instance is {instance.status}: {instance.reason}" if instance else "there is none"
    stack = facts.stacks.get(step.key)
    return f"it is {stack.status}: {stack.reason}" if stack else "there is none"


def _is_achieved(step: Step, facts: Facts) -> bool:
    """Whether the stack is as the step wants it; what was to be removed is gone."""
    if step.action == "remove":
        return not _seen_of(step, facts)
    if not _is_healthy(step, facts):
        return False
    if step.stack_set:
        found = facts.sets[step.stack_set]
        present = {**found.parameters, **found.instances[step.place].overrides}
        return _is_made(step, found, present)
    stack = facts.stacks[step.key]
    return _is_made(step, stack, stack.parameters)


def _is_set_achieved(change: SetStep, facts: Facts) -> bool:
    """Whether the set itself, without its instances, is as the plan wants it."""
    found = facts.sets.get(change.name)
    if found is None or change.action == "remove":
        return found is None and change.action == "remove"
    return _is_made(change, found, found.parameters)


def _is_made(wanted: Step | SetStep, found: StackFacts | SetFacts, present: Mapping[str, str]) -> bool:
    """Whether template, tags and parameters are those that are wanted; what only AWS knew comes on top of these."""
    same = found.template == wanted.template and dict(found.tags) == dict(wanted.tags)
    return same and dict(wanted.parameters).items() <= dict(present).items()


def _seen_of(step: Step, facts: Facts) -> str:
    if step.stack_set:
        found: SetFacts | None = facts.sets.get(step.stack_set)
        instance = found.instances.get(step.place) if found else None
        return instance.seen() if instance else ""
    stack = facts.stacks.get(step.key)
    return stack.seen() if stack else ""


def _seen_of_set(change: SetStep, facts: Facts) -> str:
    found = facts.sets.get(change.name)
    return found.seen() if found else ""
