"""A rehearsal deploys exactly what ``patchgate deploy`` would: the same stacks, templates, parameters and tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from patchgate.config import read_fleet
from patchgate.operations.deployment import settle_lanes
from patchgate.operations.ports import StackResult
from patchgate.operations.rollout.desired import LanePlace, list_desired
from patchgate.rehearsal.run import run_rehearsal
from patchgate.rehearsal.worlds import World

EXAMPLES = Path(__file__).parents[3] / "examples"
START = datetime(2026, 12, 10, 12, tzinfo=UTC)
UNITS = {"ou-a1b2-c3d4e5f6": ["111111111111", "222222222222", "555555555555"]}
BUCKET = "the-bucket"
Asked = dict[tuple[str, str, str], tuple[str, dict[str, str], dict[str, str]]]


class DeployedError(Exception):
    """Everything is deployed: the rest of the rehearsal is not wanted."""


@dataclass
class RecordingAws:
    """RehearsedAws that remembers what was deployed, and ends when time would begin."""

    asked: Asked = field(default_factory=dict)

    @property
    def stacks(self) -> RecordingAws:
        return self

    def create_or_update(
        self,
        account: str,
        region: str,
        name: str,
        template_body: str,
        parameters: Mapping[str, str],
        capabilities: tuple[str, ...] = (),
        tags: Mapping[str, str] | None = None,
    ) -> StackResult:
        self.asked[account, region, name] = template_body, dict(parameters), dict(tags or {})
        return StackResult("CREATE_COMPLETE", {"BucketName": BUCKET}, 1)

    def run_until(self, _when: datetime) -> None:
        raise DeployedError


@dataclass
class RecordingEngine:
    aws: RecordingAws = field(default_factory=RecordingAws)

    @contextmanager
    def begin(self, _beginning: Any) -> Iterator[Any]:
        yield self.aws


@pytest.mark.parametrize("name", ["fleet.yaml", "organization.yaml"])
def test_the_stacks_of_a_rehearsal_are_those_of_a_deployment(name: str) -> None:
    fleet = read_fleet(EXAMPLES / name)
    fleet = fleet.with_units(UNITS) if fleet.unresolved() else fleet
    engine: Any = RecordingEngine()
    with pytest.raises(DeployedError):
        run_rehearsal(fleet, World(None, ()), start=START, engine=engine)

    configs = fleet.lanes(today=START.date())
    settled = settle_lanes(configs, fleet.organization.id)
    lanes = [LanePlace.of(config, each) for config, each in zip(configs, settled, strict=True)]
    deployed: Asked = {}
    for wave in list_desired(lanes, fleet.promotion, fleet.log_account, lambda _: False):
        for stack in wave.stacks:
            bucket = {"S3Bucket": BUCKET} if stack.bucket_of else {}
            deployed[stack.key] = stack.body, {**stack.parameters, **bucket}, dict(stack.tags)
    assert len(deployed) >= 2 * len(lanes) + 1
    assert ("patchgate-freezes" in str(list(deployed))) == (name == "organization.yaml")
    assert engine.aws.asked == deployed
