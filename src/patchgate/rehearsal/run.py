"""One rehearsal: deploy the real templates, let the cycles happen, and judge the recorded history."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import resources
from typing import TYPE_CHECKING

from patchgate.emulator.assumptions import Assumptions
from patchgate.judge.judge import Judgement, Unrecoverable, judge
from patchgate.judge.lane import LaneFacts
from patchgate.operations.check import lane_zone
from patchgate.operations.deployment import CAPABILITIES, LaneSettings, deploy_lanes, settle_lanes
from patchgate.plan import names
from patchgate.rehearsal.cycles import LaneCalendar, read_calendar
from patchgate.rehearsal.engine import Beginning, Engine, RehearsedAws
from patchgate.rehearsal.outcome import Contrast, RehearsalResult, RehearsedLane
from patchgate.rehearsal.stage import DEFAULT_START, EmbeddedEngine
from patchgate.rehearsal.summary import summarise

if TYPE_CHECKING:
    from patchgate.config import FleetConfig
    from patchgate.rehearsal.worlds import World

Progress = Callable[[str], None]
NAIVE_PARAMETERS = (
    "Environment",
    "TargetOperatingSystem",
    "BackupSchedule",
    "MaintenanceWindowCronSchedule",
    "BackupCompletionWindowMinutes",
    "InstallRebootOption",
    "BackupJobThreshold",
)
"""What the naive gate takes of a lane's settings."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a rehearsal will do, settled before anything is deployed."""

    lanes: tuple[LaneSettings, ...]
    calendars: tuple[LaneCalendar, ...]
    log_account: str
    organization_id: str
    start: datetime

    @property
    def end(self) -> datetime:
        """When the last lane's last close is through."""
        return max(calendar.end for calendar in self.calendars)

    def rehearsed_lanes(self) -> list[RehearsedLane]:
        """The lanes as a summary must know them."""
        return [rehearsed_lane(*lane) for lane in zip(self.lanes, self.calendars, strict=True)]

    def facts(self) -> list[LaneFacts]:
        """The lanes as the judge must know them: a world has its troubles from the start, and gets no others."""
        lanes = zip(self.lanes, self.calendars, strict=True)
        return [replace(lane_facts(*lane), calm_from=self.start) for lane in lanes]


def write_script(fleet: FleetConfig, start: datetime, cycles: int, assumptions: Assumptions | None = None) -> Script:
    """Settle a fleet's lanes and their calendars, as ``assumptions`` (the usual ones) read clock changes. InputError
    names what cannot be rehearsed.
    """
    lanes = settle_lanes(fleet.lanes(today=start.date()), fleet.organization.id)
    clock = (assumptions or Assumptions()).window_clock
    calendars = [read_calendar(lane.lane.name, lane.values, lane_zone(lane), start, cycles, clock) for lane in lanes]
    return Script(lanes, tuple(calendars), fleet.log_account, fleet.organization.id, start)


def run_rehearsal(  # noqa: PLR0913 - each is one setting of a run
    fleet: FleetConfig,
    world: World,
    *,
    seed: int = 0,
    start: datetime | None = None,
    cycles: int = 1,
    progress: Progress = lambda _: None,
    contrast: bool = True,
    assumptions: Assumptions | None = None,
    engine: Engine | None = None,
    stopwatch: Callable[[], float] = time.monotonic,
) -> RehearsalResult:
    """Rehearse a fleet in a world and return what came of it; the same arguments give the same history.

    ``start`` defaults to the world's, ``assumptions`` are drawn from the seed. With ``contrast`` the same world is run
    a second time under a gate that counts jobs. ``engine`` is what plays AWS, by default that of this process. Raises
    InputError for a fleet that cannot be rehearsed, PatchgateError when a stack cannot be deployed.
    """
    engine = engine or EmbeddedEngine()
    began = stopwatch()
    assumptions = assumptions or Assumptions.drawn(seed)
    script = write_script(fleet, start or world.start or DEFAULT_START, cycles, assumptions)
    beginning = Beginning(world, script.start, seed, assumptions, script.organization_id)
    with engine.begin(beginning) as aws:
        deployment = deploy_lanes(script.lanes, log_account=script.log_account, control=aws.stacks, progress=progress)
        progress("running the virtual clock")
        aws.run_until(script.end)
        history = aws.read_history()
        judgement = judge(history.records, lanes=script.facts())
        result = RehearsalResult(
            seed=seed,
            start=script.start,
            end=aws.now,
            lanes=summarise(history.records, script.rehearsed_lanes()),
            events=len(history.records),
            stacks=len(deployment.stacks),
            resources=sum(stack.resource_count for stack in deployment.stacks),
            violations=judgement.violations,
            windows_left_open=judgement.windows_left_open,
            history=history.text,
        )
    if contrast:
        progress("the same world behind a gate that counts jobs")
        result = replace(result, contrast=_contrast(script, judgement, engine, beginning))
    return replace(result, elapsed_seconds=stopwatch() - began)


