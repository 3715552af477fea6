"""What the embedded AWS costs: calls through each door and through plain moto, restored rehearsals, a large world.

Seconds are of this process's processor time, so that other work on the machine does not count.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

from patchgate.config import parse_fleet
from patchgate.emulator.cloud import Cloud
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.wire import WireDoor
from patchgate.operations.deployment import deploy_lanes
from patchgate.rehearsal.run import write_script
from patchgate.rehearsal.stage import Stage, open_stage, populate
from patchgate.rehearsal.worlds import World, read_world

START = datetime(2026, 7, 10, 12, tzinfo=UTC)
ACCOUNT, REGION = "111111111111", "eu-central-1"
FLEET = b"""
version: 1
organization: {id: o-a1b2c3d4e5, log_account: web}
accounts: [{id: "111111111111", name: web}]
targets:
  - {accounts: [web], regions: [eu-central-1], operating_systems: [ubuntu], environments: [prd]}
"""
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
        names = "".join(f"      - {{name: machine-{number}}}\n" for number in range(instances))
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


def bench_runs() -> None:
    """The standard run: one lane, four instances, one cycle; deployed once, then restored and run."""
    script = write_script(parse_fleet(FLEET, "fleet.yaml"), START, 1)
    lanes = script.facts()
    with open_stage(world_of(4), START, organization_id=script.organization_id, door="direct") as stage:
        began = time.process_time()
        deploy_lanes(script.lanes, log_account=script.log_account, control=stage.stacks, progress=lambda _: None)
        print(f"deploy       {(time.process_time() - began) * 1e3:9.1f} ms, {len(lanes)} lane, 4 instances")
        deployed = stage.cloud.snapshot()
        restore = seconds_of(lambda: stage.cloud.restore(deployed), 100)
        print(f"restore      {restore * 1e3:9.2f} ms, {deployed.size / 1024:,.0f} KiB")
        run = _run_times(stage, deployed, script.end, 60)
        print(f"standard run {1 / (restore + run):9.1f} runs/s on one core ({run * 1e3:.1f} ms after the restore)")


def _run_times(stage: Stage, deployed: Any, end: datetime, times: int) -> float:
    gc.collect()
    gc.freeze()
    took = 0.0
    for number in range(times + 5):
        stage.cloud.restore(deployed)
        began = time.process_time()
        stage.run_until(end)
        took += time.process_time() - began if number >= 5 else 0.0
    gc.unfreeze()
    return took / times


def bench_world() -> None:
    """10,000 instances, from their file to a cloud that holds them."""
    began = time.process_time()
    world = world_of(10_000)
    read = time.process_time()
    populate(Cloud(COMPONENTS, start=START), world, START)
    loaded = time.process_time()
    print(f"10,000 instances: read in {read - began:.1f} s, in the cloud after {loaded - read:.1f} s more")


if __name__ == "__main__":
    bench_calls()
    bench_runs()
    bench_world()
