"""What the embedded AWS costs: calls through each door and through plain moto, restored runs, a large world and lane.

Seconds are of this process's processor time, so that other work on the machine does not count.
"""

from __future__ import annotations

import gc
import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

from patchgate.config import parse_fleet
from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.cloud import Cloud
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.wire import WireDoor
from patchgate.judge.judge import judge
from patchgate.operations.deployment import deploy_lanes
from patchgate.rehearsal.run import Script, run_rehearsal, write_script
from patchgate.rehearsal.stage import Stage, open_stage, populate
from patchgate.rehearsal.worlds import World, read_world

START = datetime(2026, 7, 10, 12, tzinfo=UTC)
ACCOUNT, REGION = "111111111111", "eu-central-1"
FLEET = b"""
version: 1
organization: {id: o-a1b2c3d4e5, log_account: web}
accounts: [{id: "111111111111", name: web}]
targets:
  - accounts: [web]
    regions: [eu-central-1]
    operating_systems: [ubuntu]
    environments: [prd]
    parameters:
      BackupSchedule: cron(0 19 * * ? *)
      CheckBackUpJobAndEnableMaintenanceWindow: cron(30 22 * * ? *)
      MaintenanceWindowCronSchedule: cron(0 23 * * ? *)
      DisableMaintenanceWindow: cron(10 4 * * ? *)
"""
CYCLES = 3
WORLD = """
version: 1
groups:
  - account: "111111111111"
    region: eu-central-1
    operating_system: UBUNTU
    tags: {PatchGroup: ubuntu-patch-group-prd, ToBackupAndPatch: "true"}
    patches: [{id: linux-image-6.8.0-64-generic, reboot: true}]
    instances:
"""


def world_of(instances: int) -> World:
    with tempfile.TemporaryDirectory() as directory:
        names = "".join(f"      - {{name: machine-{n}, volumes: {1 + n % 2}}}\n" for n in range(instances))
        Path(directory, "world.yaml").write_text(WORLD + names, encoding="utf-8")
        return read_world(Path(directory))


def seconds_of(work: Callable[[], object], times: int) -> float:
    work()
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times


def get_and_put(session: Any) -> Callable[[], None]:
    ssm = session.client("ssm")
    ssm.put_parameter(Name="/bench/a", Value="1", Type="String")
    return lambda: ssm.get_parameter(Name="/bench/a")


def bench_calls() -> None:
    """ssm:GetParameter, which moto has as well."""
    took = {}
    with mock_aws():
        took["plain moto"] = seconds_of(get_and_put(boto3.Session("AKIA", "x", region_name=REGION)), 300)
    with WireDoor(Cloud(COMPONENTS, start=START)) as wire:
        took["wire door"] = seconds_of(get_and_put(wire.session(ACCOUNT, REGION)), 300)
    with DirectDoor(Cloud(COMPONENTS, start=START)) as direct:
        took["direct door"] = seconds_of(get_and_put(direct.session(ACCOUNT, REGION)), 20_000)
    for name, seconds in took.items():
        ratio = took["plain moto"] / seconds
        print(f"{name:12} {1 / seconds:9,.0f} calls/s  {seconds * 1e6:8.1f} us a call  {ratio:6.1f} x plain moto")


class StandardRun:
    """One lane with daily schedules, four healthy instances, three cycles; deployed once, then restored and run."""

    PHASES = ("restore", "run", "judge", "hash")

    def __init__(self, stage: Stage, script: Script) -> None:
        deploy_lanes(script.lanes, log_account=script.log_account, control=stage.stacks, progress=lambda _: None)
        self.stage, self.end, self.lanes = stage, script.end, script.facts()
        self.deployed = stage.cloud.snapshot()

    def __call__(self, seed: int) -> tuple[str, tuple[float, ...]]:
        """The hash of a seed's history, and the seconds of each phase."""
        cloud, instants = self.stage.cloud, [time.process_time()]
        cloud.restore(self.deployed)
        cloud.random.seed(seed)
        cloud.assumptions = Assumptions.drawn(seed)
        instants.append(time.process_time())
        self.stage.run_until(self.end)
        instants.append(time.process_time())
        judgement = judge(cloud.history, lanes=self.lanes)
        instants.append(time.process_time())
        if not judgement.held:
            raise AssertionError(f"seed {seed}: {judgement.violations[0]}")
        digest = hashlib.sha256(cloud.history.to_json_lines().encode()).hexdigest()
        instants.append(time.process_time())
        return digest, tuple(after - before for before, after in pairwise(instants))


@contextmanager
def standard_run() -> Iterator[StandardRun]:
    """The standard run, deployed and ready, with what its cloud keeps out of the collector's way."""
    script = write_script(parse_fleet(FLEET, "fleet.yaml"), START, CYCLES)
    with open_stage(world_of(4), START, organization_id=script.organization_id, door="direct") as stage:
        run = StandardRun(stage, script)
        run(0)
        gc.collect()
        gc.freeze()
        try:
            yield run
        finally:
            gc.unfreeze()


def bench_runs(times: int = 200) -> None:
    """What a standard run costs, phase by phase."""
    began = time.process_time()
    with standard_run() as run:
        print(f"deploy       {(time.process_time() - began) * 1e3:9.1f} ms, 1 lane, 4 instances, {CYCLES} daily cycles")
        for seed in range(5):
            run(seed)
        began = time.process_time()
        spent = [run(seed)[1] for seed in range(times)]
        took = (time.process_time() - began) / times
        for phase, seconds in zip(run.PHASES, zip(*spent, strict=True), strict=True):
            print(f"  {phase:10} {sum(seconds) / times * 1e3:9.2f} ms")
        size, records = run.deployed.size / 1024, len(run.stage.cloud.history)
        print(f"standard run {1 / took:9.1f} runs/s on one core; snapshot {size:,.0f} KiB, {records} records")


def bench_world() -> None:
    """10,000 instances, from their file to a cloud that holds them."""
    began = time.process_time()
    world = world_of(10_000)
    read = time.process_time()
    populate(Cloud(COMPONENTS, start=START), world, START)
    loaded = time.process_time()
    print(f"10,000 instances: read in {read - began:.1f} s, in the cloud after {loaded - read:.1f} s more")


def bench_lane() -> None:
    """One lane of 10,000 instances, deployed, run for a cycle and judged."""
    fleet, world = parse_fleet(FLEET, "fleet.yaml"), world_of(10_000)
    began = time.process_time()
    result = run_rehearsal(fleet, world, start=START, contrast=False)
    took = time.process_time() - began
    patched = sum(lane.patched for lane in result.lanes)
    print(f"10,000 instances in one lane: a cycle in {took:.1f} s, {result.events:,} events, {patched:,} patched")


if __name__ == "__main__":
    bench_calls()
    bench_runs()
    bench_world()
    bench_lane()