def rehearsed_lane(settings: LaneSettings, calendar: LaneCalendar) -> RehearsedLane:
    """A lane as a summary must know it."""
    lane = settings.lane
    values = {"os": lane.os, "env": lane.env, "region": lane.region}
    return RehearsedLane(
        name=lane.name,
        account=lane.account,
        region=lane.region,
        operating_system=lane.os,
        environment=lane.env,
        zone=calendar.zone,
        vault=names.BACKUP_VAULT.render(vault_prefix=settings.values["BackupVaultNamePrefix"], **values),
        window_name=names.MAINTENANCE_WINDOW.render(**values),
        patch_group=names.PATCH_GROUP.render(os=lane.os, env=lane.env),
        open_function=names.OPEN_FUNCTION.render(os=lane.os, env=lane.env),
        close_function=names.CLOSE_FUNCTION.render(os=lane.os, env=lane.env),
        occurrences=calendar.windows,
    )


def freeze_calendars(settings: LaneSettings) -> tuple[str, ...]:
    """The names or ARNs of the change calendars that a lane obeys."""
    return tuple(filter(None, settings.values["FreezeCalendars"].split(",")))


def lane_facts(settings: LaneSettings, calendar: LaneCalendar) -> LaneFacts:
    """A lane as the judge must know it."""
    rehearsed, values = rehearsed_lane(settings, calendar), settings.values
    of_lane = {"os": rehearsed.operating_system, "env": rehearsed.environment, "region": rehearsed.region}
    return LaneFacts(
        account=rehearsed.account,
        region=rehearsed.region,
        operating_system=rehearsed.operating_system,
        environment=rehearsed.environment,
        vault=rehearsed.vault,
        window_name=rehearsed.window_name,
        patch_group=rehearsed.patch_group,
        backup_resources=values["BackupResources"],
        maximum_proof_age=timedelta(minutes=int(values["MaximumProofAgeMinutes"])),
        proof_read_within=timedelta(seconds=int(values["ProofMaxAgeSeconds"])),
        waived_message_categories=tuple(filter(None, values["WaivedMessageCategories"].split(","))),
        occurrences=calendar.windows,
        end=calendar.end,
        open_function=rehearsed.open_function,
        close_function=rehearsed.close_function,
        verdict_role=names.OPEN_ROLE.render(**of_lane),
        proof_role=names.PROVE_ROLE.render(**of_lane),
        gate_mode=values["GateMode"],
        minimum_coverage_percent=int(values["MinimumCoveragePercent"]),
        backup_job_threshold=int(values["BackupJobThreshold"]),
        look_back=timedelta(hours=int(values["LookBackHours"])),
        maximum_lead=timedelta(minutes=int(values["MaximumLeadMinutes"])),
        duration=timedelta(hours=int(values["MaintenanceWindowDuration"])),
        cutoff=timedelta(hours=int(values["MaintenanceWindowCutoff"])),
        calendars=freeze_calendars(settings),
        error_budget=values["InstallMaxErrors"],
        reboots=values["InstallRebootOption"] == "RebootIfNeeded",
    )


def _contrast(script: Script, ours: Judgement, engine: Engine, beginning: Beginning) -> Contrast:
    with engine.begin(beginning) as aws:
        for settings in script.lanes:
            _deploy_naive(aws, settings)
        aws.run_until(script.end)
        records = aws.read_history().records
        naive = judge(records, lanes=script.facts())
        return Contrast(
            patched_without_way_back=_instances(ours.patched_without_way_back),
            naive_patched_without_way_back=_instances(naive.patched_without_way_back),
            naive_patched=len(
                {
                    (record["account"], record["region"], record["instance"])
                    for record in records
                    if record["event"] == "PatchStarted" and record["operation"] == "Install"
                }
            ),
        )


def _deploy_naive(aws: RehearsedAws, settings: LaneSettings) -> None:
    template = resources.files("patchgate.rehearsal").joinpath("naive/naive-gate.yaml").read_text(encoding="utf-8")
    lane = settings.lane
    given = {name: settings.values[name] for name in NAIVE_PARAMETERS if name in settings.values}
    given |= {"TimeZone": lane_zone(settings), "S3Bucket": "naive-logs"}
    aws.stacks.create_or_update(
        lane.account, lane.region, f"naive-{lane.os}-{lane.env}", template, given, CAPABILITIES, {}
    )


def _instances(found: Sequence[Unrecoverable]) -> int:
    return len({(entry.account, entry.region, entry.instance) for entry in found})
