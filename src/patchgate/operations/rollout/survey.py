"""What a plan rests on: the fleet with all of its lanes, and what AWS has of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from patchgate.domain.regions import region as find_region
from patchgate.errors import InputError
from patchgate.operations.deployment import settle_lanes
from patchgate.operations.rollout.desired import DesiredStack, DesiredWave, LanePlace, list_desired
from patchgate.operations.rollout.facts import FAILED_CREATION, Facts, FactsReader, KeptNames, OrganizationFacts
from patchgate.operations.rollout.steps import SetAdministration

if TYPE_CHECKING:
    from patchgate.config import FleetConfig
    from patchgate.domain.lane import Lane

_NO_ORGANIZATION = OrganizationFacts("", "", "")


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

    @property
    def lock_region(self) -> str:
        """Where in the log account the lock of deployments is: with the first log bucket."""
        return next(each.region for each in self.desired if each.stage == "logs")


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
    by_set = BySet(deployment.mode, (organization or _NO_ORGANIZATION).management_account)
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


def is_to_create(desired: DesiredStack, facts: Facts) -> bool:
    """Whether the stack is not there, or only as the remains of a failed creation."""
    if desired.stack_set:
        found = facts.sets.get(desired.stack_set)
        instance = found.instances.get((desired.account, desired.region)) if found else None
        return instance is None or instance.status != "CURRENT"
    stack = facts.stacks.get(desired.key)
    return stack is None or stack.status in FAILED_CREATION


@dataclass(frozen=True, slots=True)
class BySet:
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
    fresh = [each for each in desired if each.vault and is_to_create(each, facts)]
    kept = reader.kept([KeptNames(each.key, each.vault, each.role) for each in fresh])
    usage = reader.usage(dict.fromkeys((each.account, each.region) for each in fresh))
    return replace(facts, kept=kept, usage=usage)
