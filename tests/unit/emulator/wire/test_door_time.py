"""API calls of processes take virtual time; retries and waiters wait on the virtual clock, never on the real one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.errors import AwsError
from patchgate.emulator.kernel import ProcessKilled
from patchgate.emulator.wire import WireDoor

ACCOUNT, REGION = "111122223333", "eu-west-1"
THROTTLED = AwsError("ThrottlingException", "Rate exceeded")


def run(cloud: Cloud, *bodies: Callable[[], None], seconds: float = 600) -> None:
    for number, body in enumerate(bodies):
        cloud.kernel.spawn(f"process {number}", body)
    cloud.kernel.run_until(cloud.now + timedelta(seconds=seconds))


def since(start: datetime, instants: list[datetime]) -> list[float]:
    return [(instant - start).total_seconds() for instant in instants]


def test_a_call_of_a_process_arrives_after_the_latency(cloud: Cloud, door: WireDoor, trouble: Any) -> None:
    client, start = door.session(ACCOUNT, REGION).client("ssm"), cloud.now

    def body() -> None:
        for _ in range(3):
            client.get_parameter(Name="/a")

    run(cloud, body)
    assert since(start, trouble.arrivals) == [0.02, 0.04, 0.06]


def test_the_latency_is_the_clouds(cloud: Cloud, door: WireDoor, trouble: Any) -> None:
    cloud.api_latency = 1.5
    client, start = door.session(ACCOUNT, REGION).client("ssm"), cloud.now
    run(cloud, lambda: client.get_parameter(Name="/a"))
    assert since(start, trouble.arrivals) == [1.5]


def test_outside_of_processes_a_call_takes_no_time(cloud: Cloud, door: WireDoor, trouble: Any) -> None:
    start = cloud.now
    door.session(ACCOUNT, REGION).client("ssm").get_parameter(Name="/a")
    assert trouble.arrivals == [start]


def test_every_call_is_a_scheduling_point(cloud: Cloud, door: WireDoor) -> None:
    client, order = door.session(ACCOUNT, REGION).client("ssm"), []

    def process(name: str) -> Callable[[], None]:
        def body() -> None:
            for step in range(2):
                client.get_parameter(Name="/a")
                order.append(f"{name}{step}")

        return body

    run(cloud, process("a"), process("b"))
    assert order == ["a0", "b0", "a1", "b1"]


def test_an_operation_may_take_its_own_time(cloud: Cloud, door: WireDoor) -> None:
    client, start, ends = door.session(ACCOUNT, REGION).client("lambda"), cloud.now, []

    def body() -> None:
        client.invoke(FunctionName="f", Payload=b"1")
        ends.append(cloud.now)

    run(cloud, body, body)
    assert since(start, ends) == [90.02, 90.02]


def test_a_process_can_be_killed_at_a_call(cloud: Cloud, door: WireDoor, trouble: Any) -> None:
    client, ends = door.session(ACCOUNT, REGION).client("ssm"), []

    def body() -> None:
        try:
            client.get_parameter(Name="/a")
        except ProcessKilled as killed:
            ends.append(killed.reason)

    process = cloud.kernel.spawn("victim", body)
    cloud.kernel.after(timedelta(milliseconds=10), process.kill, "timeout")
    cloud.kernel.run_until(cloud.now + timedelta(seconds=1))
    assert (ends, trouble.arrivals) == (["timeout"], [])


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_retries_wait_on_the_virtual_clock(cloud: Cloud, door: WireDoor, trouble: Any, mode: str) -> None:
    retries: Any = {"mode": mode, "total_max_attempts": 4}
    client = door.session(ACCOUNT, REGION).client("ssm", config=Config(retries=retries))
    trouble.errors = [THROTTLED] * 3
    start, began, answers = cloud.now, time.perf_counter(), []
    run(cloud, lambda: answers.append(client.get_parameter(Name="/a")))
    waited = since(start, trouble.arrivals)
    assert len(answers) == 1
    assert len(waited) == 4
    assert waited == sorted(waited)
    assert waited[-1] > 0.1
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_retries_replay(new_cloud: Callable[[], Cloud], mode: str) -> None:
    waits = []
    for _ in range(2):
        cloud = new_cloud()
        trouble = cloud.component(trouble_component(cloud))
        trouble.errors = [THROTTLED] * 3
        with WireDoor(cloud) as door:
            retries: Any = {"mode": mode, "total_max_attempts": 4}
            client = door.session(ACCOUNT, REGION).client("ssm", config=Config(retries=retries))
            run(cloud, lambda client=client: client.get_parameter(Name="/a"))  # type: ignore[misc]
        waits.append(list(trouble.arrivals))
    assert waits[0] == waits[1]


def trouble_component(cloud: Cloud) -> Any:
    return next(kind for kind in cloud._components if kind.__name__ == "Trouble")


def test_retries_outside_of_processes_do_not_wait(cloud: Cloud, door: WireDoor, trouble: Any) -> None:
    trouble.errors = [THROTTLED] * 9
    began = time.perf_counter()
    with pytest.raises(ClientError, match="ThrottlingException"):
        door.session(ACCOUNT, REGION).client("ssm").get_parameter(Name="/a")
    assert time.perf_counter() - began < 1


def test_waiters_of_the_operator_pause_as_told(cloud: Cloud) -> None:
    pauses: list[float] = []
    with WireDoor(cloud, pause=pauses.append) as door:
        waiter = door.session(ACCOUNT, REGION).client("ec2").get_waiter("instance_running")
        with pytest.raises(WaiterError):
            waiter.wait(InstanceIds=["i-1"], WaiterConfig={"Delay": 15, "MaxAttempts": 3})
    assert pauses == [15, 15]


def test_instants_are_aware_and_in_utc(cloud: Cloud, door: WireDoor) -> None:
    answer = door.session(ACCOUNT, REGION).client("ssm").get_parameter(Name="/a")
    assert answer["Parameter"]["LastModifiedDate"] == cloud.now
    assert answer["Parameter"]["LastModifiedDate"].utcoffset() == timedelta(0)


def test_credentials_expire_by_the_clock_of_their_clients(door: WireDoor) -> None:
    """An SDK refuses credentials that have expired for its own clock, which is the host's."""
    session = door.session(ACCOUNT, REGION)
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    role = session.client("iam").create_role(
        RoleName="any", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    answer = session.client("sts").assume_role(RoleArn=role, RoleSessionName="any")
    assert timedelta(minutes=55) < answer["Credentials"]["Expiration"] - datetime.now(UTC) <= timedelta(hours=1)
