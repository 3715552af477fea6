"""The stacks of a fleet, in the order in which they need each other, without asking AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from patchgate.errors import InputError
from patchgate.operations.deployment import settle_lanes
from patchgate.operations.rollout.desired import LanePlace, list_desired
from patchgate.operations.rollout.steps import STAGES, SetAdministration
from patchgate.operations.rollout.survey import BySet

if TYPE_CHECKING:
    from patchgate.config import FleetConfig
    from patchgate.operations.rollout.desired import DesiredStack

ROOT = "@Root@"
"""Stands for the id of the organization's root, which the script asks for."""


@dataclass(frozen=True, slots=True)
class ExportedWave:
    """The stacks of one environment; those of stack sets by the set's name."""

    environment: str
    plain: tuple[DesiredStack, ...]
    sets: tuple[tuple[DesiredStack, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """What is written: the waves in the order of promotion, and where stack sets are, None without any."""

    fleet: FleetConfig
    waves: tuple[ExportedWave, ...]
    administration: SetAdministration | None = None

    @property
    def stacks(self) -> Iterator[DesiredStack]:
        """Every stack, those of stack sets too."""
        for wave in self.waves:
            yield from wave.plain
            for members in wave.sets:
                yield from members


def list_stacks(fleet: FleetConfig, today: date, *, by_sets: bool, management_account: str = "") -> Exported:
    """Every stack that ``patchgate deploy`` would make; ``by_sets``: carried by stack sets, as its file says.

    ``management_account``: the one that service-managed stack sets leave out, '' when no lane is there. InputError for
    a fleet file that is wrong, and for one whose deployment has no stack sets.
    """
    mode = fleet.deployment.mode if by_sets else "stacks"
    if by_sets and mode == "stacks":
        raise InputError(
            f"{fleet.source} deploys no stack sets: its deployment.mode is stacks",
            remedy="set deployment.mode to service-managed or self-managed, or give --for cloudformation",
        )
    configs = fleet.lanes(today=today)
    if not configs:
        raise InputError(f"{fleet.source} comes to no lane", remedy="look at its targets and their exceptions")
    settled = settle_lanes(configs, fleet.organization.id)
    lanes = [LanePlace.of(config, each) for config, each in zip(configs, settled, strict=True)]
    desired = list_desired(lanes, fleet.promotion, fleet.log_account, BySet(mode, management_account))
    waves = tuple(_wave(each.environment, each.stacks) for each in desired)
    if mode == "stacks":
        return Exported(fleet, waves)
    region = fleet.deployment.region or next(each.region for wave in waves for each in wave.plain)
    administration = SetAdministration(
        region,
        mode,
        ROOT if mode == "service-managed" else "",
        fleet.deployment.administration_role or "",
        fleet.deployment.execution_role or "",
    )
    return Exported(fleet, waves, administration)


def _wave(environment: str, stacks: tuple[DesiredStack, ...]) -> ExportedWave:
    ordered = sorted(stacks, key=lambda each: STAGES.index(each.stage))
    sets: dict[str, list[DesiredStack]] = {}
    for each in ordered:
        if each.stack_set:
            sets.setdefault(each.stack_set, []).append(each)
    plain = tuple(each for each in ordered if not each.stack_set)
    return ExportedWave(environment, plain, tuple(tuple(members) for members in sets.values()))
