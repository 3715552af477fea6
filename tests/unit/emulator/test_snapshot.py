"""Snapshots: what comes back, what stays shared, and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.wire import WireDoor

START = datetime(2026, 7, 4, 12, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-west-1")


class Counter(Component):
    """Counts by the hour, with timers on the agenda."""

    service = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.counts: dict[str, int] = {}

    def count(self, scope: Scope, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
        self.cloud.record(scope, "Counted", name=name, count=self.counts[name], drawn=self.cloud.identifier("x-"))
        self.cloud.kernel.after(timedelta(hours=1), self.count, scope, name)

    @operation("GetParameter")
    def get(self, scope: Scope, params: Params) -> Result:
        return {"Parameter": {"Value": str(self.counts.get(params["Name"], 0))}}


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud((Counter,), start=START, seed=5)
    cloud.component(Counter).count(SCOPE, "a")
    cloud.kernel.run_until(START + timedelta(hours=3))
    return cloud


def after(cloud: Cloud, **duration: float) -> str:
    cloud.kernel.run_until(cloud.now + timedelta(**duration))
    return cloud.history.to_json_lines()


def test_timers_clock_chance_and_history_come_back(cloud: Cloud) -> None:
    taken = cloud.snapshot()
    first = after(cloud, hours=5)
    cloud.restore(taken)
    assert cloud.now == START + timedelta(hours=3)
    assert len(cloud.history) == 4
    assert after(cloud, hours=5) == first


def test_handlers_are_those_of_the_restored_components(cloud: Cloud) -> None:
    taken = cloud.snapshot()
    after(cloud, hours=5)
    assert cloud.invoke(SCOPE, "ssm", "GetParameter", {"Name": "a"}) == {"Parameter": {"Value": "9"}}
    cloud.restore(taken)
    assert cloud.invoke(SCOPE, "ssm", "GetParameter", {"Name": "a"}) == {"Parameter": {"Value": "4"}}
    assert cloud.component(Counter).cloud is cloud


def test_a_snapshot_does_not_change_with_the_cloud(cloud: Cloud) -> None:
    taken = cloud.snapshot()
    cloud.component(Counter).counts["a"] = 100
    cloud.restore(taken)
    assert cloud.component(Counter).counts == {"a": 4}


@dataclass(frozen=True)
class Fixed:
    """Nobody can change it; what ``holds`` is may be another matter."""

    holds: Any


@pytest.mark.parametrize("value", ["long " * 20, b"long " * 20, (START, "a"), Fixed((1, "a", START)), START])
def test_what_nobody_can_change_is_shared(cloud: Cloud, value: Any) -> None:
    counts: dict[str, Any] = cloud.component(Counter).counts
    counts["value"] = value
    cloud.restore(cloud.snapshot())
    assert cloud.component(Counter).counts["value"] is value


@pytest.mark.parametrize("value", [[1], ([1], "a"), Fixed([1]), Fixed((1, {"a": 1})), {1: START}])
def test_what_can_be_changed_is_not(cloud: Cloud, value: Any) -> None:
    counts: dict[str, Any] = cloud.component(Counter).counts
    counts["value"] = value
    cloud.restore(cloud.snapshot())
    assert cloud.component(Counter).counts["value"] is not value
    assert cloud.component(Counter).counts["value"] == value


def test_another_cloud_takes_it_even_after_a_journey(cloud: Cloud) -> None:
    taken = pickle.loads(pickle.dumps(cloud.snapshot()))  # noqa: S301 - our own bytes
    other = Cloud((Counter,), start=START, seed=99)
    other.restore(taken)
    assert after(other, hours=5) == after(cloud, hours=5)
    assert other.component(Counter).cloud is other


def test_a_cloud_with_a_sleeping_process_has_none(cloud: Cloud) -> None:
    cloud.kernel.spawn("sleeper", lambda: cloud.kernel.sleep(60))
    with pytest.raises(RuntimeError, match="quiet cloud has a snapshot; running: sleeper"):
        cloud.snapshot()
    cloud.kernel.run_until(cloud.now)
    with pytest.raises(RuntimeError, match="sleeper"):
        cloud.snapshot()
    after(cloud, minutes=2)
    assert cloud.snapshot().size > 0


def test_a_process_cannot_restore_the_cloud_that_it_runs_on(cloud: Cloud) -> None:
    taken, problems = cloud.snapshot(), list[str]()

    def body() -> None:
        try:
            cloud.restore(taken)
        except RuntimeError as error:
            problems.append(str(error))

    cloud.kernel.spawn("self", body)
    cloud.kernel.run_until(cloud.now)
    assert problems == ["a cloud cannot be restored by a process that runs on it"]


def test_motos_state_cannot_be_taken() -> None:
    cloud = Cloud((Counter,), start=START)
    with WireDoor(cloud), pytest.raises(NotEmulatedError, match="snapshot of moto's state"):
        cloud.snapshot()


class TestBehindTheDirectDoor:
    @pytest.fixture
    def door(self) -> Iterator[DirectDoor]:
        with DirectDoor(Cloud(COMPONENTS, start=START, seed=7)) as door:
            yield door

    def test_what_the_neighbour_keeps_comes_back(self, door: DirectDoor) -> None:
        s3 = door.session(SCOPE).client("s3")
        s3.create_bucket(Bucket="logs-1", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket="logs-1", Key="a", Body=b"1")
        taken = door.cloud.snapshot()
        s3.put_object(Bucket="logs-1", Key="a", Body=b"2")
        door.cloud.restore(taken)
        again = door.session(SCOPE).client("s3")
        assert again.get_object(Bucket="logs-1", Key="a")["Body"].read() == b"1"

    def test_request_ids_and_client_tokens_come_back(self, door: DirectDoor) -> None:
        def create() -> tuple[str, str]:
            params = {"Schedule": "rate(1 day)", "Duration": 2, "Cutoff": 1, "AllowUnassociatedTargets": True}
            made = door.session(SCOPE).client("ssm").create_maintenance_window(Name="window", **params)
            return made["WindowId"], made["ResponseMetadata"]["RequestId"]

        taken = door.cloud.snapshot()
        first = create()
        door.cloud.restore(taken)
        assert create() == first
        assert create() != first

    def test_clients_start_anew(self, door: DirectDoor) -> None:
        taken, before = door.cloud.snapshot(), door.session(SCOPE).client("ssm")
        door.cloud.restore(taken)
        assert door.session(SCOPE).client("ssm") is not before
        with pytest.raises(before.exceptions.ParameterNotFound):
            before.get_parameter(Name="/a")

    def test_what_roles_may_do_is_forgotten_when_iam_differs(self, door: DirectDoor) -> None:
        iam = door.session(SCOPE).client("iam")
        service = {"Service": "lambda.amazonaws.com"}
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": service, "Action": "*"}]}
        role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=str(trust).replace("'", '"'))["Role"]["Arn"]
        taken = door.cloud.snapshot()
        mine = door.session(SCOPE.account, SCOPE.region, role).client("ssm")
        policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
        iam.put_role_policy(RoleName="r", PolicyName="all", PolicyDocument=policy)
        mine.put_parameter(Name="/a", Value="1", Type="String")
        door.cloud.restore(taken)
        with pytest.raises(mine.exceptions.ClientError, match="AccessDenied"):
            mine.put_parameter(Name="/b", Value="1", Type="String")
        with pytest.raises(AwsError, match="ParameterNotFound"):
            door.cloud.invoke(SCOPE, "ssm", "GetParameter", {"Name": "/a"})
