"""From a fleet and the facts of AWS to a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from patchgate._version import __version__
from patchgate.operations.check import CapacityFacts, CheckResult, check_lanes
from patchgate.operations.rollout.comparison import (
    compare_instance,
    compare_set,
    compare_stack,
    describe_obstacle,
    settle_kept,
)
from patchgate.operations.rollout.desired import DesiredStack, DesiredWave
from patchgate.operations.rollout.drift import summarize_drift
from patchgate.operations.rollout.facts import Facts, Kept, StackFacts, StackKey, digest_template
from patchgate.operations.rollout.limits import find_exceeded
from patchgate.operations.rollout.removal import with_removals
from patchgate.operations.rollout.steps import STAGES, Plan, PlannedWave, ScheduleProof, Step
from patchgate.operations.rollout.surplus import find_surplus
from patchgate.operations.rollout.survey import Survey, is_to_create

_BUCKET = "S3Bucket"


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is asked for. ``now`` is an aware UTC datetime; ``years`` of schedules are proved from that day on.

    ``prune``: what belongs to no lane is removed, and not only named. ``capacity``: how many instances lanes have, None
    where that is not known.
    """

    now: datetime
    years: int = 10
    allow_idle: bool = False
    prune: bool = False
    capacity: CapacityFacts | None = None


def plan_deployment(survey: Survey, request: PlanRequest) -> Plan:
    """The plan that brings the fleet to what its file says, with everything that forbids it among its problems."""
    facts, bodies = survey.facts, {digest_template(each.body): each.body for each in survey.desired}
    problems = list(_obstacles(survey))
    waves: list[PlannedWave] = []
    created: list[DesiredStack] = []
    for wave in survey.waves:
        planned, fresh = _plan_wave(wave, facts)
        waves.append(planned)
        created += fresh
    surplus = tuple(find_surplus(survey.desired, facts))
    if request.prune:
        waves = with_removals(waves, surplus, facts, survey.fleet.promotion)
    there = {each.stack_set for each in survey.desired}
    others = sum(name not in there for name in facts.sets)
    problems += find_exceeded(survey.lanes, survey.desired, created, facts.usage, others)
    proof = _prove(survey, request)
    return Plan(
        "deploy",
        survey.fleet.source,
        survey.fleet.organization.id,
        __version__,
        request.now,
        facts.caller.account,
        survey.fleet.deployment.member_role,
        survey.fleet.log_account,
        survey.lock_region,
        tuple(waves),
        survey.administration,
        bodies,
        () if request.prune else surplus,
        proof,
        tuple(problems),
        summarize_drift(survey),
    )


def _plan_wave(wave: DesiredWave, facts: Facts) -> tuple[PlannedWave, list[DesiredStack]]:
    """The wave's steps, and its backup-and-patch stacks that are to be created."""
    logs = {each.key: compare_stack(each, facts.stacks.get(each.key), Kept()) for each in wave.stacks
            if each.stage == "logs"}  # fmt: skip
    settled = [_settle(each, logs, facts) for each in wave.stacks]
    carried: dict[str, list[DesiredStack]] = {}
    for each in settled:
        if each.stack_set:
            carried.setdefault(each.stack_set, []).append(each)
    sets = {name: compare_set(members, facts.sets.get(name)) for name, members in carried.items()}
    steps: list[Step] = []
    for each in settled:
        kept = facts.kept.get(each.key, Kept())
        if each.stage == "logs":
            steps.append(logs[each.key])
        elif each.stack_set:
            steps.append(compare_instance(each, sets[each.stack_set], facts.sets.get(each.stack_set), kept))
        else:
            steps.append(compare_stack(each, facts.stacks.get(each.key), kept))
    created = [each for each in settled if each.vault and is_to_create(each, facts)]
    steps.sort(key=lambda step: STAGES.index(step.stage))
    return PlannedWave(wave.environment, tuple(steps), tuple(sets.values())), created


def _settle(desired: DesiredStack, logs: Mapping[StackKey, Step], facts: Facts) -> DesiredStack:
    """The stack with the name of its log bucket, as far as that is known, and what it must know of its vault."""
    if desired.bucket_of is not None:
        bucket = _bucket(logs[desired.bucket_of], facts.stacks.get(desired.bucket_of))
        if bucket:
            desired = replace(desired, parameters={**desired.parameters, _BUCKET: bucket}, bucket_of=None)
    return settle_kept(desired, _present(desired, facts), facts.kept.get(desired.key, Kept()))


def _bucket(step: Step, found: StackFacts | None) -> str:
    """The bucket that the stack has and keeps; '' when the deployment makes another one."""
    renamed = any(reason.startswith("PatchingLogsBucketName:") for reason in step.reasons)
    return found.outputs.get("BucketName", "") if found and step.action != "create" and not renamed else ""


def _present(desired: DesiredStack, facts: Facts) -> Mapping[str, str] | None:
    """The parameters of the stack that is there and works; None without one."""
    if is_to_create(desired, facts):
        return None
    if not desired.stack_set:
        return facts.stacks[desired.key].parameters
    found = facts.sets[desired.stack_set]
    return {**found.parameters, **found.instances[desired.account, desired.region].overrides}


def _prove(survey: Survey, request: PlanRequest) -> ScheduleProof:
    fleet = survey.fleet
    start = request.now.replace(hour=0, minute=0, second=0, microsecond=0)
    result = check_lanes(
        fleet.lanes(today=request.now.date()),
        fleet.organization.id,
        start,
        request.years,
        facts=request.capacity,
        allow_idle=request.allow_idle,
    )
    instances = sum(min(each.instances, each.capacity) for each in result.capacities)
    return ScheduleProof(result.start, result.until, result.windows, tuple(_findings(result)), instances)


def _findings(result: CheckResult) -> Iterator[str]:
    for finding in result.findings:
        lanes = ", ".join(finding.lanes[:3]) + (f" and {len(finding.lanes) - 3} more" if finding.lanes[3:] else "")
        detail = f": {finding.detail}" if finding.detail else ""
        yield f"{finding.rule} in {lanes}{detail}; {finding.mend}"


def _obstacles(survey: Survey) -> Iterator[str]:
    facts, tags = survey.facts, dict[str, Mapping[str, str]]()
    told: set[str] = set()
    manager = facts.organization.management_account if facts.organization else facts.caller.account
    if survey.fleet.deployment.mode == "service-managed" and facts.caller.account != manager:
        yield (
            f"service-managed stack sets are deployed from the management account, {manager}; "
            f"these are credentials of {facts.caller.account}"
        )
    for each in survey.desired:
        stack = facts.stacks.get(each.key)
        carried = facts.sets.get(each.name)
        if each.stack_set:
            if stack is not None:
                yield f"stack {'/'.join(each.key)} is there, but not of a stack set: destroy the fleet first"
            if tags.setdefault(each.stack_set, each.tags) != each.tags and each.stack_set not in told:
                told.add(each.stack_set)
                yield f"stack set {each.stack_set}: its lanes have different tags; a stack set has one set of tags"
            wanted = "SERVICE_MANAGED" if survey.fleet.deployment.mode == "service-managed" else "SELF_MANAGED"
            if carried is not None and carried.model != wanted and each.stack_set not in told:
                told.add(each.stack_set)
                yield f"stack set {each.stack_set} is {carried.model}: destroy the fleet with its old mode first"
        elif carried is not None and (each.account, each.region) in carried.instances:
            yield f"stack {'/'.join(each.key)} is of a stack set: destroy the fleet with that mode first"
        elif stack is not None and (problem := describe_obstacle(each, stack)):
            yield problem
