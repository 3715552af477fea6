"""A terrain that is deployed once and restored for every run: the real templates on an embedded AWS."""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from patchgate.aws.stacks import CloudFormationStacks
from patchgate.config import LaneConfig
from patchgate.config.layers import BUCKET_TEMPLATE
from patchgate.domain.lane import Lane
from patchgate.domain.operating_systems import Baseline, operating_system
from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.cloud import Cloud, Scope, partition_of
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.garbage import rare_collections
from patchgate.emulator.world import InstanceSpec, Patch, VolumeSpec
from patchgate.operations.check import lane_zone
from patchgate.operations.deployment import LaneSettings, deploy_lanes, settle_lanes
from patchgate.plan import names
from patchgate.rehearsal.campaign.shapes import ORGANIZATION, Shape
from patchgate.rehearsal.campaign.terrain import SETTLED, Cycle, Lengths, Terrain, every_reading
from patchgate.rehearsal.cycles import read_calendar, window_schedule
from patchgate.rehearsal.run import freeze_calendars, lane_facts, rehearsed_lane
from patchgate.rehearsal.stage import Stage, open_door
from patchgate.schedule import Dialect, parse

if TYPE_CHECKING:
    from patchgate.emulator.door import Door, SdkSession
    from patchgate.emulator.snapshot import Snapshot
    from patchgate.rehearsal.stage import DoorName

CYCLES = 3
VOLUMES = (1, 2, 1, 3)
"""How many volumes each of a lane's four machines has."""
DEVICES = "abcdefghijklmnop"


@dataclass(frozen=True, slots=True)
class Ground:
    """A deployed terrain and the snapshot that runs are restored from; None where each run deploys anew."""

    shape: Shape
    terrain: Terrain
    deployed: Snapshot | None


class Grounds:
    """The grounds of one process, deployed when first asked for, all behind one door."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._made: dict[str, Ground] = {}
        self._bare = stage.cloud.snapshot()

    def of(self, shape: Shape) -> Ground:
        """The ground of a shape."""
        ground = self._made.get(shape.name)
        if ground is None:
            self.stage.cloud.restore(self._bare)
            terrain = _survey_new(self.stage, shape)
            taken = self.stage.cloud.snapshot()
            calls = _count_calls(self, Ground(shape, terrain, taken))
            self.stage.cloud.restore(taken)
            ground = self._made[shape.name] = Ground(shape, replace(terrain, calls=calls), taken)
            gc.collect()
            gc.freeze()
        return ground

    def begin(self, ground: Ground, seed: int, assumptions: Assumptions) -> Cloud:
        """The cloud as it was when the ground had just been broken, for a run."""
        prepare(self.stage.cloud, ground, seed, assumptions)
        return self.stage.cloud


class WireGrounds(Grounds):
    """The same behind the wire door, where moto keeps a part of the state that no snapshot holds: every run has a cloud
    and a door of its own, and deploys anew.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._made = {}

    def of(self, shape: Shape) -> Ground:
        ground = self._made.get(shape.name)
        if ground is None:
            self._stack.close()
            with open_grounds() as direct:  # programs make the same calls there, and are counted in no time
                calls = direct.of(shape).terrain.calls
            ground = self._made[shape.name] = Ground(shape, replace(self._open(shape), calls=calls), None)
        return ground

    def begin(self, ground: Ground, seed: int, assumptions: Assumptions) -> Cloud:
        self._open(ground.shape)
        set_out(self.stage.cloud, seed, assumptions)
        return self.stage.cloud

    def _open(self, shape: Shape) -> Terrain:
        self._stack.close()
        cloud = _empty_cloud()
        opened = self._stack.enter_context(open_door(cloud, "wire"))
        self.stage = Stage(cloud, opened, _stacks(opened))
        return _survey_new(self.stage, shape)


@contextmanager
def open_grounds(door: DoorName | Callable[[Cloud], Door[Any]] = "direct") -> Iterator[Grounds]:
    """An empty embedded AWS, on which grounds are broken as runs ask for them, behind that door."""
    with rare_collections(), ExitStack() as stack:
        if door == "wire":
            yield WireGrounds(stack)
        else:
            cloud = _empty_cloud()
            opened = stack.enter_context(open_door(cloud, door) if isinstance(door, str) else door(cloud))
            yield Grounds(Stage(cloud, opened, _stacks(opened)))


def _empty_cloud() -> Cloud:
    start = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    return Cloud(COMPONENTS, start=start, organization_id=ORGANIZATION)


def _stacks(door: Door[SdkSession]) -> CloudFormationStacks:
    def client(account: str, region: str) -> Any:
        return door.session(account, region).client("cloudformation")

    return CloudFormationStacks(client, lambda _: None)


def _survey_new(stage: Stage, shape: Shape) -> Terrain:
    """Break the ground of a shape, whoever's templates those are."""
    if shape.stacks:
        from patchgate.rehearsal.campaign.foreign import break_foreign_ground  # noqa: PLC0415 - it builds on this module

        return break_foreign_ground(stage, shape)
    return break_ground(stage, shape)


