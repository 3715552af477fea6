"""The host: one thread for the cloud, a clock that is moved, a history, worlds, and beginnings."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from patchgate.emulator.server import CloudHost, HostSettings
from patchgate.emulator.server.host import StoppingError
from patchgate.errors import InputError

from .conftest import START, OneMachine

KEY = "AWS4-HMAC-SHA256 Credential={}/20260704/{}/{}/aws4_request, SignedHeaders=host, Signature=0"
WINDOW: dict[str, object] = {
    "Name": "nightly",
    "Schedule": "cron(0 23 ? * * *)",
    "Duration": 2,
    "Cutoff": 0,
    "AllowUnassociatedTargets": True,
}


def call(
    host: CloudHost, operation: str, params: dict[str, object], *, key: str = "AKIA111122223333"
) -> tuple[int, dict[str, object]]:
    """(status, answer) of an SSM operation in eu-west-1."""
    headers = [
        ("Authorization", KEY.format(key, "eu-west-1", "ssm")),
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", f"AmazonSSM.{operation}"),
    ]
    status, _, body = host.answer("POST", "/", headers, json.dumps(params).encode())
    return status, json.loads(body)


def test_the_clock_stands_where_it_was_put(fresh: CloudHost) -> None:
    assert fresh.read_clock().now == START
    assert fresh.advance_to(START + timedelta(hours=1)).now == START + timedelta(hours=1)
    assert fresh.advance_by(timedelta(seconds=1.5)).now == START + timedelta(hours=1, seconds=1.5)
    assert fresh.read_clock().now == START + timedelta(hours=1, seconds=1.5)


def test_the_clock_never_runs_backwards(fresh: CloudHost) -> None:
    with pytest.raises(InputError, match="never runs backwards"):
        fresh.advance_to(START - timedelta(milliseconds=1))
    assert fresh.read_clock().now == START


def test_what_is_due_happens_on_the_way(fresh: CloudHost) -> None:
    assert call(fresh, "CreateMaintenanceWindow", WINDOW)[0] == 200
    before = fresh.read_clock()
    assert before.next_event is not None
    assert before.next_event <= START + timedelta(hours=11)
    fresh.advance_by(timedelta(days=3))
    starts = [record["at"] for record in fresh.read_history() if record["event"] == "WindowExecutionStarted"]
    assert starts == [f"2026-07-0{day}T23:00:00.000Z" for day in (4, 5, 6)]


def test_the_history_from_a_record_on(fresh: CloudHost) -> None:
    assert [record["event"] for record in fresh.read_history()] == ["InstanceLaunched"]
    call(fresh, "PutParameter", {"Name": "/a", "Value": "1", "Type": "String"})
    assert [(record["seq"], record["event"]) for record in fresh.read_history(1)] == [(1, "ParameterPut")]
    assert fresh.read_history(2) == []
    assert fresh.read_clock().recorded == 2


def test_a_reset_forgets_everything(fresh: CloudHost) -> None:
    call(fresh, "PutParameter", {"Name": "/a", "Value": "1", "Type": "String"})
    fresh.load_world(b"i-00000001")
    fresh.advance_by(timedelta(days=1))
    assert fresh.reset().now == START
    assert [record["event"] for record in fresh.read_history()] == ["InstanceLaunched"]
    assert call(fresh, "GetParameter", {"Name": "/a"})[1]["__type"] == "ParameterNotFound"


def test_a_key_names_its_account_or_has_the_default_one(fresh: CloudHost) -> None:
    put: dict[str, object] = {"Name": "/a", "Value": "1", "Type": "String"}
    for key in ("AKIA111122223333", "444455556666", "whoever"):
        assert call(fresh, "PutParameter", put, key=key)[0] == 200
    accounts = [record["account"] for record in fresh.read_history(1)]
    assert accounts == ["111122223333", "444455556666", "999999999999"]


def test_requests_of_many_threads_are_carried_out_one_by_one(fresh: CloudHost) -> None:
    def put(number: int) -> int:
        return call(fresh, "PutParameter", {"Name": f"/{number}", "Value": "1", "Type": "String"})[0]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put, range(40))) == {200}
    puts = fresh.read_history(1)
    assert [record["seq"] for record in puts] == list(range(1, 41))
    assert {record["name"] for record in puts} == {f"/{number}" for number in range(40)}


def test_a_world_that_cannot_be_loaded_says_so(fresh: CloudHost) -> None:
    with pytest.raises(InputError, match="no machine is named"):
        fresh.load_world(b"")


def test_nothing_is_answered_before_the_beginning_and_after_the_end() -> None:
    host = CloudHost(HostSettings(START), OneMachine())
    with pytest.raises(StoppingError):
        host.read_clock()
    host.__exit__(None, None, None)
    with pytest.raises(StoppingError):
        host.read_clock()
