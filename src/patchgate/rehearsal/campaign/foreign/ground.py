"""A lane of templates that others wrote, as a terrain: what faults and the judge must know of it.

It is read off the deployed resources: the maintenance window that installs, the tags of its targets, the backup plan's
vault and tags, and which scheduled functions run before the window and after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Literal

from patchgate.emulator.cloud import Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.ssm_windows_model import window_times
from patchgate.errors import InputError
from patchgate.judge.lane import LaneFacts
from patchgate.judge.left_open import closing_deadline
from patchgate.operations.deployment import CAPABILITIES
from patchgate.rehearsal.campaign.fitting import unfitting
from patchgate.rehearsal.campaign.foreign.deployed import Deployed
from patchgate.rehearsal.campaign.foreign.due import last_until
from patchgate.rehearsal.campaign.foreign.lanes import ForeignLane, find_lanes
from patchgate.rehearsal.campaign.foreign.limits import limits_of
from patchgate.rehearsal.campaign.foreign.roles import Windows, close_after, gate_before, roles_of
from patchgate.rehearsal.campaign.ground import CYCLES, machines
from patchgate.rehearsal.campaign.terrain import Cycle, Terrain, every_reading
from patchgate.rehearsal.cycles import WindowSchedule
from patchgate.rehearsal.outcome import RehearsedLane

if TYPE_CHECKING:
    from patchgate.emulator.world import InstanceSpec
    from patchgate.rehearsal.campaign.foreign.deployed import Scheduled
    from patchgate.rehearsal.campaign.shapes import Shape
    from patchgate.rehearsal.stage import Stage

OUTPUT = re.compile(r"\$\{([a-zA-Z][a-zA-Z0-9-]*)\.([a-zA-Z0-9]+)\}")
"""How a parameter's value names an output of another stack."""
USUAL_LEAD = timedelta(minutes=30)
"""How long before a window's start a gate's faults are drawn where no gate is due: to faults alone it says anything."""
USUAL_BACKUP = timedelta(hours=4)
"""The same of backups."""
FRESH = timedelta(hours=24)
"""How old a backup may be that an install of somebody else's templates rests on."""
_DEFAULT_VAULTS = ("Default", "aws/efs/automatic-backup-vault")


def survey_lanes(stage: Stage, whole: Shape) -> tuple[str, ...]:
    """Deploy the stacks on an empty cloud, and name their lanes. InputError for one that a campaign cannot run."""
    deployed = _deploy(stage, whole)
    lanes = find_lanes(deployed)
    for lane in lanes:
        _survey(deployed, whole, lane, lanes)
    return tuple(lane.name for lane in lanes)


def break_foreign_ground(stage: Stage, shape: Shape) -> Terrain:
    """Deploy the stacks on an empty cloud, and put machines there that the shape's lane and its backups are about."""
    deployed = _deploy(stage, shape)
    lanes = find_lanes(deployed)
    lane = next(each for each in lanes if each.name == shape.name)
    for spec in _machines(deployed, shape, lane):
        stage.cloud.component(Ec2).add_instance(deployed.scope, spec)
    return _survey(deployed, shape, lane, lanes)


def _machines(deployed: Deployed, shape: Shape, lane: ForeignLane) -> tuple[InstanceSpec, ...]:
    """The lane's machines, of an operating system that its patch group has a baseline for; by default Amazon Linux."""
    specs = machines(shape, lane.tags)
    systems = [each for each in deployed.patch_groups().get(lane.patch_group, ()) if each != "MACOS"]
    if not systems or specs[0].operating_system in systems:
        return specs
    platform: Literal["Linux", "Windows"] = "Windows" if systems[0] == "WINDOWS" else "Linux"
    return tuple(replace(spec, operating_system=systems[0], platform_type=platform) for spec in specs)


def _deploy(stage: Stage, shape: Shape) -> Deployed:
    stage.run_until(shape.start)
    outputs: dict[tuple[str, str], str] = {}
    for stack in shape.stacks:
        given = {key: _filled(value, outputs, stack.name) for key, value in stack.parameters.items()}
        result = stage.stacks.create_or_update(
            shape.account, shape.region, stack.name, stack.template, given, CAPABILITIES, {}
        )
        outputs |= {(stack.name, key): value for key, value in result.outputs.items()}
    return Deployed(stage.cloud, Scope(shape.account, shape.region))


def _filled(value: str, outputs: Mapping[tuple[str, str], str], stack: str) -> str:
    def output(match: re.Match[str]) -> str:
        key = (match[1], match[2])
        if key not in outputs:
            known = ", ".join(name for owner, name in outputs if owner == match[1]) or "none"
            raise InputError(f"stack {match[1]}, of which {stack} takes {match[2]}, has the outputs {known}")
        return outputs[key]

    return OUTPUT.sub(output, value)