def _count_calls(grounds: Grounds, ground: Ground) -> Lengths:
    from patchgate.rehearsal.campaign.paths import count_calls  # noqa: PLC0415 - it builds on this module

    return count_calls(grounds, ground)


def break_ground(stage: Stage, shape: Shape) -> Terrain:
    """Deploy a shape's lane with its machines on an empty cloud. The clock must not be past the shape's start."""
    stage.run_until(shape.start)
    place = Lane(shape.account, shape.region, shape.os, shape.env, shape.account)
    settings = LaneConfig(place, dict(shape.parameters))
    if shape.keyed:
        own, of_bucket = _make_keys(stage.cloud, shape)
        keys = {"KmsKeyArn": own, "LogBucketKmsKeyArn": of_bucket}
        bucket = {BUCKET_TEMPLATE: {"KmsKeyArn": of_bucket}}
        settings = replace(settings, parameters={**settings.parameters, **keys}, scoped=bucket)
    (lane,) = settle_lanes([settings], ORGANIZATION)
    scope = Scope(shape.account, shape.region)
    for spec in machines(shape, releases=tuple(_releases(stage.cloud, shape, lane))):
        stage.cloud.component(Ec2).add_instance(scope, spec)
    for name in freeze_calendars(lane):
        document = {"Name": name, "Content": calendar_text(()), "DocumentType": "ChangeCalendar"}
        stage.cloud.call(*scope.key, "ssm", "CreateDocument", document | {"DocumentFormat": "TEXT"})
    log_account = shape.log_account or shape.account
    deployment = deploy_lanes([lane], log_account=log_account, control=stage.stacks, progress=lambda _: None)
    return survey(stage.cloud, shape, lane, deployment.lanes[0].values["S3Bucket"])


def survey(cloud: Cloud, shape: Shape, lane: LaneSettings, bucket: str) -> Terrain:
    """What faults and the judge must know of a lane that was just deployed: runs begin now."""
    start = cloud.now
    zone = lane_zone(lane)
    calendar = read_calendar(lane.lane.name, lane.values, zone, start, CYCLES)
    cycles = tuple(_cycles(lane, zone, calendar.windows))
    end = cycles[-1].close + SETTLED
    due = (start, *_approvals(calendar.windows))
    facts = replace(lane_facts(lane, replace(calendar, end=end)), updates_due=due)
    of_lane = {"os": shape.os, "env": shape.env, "region": shape.region}
    rehearsed = rehearsed_lane(lane, calendar)
    specs = machines(shape)
    schedules = {
        "open": names.OPEN_SCHEDULE.render(**of_lane),
        "close": names.CLOSE_SCHEDULE.render(**of_lane),
        "watchdog": names.WATCHDOG_SCHEDULE.render(**of_lane),
    }
    group = names.SCHEDULE_GROUP.render(**of_lane)
    return Terrain(
        scope=Scope(shape.account, shape.region),
        lane=rehearsed,
        facts=facts,
        start=start,
        end=end,
        cycles=cycles,
        instances=tuple(spec.instance_id for spec in specs[:-1]),
        stray=specs[-1].instance_id,
        programs={"open": rehearsed.open_function, "close": rehearsed.close_function, "prove": ""},
        schedules=schedules,
        inputs={label: _input(cloud, shape, name, group) for label, name in schedules.items()},
        stacks=(names.PATCH_STACK.render(**of_lane), names.MONITORING_STACK.render(**of_lane)),
        bucket=bucket,
        backup_role=f"arn:{partition_of(shape.region)}:iam::{shape.account}:role/{names.BACKUP_ROLE.render(**of_lane)}",
        freezes=(names.GLOBAL_FREEZE_PARAMETER.render(), names.FREEZE_PARAMETER.render(**of_lane)),
        tags=specs[0].tags,
        log_account=shape.log_account,
        windows=every_reading(window_schedule(lane.values, zone), start, cycles[-1].end),
    )


def _make_keys(cloud: Cloud, shape: Shape) -> tuple[str, str]:
    """The ARNs of two customer keys: of all that a lane has itself, about which its account's policies decide, and of
    its log bucket, which the organization may use.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """
    home, partition = Scope(shape.account, shape.region), partition_of(shape.region)
    logs = replace(home, account=shape.log_account or shape.account)
    of_services = {"Service": ["cloudwatch.amazonaws.com", f"logs.{shape.region}.amazonaws.com"]}
    users: tuple[tuple[Scope, dict[str, Any]], ...] = (
        (home, {"Principal": of_services}),
        (logs, {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}}),
    )
    made: list[str] = []
    for scope, whose in users:
        root = {"Principal": {"AWS": f"arn:{partition}:iam::{scope.account}:root"}, "Action": "kms:*"}
        use = {**whose, "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"]}
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in (root, use)],
        }
        made.append(str(cloud.invoke(scope, "kms", "CreateKey", {"Policy": json.dumps(policy)})["KeyMetadata"]["Arn"]))
    return made[0], made[1]


