"""One run of a campaign: restore the ground, carry out the plan, let the clock run, judge the history."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from patchgate.judge.judge import judge
from patchgate.rehearsal.campaign.adversary import Adversary
from patchgate.rehearsal.campaign.unemulated import refuse_unemulated

if TYPE_CHECKING:
    from patchgate.emulator.history import Record
    from patchgate.judge.violation import Violation
    from patchgate.rehearsal.campaign.ground import Ground, Grounds
    from patchgate.rehearsal.campaign.plan import RunPlan


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came of one run. ``digest`` is the SHA-256 of its history, ``installs`` counts those that were begun.

    ``struck`` are the faults that really did something, ``patched`` the machines whose install succeeded at least once.
    ``violations`` are in the order in which the promises were broken.
    """

    seed: int
    digest: str
    events: int
    installs: int
    patched: int
    denied: int
    holds: int
    struck: tuple[str, ...]
    violations: tuple[Violation, ...]


def carry_out(grounds: Grounds, ground: Ground, plan: RunPlan) -> RunOutcome:
    """Run a plan on its ground. The grounds' cloud keeps the run's history until the next run begins.

    Raises InputError where templates of others ask for what the embedded AWS does not implement.
    """
    terrain = ground.terrain.under(plan.assumptions)
    cloud = grounds.begin(ground, plan.seed, plan.assumptions)
    adversary = Adversary(cloud, terrain, plan.injections)
    adversary.begin()
    with refuse_unemulated(cloud.history, of_others=bool(ground.shape.stacks)):
        adversary.run()
    facts = terrain.facts
    if plan.calm is not None:
        calm_from = terrain.start + timedelta(seconds=plan.calm)
        facts = replace(facts, calm_from=calm_from, lively=ground.shape.lively)
    judgement = judge(cloud.history, lanes=[facts])
    return summarise(plan.seed, cloud.history, judgement.violations)


def summarise(seed: int, history: Iterable[Record], violations: tuple[Violation, ...]) -> RunOutcome:
    """Count what a history holds."""
    digest = hashlib.sha256()
    installs = denied = holds = events = 0
    patched: set[str] = set()
    struck: set[str] = set()
    for record in history:
        events += 1
        match record["event"]:
            case "FaultInjected":
                struck.add(record["fault"])
            case "PatchStarted":
                installs += record["operation"] == "Install"
            case "PatchEnded":
                if record["operation"] == "Install" and record["status"] == "Success":
                    patched.add(record["instance"])
            case "ParameterPut":
                holds += record["name"].endswith("/hold")
            case "AutomationStepEnded":
                outputs = record["outputs"] or {}
                denied += outputs.get("Decision") in ("deny", ["deny"])
    digest.update(history.to_json_lines().encode("ascii"))  # type: ignore[attr-defined]
    return RunOutcome(
        seed, digest.hexdigest(), events, installs, len(patched), denied, holds, tuple(sorted(struck)), violations
    )
