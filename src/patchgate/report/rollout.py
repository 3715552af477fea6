"""A plan as a screen and as JSON: what happens to every lane, in the order in which it happens, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from patchgate.operations.rollout.plan_file import plan_to_json
from patchgate.operations.rollout.steps import Action, Plan, PlannedWave, SetStep, Step
from patchgate.report.screen import Line, Piece, Role, columns, draw, fit, one_line, wrap

_SIGNS: dict[Action, tuple[str, Role]] = {
    "create": ("+", "good"),
    "update": ("~", "warn"),
    "leave": ("=", "dim"),
    "remove": ("-", "bad"),
}
_REASONS_SHOWN = 6
_WIDEST_NAME = 60


def render_plan_json(plan: Plan) -> str:
    """The plan as one JSON object, without the templates' texts."""
    content: dict[str, Any] = plan_to_json(plan, bodies=False)
    return json.dumps(content, indent=1) + "\n"


def render_plan_text(plan: Plan, *, width: int, color: bool, ascii_only: bool, every: bool = False) -> str:
    """The screen of a plan; ``every``: also the stacks that stay as they are, one by one."""
    return draw(_lines(plan, width, every=every), color=color, ascii_only=ascii_only)


def summarize(plan: Plan, *, done: bool = False) -> str:
    """How many stacks and stack sets are created, updated, left and removed, in words; ``done``: were."""
    actions = [step.action for step in plan.steps()] + [each.action for wave in plan.waves for each in wave.sets]
    words: tuple[tuple[Action, str], ...] = (
        ("create", "created" if done else "to create"),
        ("update", "updated" if done else "to update"),
        ("remove", "removed" if done else "to remove"),
        ("leave", "left as they were" if done else "as they should be"),
    )
    counted = ((actions.count(action), action, said) for action, said in words)
    return ", ".join(f"{count} {said}" for count, action, said in counted if count or action == "leave")


def _lines(plan: Plan, width: int, *, every: bool) -> Iterator[Line]:
    yield (
        Piece(f"patchgate {'plan' if plan.purpose == 'deploy' else 'destroy'} · {one_line(plan.fleet)}", "title"),
        Piece(f" · {plan.organization} · from account {plan.deployer}", "dim"),
    )
    steps = [step for step in plan.steps() if every or step.action != "leave" or step.notes]
    widest = min(_WIDEST_NAME, max((columns(_name(step)) for step in steps), default=0))
    for number, wave in enumerate(plan.waves, 1):
        yield ()
        left = sum(step.action == "leave" for step in wave.steps)
        said = f"{len(wave.steps)} stacks" + (f", {left} as they should be" if left else "")
        yield (Piece(f"{number}  {wave.environment}", "title"), Piece(f"  {said}", "dim"))
        yield from _wave(wave, widest, width, every=every)
    yield ()
    yield from _proof(plan, width)
    yield from _drift(plan, width)
    for each in plan.surplus:
        where = f"{each.account}/{each.region}/{each.name}" if each.account else f"stack set {each.name}"
        text = f"{where} is of no lane of the fleet file; --prune removes it"
        yield from wrap((Piece("→ ", "warn"), Piece(one_line(text))), width=width, indent=2)
    for problem in plan.problems:
        yield from wrap((Piece("✗ ", "bad"), Piece(one_line(problem))), width=width, indent=2)
    yield (Piece(f"{summarize(plan)}.", "title"),)
    if plan.purpose == "destroy":
        kept = "Kept: backup vaults with their recovery points, backup roles, log buckets with what is in them."
        yield from wrap((Piece(kept),), width=width, indent=0)


def _wave(wave: PlannedWave, widest: int, width: int, *, every: bool) -> Iterator[Line]:
    for each in wave.sets:
        if every or each.action != "leave":
            yield from _entry(each, f"stack set {each.name}", each.name, 0, width)
    for step in wave.steps:
        if every or step.action != "leave" or step.notes:
            label = fit(_name(step), widest) if columns(_name(step)) <= widest else _name(step)
            yield from _entry(step, label, _stack_name(step), widest, width)


def _entry(step: Step | SetStep, label: str, stack: str, widest: int, width: int) -> Iterator[Line]:
    sign, role = _SIGNS[step.action]
    pieces = [Piece(f"   {sign} ", role), Piece(one_line(label))]
    if widest:
        pieces.append(Piece(f"  {one_line(stack)}", "dim"))
    yield tuple(pieces)
    trivial = step.action == "create" and step.reasons == ("not there",)
    reasons = () if trivial else step.reasons
    notes = step.notes if isinstance(step, Step) else ()
    for reason in (*reasons[:_REASONS_SHOWN], *notes):
        yield from wrap((Piece(f"       {one_line(reason)}", "dim"),), width=width, indent=9)
    if len(reasons) > _REASONS_SHOWN:
        yield (Piece(f"       and {len(reasons) - _REASONS_SHOWN} more changes", "dim"),)


def _name(step: Step) -> str:
    """The lane that the stack is for, or where it is when it serves several."""
    return one_line(step.lanes[0] if len(step.lanes) == 1 and step.stage != "logs" else f"{step.account}/{step.region}")


def _stack_name(step: Step) -> str:
    return f"{step.name} (stack set)" if step.stack_set else step.name


def _drift(plan: Plan, width: int) -> Iterator[Line]:
    drift = plan.drift
    if drift is None:
        return
    kinds = ((drift.drifted, "drifted"), (drift.in_sync, "in sync"), (drift.unknown, "unknown"))
    counts = ", ".join(f"{count} {word}" for count, word in kinds if count)
    when = f"; the oldest look is of {drift.oldest:%Y-%m-%d %H:%M} UTC" if drift.oldest else ""
    text = f" as CloudFormation last saw it: {counts}{when}. --detect-drift looks again."
    yield from wrap((Piece("Drift", "warn" if drift.drifted else "dim"), Piece(text)), width=width, indent=2)


def _proof(plan: Plan, width: int) -> Iterator[Line]:
    proof = plan.proof
    if proof is None:
        return
    span = f"{proof.start:%Y-%m-%d} to {proof.until:%Y-%m-%d}"
    if not proof.findings:
        fit = f" {proof.instances:,} instances fit into theirs." if proof.instances else ""
        yield (Piece("Order proved", "open"), Piece(f" for {proof.windows:,} windows, {span}.{fit}"))
    for finding in proof.findings:
        yield from wrap((Piece("✗ ", "bad"), Piece(one_line(finding))), width=width, indent=2)
    if proof.findings:
        yield (Piece("Order broken", "hold"), Piece(f", {span}; patchgate check FLEET says more."))