def _survey(deployed: Deployed, shape: Shape, lane: ForeignLane, lanes: tuple[ForeignLane, ...]) -> Terrain:
    schedule = _schedule(lane)
    windows, following = _occurrences(schedule, deployed, lane)
    now = deployed.cloud.now
    opens, closes = roles_of(deployed, lane, lanes, windows)
    gates = [gate_before(start, opens, now) if opens else None for start, _ in windows]
    cycles = tuple(_cycle(lane, each, gate, closes, now) for each, gate in zip(windows, gates, strict=True))
    labelled = {label: each for label, each in (("open", opens), ("close", closes)) if each is not None}
    programs = {label: each.function for label, each in labelled.items()}
    facts = LaneFacts(
        account=shape.account,
        region=shape.region,
        operating_system="",
        environment="",
        vault="",
        window_name=lane.window_name,
        window_id=lane.window_id,
        patch_group=lane.patch_group,
        backup_resources=_backed_up(lane),
        tags=lane.tags,
        occurrences=windows,
        has_gate=False,
        maximum_proof_age=FRESH,
        maximum_lead=max((start - gate for (start, _), gate in zip(windows, gates, strict=True) if gate), default=None),
    )
    end = max(closing_deadline(facts, windows[-1][1], following), cycles[-1].end)
    specs = machines(shape, lane.tags)
    vault = next((each.vault for each in lane.selections if each.vault), "") or _own_vault(deployed)
    stacks = _stacks_of(deployed, shape, lane, programs.get("open", ""))
    terrain = Terrain(
        scope=deployed.scope,
        lane=RehearsedLane(
            name=shape.name,
            account=shape.account,
            region=shape.region,
            operating_system="",
            environment="",
            zone=lane.window.get("ScheduleTimezone") or "UTC",
            vault=vault,
            window_name=lane.window_name,
            patch_group=lane.patch_group,
            open_function=programs.get("open", ""),
            close_function=programs.get("close", ""),
            occurrences=windows,
            tags=lane.tags,
        ),
        facts=replace(facts, end=end),
        start=deployed.cloud.now,
        end=end,
        cycles=cycles,
        instances=tuple(spec.instance_id for spec in specs[:-1]),
        stray=specs[-1].instance_id,
        programs=programs | ({"prove": ""} if any(task["TaskType"] == "AUTOMATION" for task in lane.tasks) else {}),
        schedules={label: each.schedule for label, each in labelled.items()},
        inputs={label: each.given for label, each in labelled.items()},
        stacks=stacks,
        bucket="",
        backup_role=next((each.role for each in lane.selections), ""),
        tags=lane.tags,
        windows=every_reading(schedule, deployed.cloud.now, cycles[-1].end),
    )
    terrain = replace(terrain, limits=limits_of(deployed, shape, lane, terrain))
    return replace(terrain, unfit=unfitting(terrain))


def _schedule(lane: ForeignLane) -> WindowSchedule:
    window = lane.window
    return WindowSchedule(window_times(window, window["CreatedDate"]), timedelta(hours=window["Duration"]))


def _occurrences(schedule: WindowSchedule, deployed: Deployed, lane: ForeignLane) -> tuple[Windows, datetime]:
    """The (start, end) of the windows of a run, and when the one after those starts."""
    now = deployed.cloud.now
    found = tuple(islice(schedule.windows(now), CYCLES + 1))
    if len(found) <= CYCLES:
        ends = schedule.times.ends
        until = f" to the window's EndDate, {ends:%Y-%m-%d}" if ends else " on"
        raise InputError(
            f"the window {lane.window_name} has {len(found)} of the {CYCLES + 1} starts that a campaign's run needs, "
            f"from its begin on {now:%Y-%m-%d}{until}",
            remedy="rehearse it with a later EndDate, or without" if ends else "give it a schedule that recurs",
        )
    return found[:CYCLES], found[CYCLES][0]


def _cycle(
    lane: ForeignLane, window: tuple[datetime, datetime], gate: datetime | None, closes: Scheduled | None, now: datetime
) -> Cycle:
    """What belongs to a window. Where nothing is due, faults are drawn as if it were at the usual time."""
    start, end = window
    backup = max((at for each in lane.selections if (at := last_until(each.due, start, now))), default=None)
    close = close_after(window, closes) if closes else None
    return Cycle(backup or start - USUAL_BACKUP, gate or start - USUAL_LEAD, start, end, max(close or end, end))


def _backed_up(lane: ForeignLane) -> str:
    """What the lane's plans back up: "volumes" where they name nothing else."""
    named = [resource for selection in lane.selections for resource in selection.resources]
    return "volumes" if named and all(":volume/" in resource for resource in named) else "instances"


def _own_vault(deployed: Deployed) -> str:
    """A vault of the templates' own, where no plan names one: a function may back up into it."""
    return next((name for name in deployed.vaults() if name not in _DEFAULT_VAULTS), "")


def _stacks_of(deployed: Deployed, shape: Shape, lane: ForeignLane, gate: str) -> tuple[str, ...]:
    """The names of all stacks: that of the window, that of the gate, and the others."""

    def order(name: str) -> int:
        known = {each["PhysicalResourceId"] for each in deployed.resources(name)}
        return 0 if lane.window_id in known else 1 if gate and gate in known else 2

    return tuple(sorted((stack.name for stack in shape.stacks), key=order))