def _input(cloud: Cloud, shape: Shape, name: str, group: str) -> str:
    request = {"Name": name, "GroupName": group}
    found = cloud.call(shape.account, shape.region, "scheduler", "GetSchedule", request)
    return str(found["Target"]["Input"])


def _cycles(lane: LaneSettings, zone: str, windows: Sequence[tuple[datetime, datetime]]) -> Iterator[Cycle]:
    """What belongs to each window: the backup and the gate before it, the close after it, as far as there are any."""

    def before(name: str, dialect: Dialect, when: datetime) -> datetime:
        schedule = parse(lane.values[name], dialect)
        found = list(islice(schedule.occurrences(zone, when - timedelta(days=8)), 16))
        return max((each for each in found if each <= when), default=when)

    for start, end in windows:
        close = next(parse(lane.values["DisableMaintenanceWindow"], "scheduler").occurrences(zone, end), end)
        gate = before("CheckBackUpJobAndEnableMaintenanceWindow", "scheduler", start)
        yield Cycle(before("BackupSchedule", "backup", gate), gate, start, end, close)


def _releases(cloud: Cloud, shape: Shape, lane: LaneSettings) -> Iterator[datetime]:
    """When further updates are released so that each window after a run's first has some to install."""
    windows = read_calendar(lane.lane.name, lane.values, lane_zone(lane), cloud.now, CYCLES).windows
    delays = operating_system(shape.os).baselines[-1].approve_after_days
    delay = timedelta(days=int(lane.values["ApproveAfterDays"]) if delays else 0)
    for approved in _approvals(windows):
        yield approved - delay


def _approvals(windows: Sequence[tuple[datetime, datetime]]) -> Iterator[datetime]:
    """When the approval delay of further updates is over: halfway between each window and the next."""
    for (_, ended), (starts, _) in pairwise(windows):
        yield ended + (starts - ended) / 2


def machines(
    shape: Shape, tags: Mapping[str, str] | None = None, releases: Sequence[datetime] = ()
) -> tuple[InstanceSpec, ...]:
    """The machines of a shape's lane, all well, and one more that is in no lane. ``tags`` are a lane's by default.

    Each lacks two updates, of which the second needs a reboot, and two more from each of the ``releases`` on.
    """
    family = operating_system(shape.os)
    if tags is None:
        group = names.PATCH_GROUP.render(os=shape.os, env=shape.env)
        tags = {"PatchGroup": group, names.BACKUP_TAG_KEY: names.BACKUP_TAG_VALUE}
    kind = _approved_class(family.baselines[-1])
    patches = tuple(
        patch
        for number, released in enumerate((None, *releases))
        for patch in (
            Patch(f"{shape.os}-{2 * number + 1}", "openssl", kind, released=released),
            Patch(f"{shape.os}-{2 * number + 2}", "kernel", kind, reboot=True, released=released),
        )
    )
    return tuple(
        InstanceSpec(
            instance_id=identifier("i-", shape.name, number),
            name=f"web-{number}",
            operating_system=family.baselines[-1].operating_system,
            platform_type=family.platform,
            tags=tags if number < len(VOLUMES) else {"Name": "stray"},
            volumes=tuple(
                VolumeSpec(identifier("vol-", shape.name, number, disk), f"/dev/sd{DEVICES[disk]}")
                for disk in range(volumes)
            ),
            patches=patches,
        )
        for number, volumes in enumerate((*VOLUMES, 1))
    )


def _approved_class(baseline: Baseline) -> str:
    """A class of updates that a baseline approves: vendors call theirs differently."""
    return next((values[0] for key, values in baseline.filters if key == "CLASSIFICATION"), Patch("").classification)


def identifier(prefix: str, *parts: object) -> str:
    """An id that is the same in every run."""
    return prefix + hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:17]


def calendar_text(closed: Sequence[tuple[datetime, datetime]]) -> str:
    """A Change Calendar that is open but for the given spans."""
    lines = ["BEGIN:VCALENDAR", "PRODID:-//patchgate//campaign//EN", "VERSION:2.0", "X-CALENDAR-TYPE:DEFAULT_OPEN"]
    for number, (begin, end) in enumerate(closed):
        lines += ["BEGIN:VEVENT", f"UID:{number}", f"DTSTART:{begin:%Y%m%dT%H%M%SZ}", f"DTEND:{end:%Y%m%dT%H%M%SZ}"]
        lines += ["SUMMARY:freeze", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR"])


def prepare(cloud: Cloud, ground: Ground, seed: int, assumptions: Assumptions) -> None:
    """Put the cloud back to where the ground was broken, for a run of its own."""
    if ground.deployed is None:
        raise RuntimeError(f"the ground {ground.shape.name} has no snapshot")
    cloud.restore(ground.deployed)
    set_out(cloud, seed, assumptions)


def set_out(cloud: Cloud, seed: int, assumptions: Assumptions) -> None:
    """What makes a run its own: its chance, and its reading of AWS."""
    cloud.random.seed(f"run {seed}")
    cloud.assumptions = assumptions
