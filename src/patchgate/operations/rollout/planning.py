"""From a fleet and the facts of AWS to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from patchgate._version import __version__
from patchgate.domain.regions import region as find_region
from patchgate.errors import InputError
from patchgate.operations.check import CheckResult, check_lanes
from patchgate.operations.deployment import settle_lanes
from patchgate.operations.rollout.comparison import (
    compare_instance,
    compare_set,
    compare_stack,
    describe_obstacle,
    settle_kept,
)
from patchgate.operations.rollout.desired import DesiredStack, DesiredWave, LanePlace, list_desired
from patchgate.operations.rollout.facts import (
    FAILED_CREATION,
    Facts,
    FactsReader,
    Kept,
    KeptNames,
    OrganizationFacts,
    StackFacts,
    StackKey,
    digest_template,
)
from patchgate.operations.rollout.limits import find_exceeded
from patchgate.operations.rollout.steps import (
    STAGES,
    Plan,
    PlannedWave,
    ScheduleProof,
    SetAdministration,
    SetStep,
    Step,
    Surplus,
)
from patchgate.operations.rollout.surplus import find_surplus, identify, remove_surplus

if TYPE_CHECKING:
    from patchgate.config import FleetConfig
    from patchgate.domain.lane import Lane

_NO_ORGANIZATION = OrganizationFacts("", "", "")
_BUCKET = "S3Bucket"


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is asked for. ``now`` is an aware UTC datetime; ``years`` of schedules are proved from that day on.

    ``prune``: what belongs to no lane is removed, and not only named.
    """

    now: datetime
    years: int = 10
    allow_idle: bool = False
    prune: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """A fleet with all of its lanes, what should be there, and the facts that were read of it."""

    fleet: FleetConfig
    lanes: tuple[LanePlace, ...]
    waves: tuple[DesiredWave, ...]
    facts: Facts
    administration: SetAdministration | None

    @property
    def desired(self) -> list[DesiredStack]:
        """Every stack that should be there."""
        return [each for wave in self.waves for each in wave.stacks]


def survey_fleet(fleet: FleetConfig, reader: FactsReader, now: datetime) -> Survey:
    """Read everything that a plan rests on: accounts, organizational units, stacks and stack sets.

    Stacks of members that stack sets carry are not read. Raises InputError for a fleet file that is wrong,
    PatchgateError when AWS refuses to answer.
    """
    deployment, caller = fleet.deployment, reader.caller()
    unresolved = [unit.id for unit in fleet.unresolved()]
    organization = reader.organization() if unresolved or deployment.mode == "service-managed" else None
    if organization is not None and organization.id != fleet.organization.id:
        raise InputError(
            f"{fleet.source} is for organization {fleet.organization.id}, account {caller.account} is in "
            f"{organization.id}",
            remedy="use credentials of the fleet's organization",
        )
    fleet = fleet.with_units(reader.accounts_of(unresolved)) if unresolved else fleet
    configs = fleet.lanes(today=now.date())
    if not configs:
        raise InputError(f"{fleet.source} comes to no lane", remedy="look at its targets and their exceptions")
    settled = settle_lanes(configs, fleet.organization.id)
    lanes = tuple(LanePlace.of(config, each) for config, each in zip(configs, settled, strict=True))
    by_set = _carried_by_sets(fleet, organization or _NO_ORGANIZATION)
    waves = tuple(list_desired(lanes, fleet.promotion, fleet.log_account, by_set))
    logs = next(each for wave in waves for each in wave.stacks if each.stage == "logs")
    administration = None
    if deployment.mode != "stacks":
        root = organization.root if organization else ""
        administration = SetAdministration(
            deployment.region or logs.region,
            deployment.mode,
            root,
            deployment.administration_role or "",
            deployment.execution_role or "",
        )
    desired = [each for wave in waves for each in wave.stacks]
    facts = _read(reader, desired, Facts(caller, organization), administration)
    return Survey(fleet, lanes, waves, facts, administration)


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
        waves = _with_removals(waves, surplus, facts, survey.fleet.promotion)
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
        _lock_region(survey),
        tuple(waves),
        survey.administration,
        bodies,
        () if request.prune else surplus,
        proof,
        tuple(problems),
    )


