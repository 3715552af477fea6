"""The lanes of a fleet file, each with the stacks that it should have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from patchgate.errors import InputError
from patchgate.operations.deployment import settle_lanes
from patchgate.operations.rollout.desired import LanePlace, find_unused, list_desired

if TYPE_CHECKING:
    from patchgate.config import FleetConfig
    from patchgate.domain.lane import Lane
    from patchgate.operations.deployment import LaneSettings
    from patchgate.operations.rollout.desired import DesiredStack
    from patchgate.operations.rollout.facts import FactsReader
    from patchgate.operations.rollout.steps import Stage

_SETTLED_LATER = frozenset({"S3Bucket", "CreateBackupVault", "CreateBackupRole"})
"""Parameters whose value a deployment finds out: from the log bucket's stack, and from what an earlier one kept."""


@dataclass(frozen=True, slots=True)
class ExpectedLane:
    """A lane, the values that its fleet file comes to, and its stacks by their stage."""

    settings: LaneSettings
    stacks: Mapping[Stage, DesiredStack]

    @property
    def lane(self) -> Lane:
        return self.settings.lane

    def differences(self, stage: Stage, present: Mapping[str, str]) -> Iterator[str]:
        """The parameters of a stack that is there, which have other values than the fleet file says, and matter."""
        wanted = self.stacks[stage].parameters
        found = [name for name in wanted if name not in _SETTLED_LATER and present.get(name) != wanted[name]]
        unused = find_unused(stage, wanted, present) if found else frozenset()
        yield from (name for name in found if name not in unused)


def resolve_units(fleet: FleetConfig, reader: FactsReader) -> FleetConfig:
    """The fleet with the accounts of its organizational units, which are asked for only where it has any."""
    unresolved = [unit.id for unit in fleet.unresolved()]
    if not unresolved:
        return fleet
    organization = reader.organization()
    if organization.id != fleet.organization.id:
        raise InputError(
            f"{fleet.source} is for organization {fleet.organization.id}, these credentials are of {organization.id}",
            remedy="use credentials of the fleet's organization",
        )
    return fleet.with_units(reader.accounts_of(unresolved))


def list_expected(fleet: FleetConfig, today: date) -> list[ExpectedLane]:
    """Every lane, in the order of the file. InputError for a fleet file that is wrong or comes to no lane."""
    configs = fleet.lanes(today=today)
    if not configs:
        raise InputError(f"{fleet.source} comes to no lane", remedy="look at its targets and their exceptions")
    settled = settle_lanes(configs, fleet.organization.id)
    places = [LanePlace.of(config, each) for config, each in zip(configs, settled, strict=True)]
    stacks: dict[str, dict[Stage, DesiredStack]] = {}
    for wave in list_desired(places, fleet.promotion, fleet.log_account, lambda _: False):
        for stack in wave.stacks:
            for name in stack.lanes:
                stacks.setdefault(name, {})[stack.stage] = stack
    return [ExpectedLane(each, stacks[each.lane.name]) for each in settled]
