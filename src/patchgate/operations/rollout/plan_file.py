"""A plan as JSON, and back. The format is an interface: docs/reference/deploy.md."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from patchgate.errors import InputError
from patchgate.operations.rollout.facts import digest_template
from patchgate.operations.rollout.steps import (
    DriftSummary,
    Plan,
    PlannedWave,
    ScheduleProof,
    SetAdministration,
    SetStep,
    Step,
    Surplus,
)

FORMAT = 1
_LARGEST_BYTES = 256 * 1024 * 1024


def plan_to_json(plan: Plan, *, bodies: bool = True) -> dict[str, Any]:
    """The plan as JSON says it; without ``bodies`` it is for reading only."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "purpose": plan.purpose,
        "fingerprint": plan.fingerprint,
        "fleet": plan.fleet,
        "organization": plan.organization,
        "version": plan.version,
        "made_at": plan.made_at.isoformat(),
        "deployer": plan.deployer,
        "member_role": plan.member_role,
        "log_account": plan.log_account,
        "lock_region": plan.lock_region,
        "changes": plan.changes,
        "problems": list(plan.problems),
        "proof": None,
        "drift": None,
        "administration": asdict(plan.administration) if plan.administration else None,
        "waves": [
            {
                "environment": wave.environment,
                "sets": [asdict(each) for each in wave.sets],
                "steps": [asdict(each) for each in wave.steps],
            }
            for wave in plan.waves
        ],
        "surplus": [asdict(each) for each in plan.surplus],
    }
    if plan.proof is not None:
        proof = plan.proof
        content["proof"] = {
            "from": proof.start.isoformat(),
            "until": proof.until.isoformat(),
            "windows": proof.windows,
            "findings": list(proof.findings),
            "instances": proof.instances,
        }
    if plan.drift is not None:
        oldest = plan.drift.oldest
        content["drift"] = asdict(plan.drift) | {"oldest": oldest.isoformat() if oldest else None}
    if bodies:
        content["bodies"] = dict(plan.bodies)
    return content


def render_plan_file(plan: Plan) -> str:
    """The text of a plan file."""
    return json.dumps(plan_to_json(plan), indent=1) + "\n"


def parse_plan_file(text: bytes, source: str) -> Plan:
    """The plan of a file's text. InputError for anything that is no plan, or was changed by hand."""
    try:
        content = json.loads(text) if len(text) <= _LARGEST_BYTES else None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise InputError(f"{source} is no plan file of this version", remedy=_ANEW)
        plan = _plan(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{source} is no plan file: {type(error).__name__}: {error}", remedy=_ANEW) from error
    wrong = [digest for digest, body in plan.bodies.items() if digest_template(body) != digest]
    needed = {step.template for step in plan.steps()} | {one.template for wave in plan.waves for one in wave.sets}
    missing = needed - {"", *plan.bodies}
    if plan.fingerprint != content["fingerprint"] or wrong or missing:
        raise InputError(f"{source} was changed after it was made", remedy=_ANEW)
    return plan


_ANEW = "make one with: patchgate plan FLEET --save FILE"


def _plan(content: dict[str, Any]) -> Plan:
    waves = tuple(
        PlannedWave(
            wave["environment"],
            tuple(Step(**_tuples(each)) for each in wave["steps"]),
            tuple(SetStep(**_tuples(each)) for each in wave["sets"]),
        )
        for wave in content["waves"]
    )
    proof = content["proof"]
    return Plan(
        content["purpose"],
        content["fleet"],
        content["organization"],
        content["version"],
        datetime.fromisoformat(content["made_at"]),
        content["deployer"],
        content["member_role"],
        content["log_account"],
        content["lock_region"],
        waves,
        SetAdministration(**content["administration"]) if content["administration"] else None,
        content["bodies"],
        tuple(Surplus(**each) for each in content["surplus"]),
        ScheduleProof(
            datetime.fromisoformat(proof["from"]),
            datetime.fromisoformat(proof["until"]),
            proof["windows"],
            tuple(proof["findings"]),
            proof["instances"],
        )
        if proof
        else None,
        tuple(content["problems"]),
        _drift(content["drift"]),
    )


def _drift(entry: dict[str, Any] | None) -> DriftSummary | None:
    if entry is None:
        return None
    oldest = datetime.fromisoformat(entry["oldest"]) if entry["oldest"] else None
    return DriftSummary(entry["drifted"], entry["in_sync"], entry["unknown"], oldest)


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    """JSON has no tuples: lists become them."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