def plan_removal(survey: Survey, request: PlanRequest) -> Plan:
    """The plan that removes every stack and stack set of the fleet, in the opposite order.

    Of ``request`` only the time and ``prune`` count: with it, what belongs to no lane goes too.
    """
    facts = survey.facts
    waves = [_removal(wave, facts) for wave in survey.waves]
    surplus = tuple(find_surplus(survey.desired, facts))
    if request.prune:
        waves = _with_removals(waves, surplus, facts, survey.fleet.promotion)
    return Plan(
        "destroy",
        survey.fleet.source,
        survey.fleet.organization.id,
        __version__,
        request.now,
        facts.caller.account,
        survey.fleet.deployment.member_role,
        survey.fleet.log_account,
        _lock_region(survey),
        tuple(reversed(waves)),
        survey.administration,
        {},
        () if request.prune else surplus,
    )


def _carried_by_sets(fleet: FleetConfig, organization: OrganizationFacts) -> _BySet:
    return _BySet(fleet.deployment.mode, organization.management_account)


@dataclass(frozen=True, slots=True)
class _BySet:
    """Whether a stack set carries a lane's stacks: never in the management account when the service manages the sets,
    nor in China, where stack sets have no trusted access.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html
    """

    mode: str
    management_account: str

    def __call__(self, lane: Lane) -> bool:
        if self.mode != "service-managed":
            return self.mode == "self-managed"
        return lane.account != self.management_account and find_region(lane.region).partition != "aws-cn"


def _read(
    reader: FactsReader, desired: Sequence[DesiredStack], facts: Facts, administration: SetAdministration | None
) -> Facts:
    sets = reader.sets(administration.region) if administration else {}
    facts = replace(facts, sets=sets)
    carried = [each for each in desired if each.stack_set]
    absent = [
        each for each in carried
        if each.stack_set not in sets or (each.account, each.region) not in sets[each.stack_set].instances
    ]  # fmt: skip
    plain = [each for each in desired if not each.stack_set]
    places = dict.fromkeys((each.account, each.region) for each in (*plain, *absent))
    facts = replace(facts, stacks=reader.stacks(places))
    fresh = [each for each in desired if each.vault and _is_to_create(each, facts)]
    kept = reader.kept([KeptNames(each.key, each.vault, each.role) for each in fresh])
    usage = reader.usage(dict.fromkeys((each.account, each.region) for each in fresh))
    return replace(facts, kept=kept, usage=usage)


def _is_to_create(desired: DesiredStack, facts: Facts) -> bool:
    """Whether the stack is not there, or only as the remains of a failed creation."""
    if desired.stack_set:
        found = facts.sets.get(desired.stack_set)
        instance = found.instances.get((desired.account, desired.region)) if found else None
        return instance is None or instance.status != "CURRENT"
    stack = facts.stacks.get(desired.key)
    return stack is None or stack.status in FAILED_CREATION


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
    created = [each for each in settled if each.vault and _is_to_create(each, facts)]
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
    if _is_to_create(desired, facts):
        return None
    if not desired.stack_set:
        return facts.stacks[desired.key].parameters
    found = facts.sets[desired.stack_set]
    return {**found.parameters, **found.instances[desired.account, desired.region].overrides}


def _obstacles(survey: Survey) -> Iterator[str]:
    facts, tags = survey.facts, dict[str, Mapping[str, str]]()
    told: set[str] = set()
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


def _with_removals(
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


def _prove(survey: Survey, request: PlanRequest) -> ScheduleProof:
    fleet = survey.fleet
    start = request.now.replace(hour=0, minute=0, second=0, microsecond=0)
    result = check_lanes(
        fleet.lanes(today=request.now.date()),
        fleet.organization.id,
        start,
        request.years,
        allow_idle=request.allow_idle,
    )
    return ScheduleProof(result.start, result.until, result.windows, tuple(_findings(result)))


def _findings(result: CheckResult) -> Iterator[str]:
    for finding in result.findings:
        lanes = ", ".join(finding.lanes[:3]) + (f" and {len(finding.lanes) - 3} more" if finding.lanes[3:] else "")
        detail = f": {finding.detail}" if finding.detail else ""
        yield f"{finding.rule} in {lanes}{detail}; {finding.mend}"


def _lock_region(survey: Survey) -> str:
    return next(each.region for each in survey.desired if each.stage == "logs")
