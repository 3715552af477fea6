"""A small fleet and world on the embedded AWS: one lane, a handful of instances, the real templates and gate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from patchgate.config import FleetConfig, parse_fleet
from patchgate.emulator.assumptions import Assumptions
from patchgate.judge.judge import Judgement, judge
from patchgate.operations.deployment import Deployment, deploy_lanes
from patchgate.rehearsal.run import Script, write_script
from patchgate.rehearsal.stage import Stage, open_stage
from patchgate.rehearsal.worlds import World, read_world

ACCOUNT, REGION = "111111111111", "eu-central-1"
FRIDAY = datetime(2026, 7, 10, 12, tzinfo=UTC)
BACKUP = datetime(2026, 7, 11, 17, 0, tzinfo=UTC)
GATE = datetime(2026, 7, 11, 20, 30, tzinfo=UTC)
START = datetime(2026, 7, 11, 21, 0, tzinfo=UTC)
ADMIT_UNTIL = datetime(2026, 7, 11, 23, 0, tzinfo=UTC)
CLOSE = datetime(2026, 7, 12, 2, 10, tzinfo=UTC)

FLEET = """
version: 1
organization: {id: o-a1b2c3d4e5, log_account: web}
accounts: [{id: "111111111111", name: web}]
targets:
  - accounts: [web]
    regions: [eu-central-1]
    operating_systems: [ubuntu]
    environments: [prd]
    parameters: {PARAMETERS}
"""
WORLD = """
version: 1
groups:
  - account: "111111111111"
    region: eu-central-1
    operating_system: UBUNTU
    tags: {PatchGroup: ubuntu-patch-group-prd, ToBackupAndPatch: "true"}
    patches: [{id: linux-image-6.8.0-64-generic, reboot: true}]
    instances: [INSTANCES]
"""
PLAIN = "{name: a}, {name: b}, {name: c}, {name: d}"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A stage with the lane deployed on it."""

    stage: Stage
    script: Script
    deployment: Deployment

    def run_until(self, when: datetime) -> None:
        self.stage.run_until(when)

    def installs(self) -> dict[str, str]:
        """instance name -> status of its last install."""
        names = {r["instance"]: r["name"] for r in self.stage.cloud.history.of("InstanceLaunched")}
        ended = self.stage.cloud.history.of("PatchEnded")
        return {names[r["instance"]]: r["status"] for r in ended if r["operation"] == "Install"}

    def denials(self) -> dict[str, str]:
        """instance name -> reason that its proof was denied for."""
        names = {r["instance"]: r["name"] for r in self.stage.cloud.history.of("InstanceLaunched")}
        targets = {r["execution"]: r["target"] for r in self.stage.cloud.history.of("AutomationStarted")}
        steps = [r for r in self.stage.cloud.history.of("AutomationStepEnded") if r["step"] == "prove"]
        denied = [r for r in steps if r["outputs"].get("Decision") == "deny"]
        return {names[targets[r["execution"]]]: r["outputs"]["Reason"] for r in denied}

    def window_is_enabled(self) -> bool:
        ssm = self.stage.session(ACCOUNT, REGION).client("ssm")
        (window,) = ssm.describe_maintenance_windows()["WindowIdentities"]
        return bool(window["Enabled"])

    def judge(self) -> Judgement:
        return judge(self.stage.cloud.history, lanes=self.script.facts())


Rehearse = Callable[..., "Iterator[Rehearsed]"]


def fleet_of(parameters: str = "") -> FleetConfig:
    """The small fleet with template parameters as YAML flow entries."""
    return parse_fleet(FLEET.replace("PARAMETERS", parameters).encode(), "fleet.yaml")


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK retries as often as it does, without the time that it takes for it."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    monkeypatch.setattr("botocore.retries.bucket.TokenBucket.acquire", lambda *_, **__: True)


@pytest.fixture
def world_of(tmp_path: Path) -> Callable[[str], World]:
    """The small world with these instances, as YAML flow entries."""

    def write(instances: str = PLAIN) -> World:
        directory = tmp_path / "world"
        directory.mkdir(exist_ok=True)
        (directory / "world.yaml").write_text(WORLD.replace("INSTANCES", instances), encoding="utf-8")
        return read_world(directory)

    return write


@pytest.fixture
def rehearsed(world_of: Callable[[str], World]) -> Callable[..., object]:
    """A context manager: the lane deployed at ``start`` in a world of these instances."""

    @contextmanager
    def open_it(
        instances: str = PLAIN,
        parameters: str = "",
        *,
        start: datetime = FRIDAY,
        cycles: int = 1,
        assumptions: Assumptions | None = None,
    ) -> Iterator[Rehearsed]:
        script = write_script(fleet_of(parameters), start, cycles)
        world = world_of(instances)
        with open_stage(world, start, assumptions=assumptions, organization_id=script.organization_id) as stage:
            deployment = deploy_lanes(
                script.lanes, log_account=script.log_account, control=stage.stacks, progress=lambda _: None
            )
            yield Rehearsed(stage, script, deployment)

    return open_it
