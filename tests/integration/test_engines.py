"""Engines are interchangeable: a rehearsal through one that is only an endpoint, in a process of its own, is the same
run as in this process; and judge and summary need nothing of a run but its history as the contract has it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from patchgate.cli.root import run
from patchgate.cli.sample import sample_directory
from patchgate.config import read_fleet
from patchgate.emulator.endpoint.client import EngineClient, EngineError
from patchgate.errors import InputError
from patchgate.judge.judge import judge
from patchgate.operations.ports import StackResult
from patchgate.rehearsal.endpoint import EndpointEngine
from patchgate.rehearsal.engine import Beginning, Engine, RecordedHistory, RehearsedAws
from patchgate.rehearsal.history import COMMON, EVENTS, read_records
from patchgate.rehearsal.run import run_rehearsal, write_script
from patchgate.rehearsal.stage import DEFAULT_START, EmbeddedEngine
from patchgate.rehearsal.summary import summarise
from patchgate.rehearsal.worlds import World, parse_world, read_world
from tests.serving import Served, served

from .conftest import ACCOUNT, FRIDAY, REGION, WORLD, fleet_of
from .test_doors import COVERAGE, MIXED

ORGANIZATION = """
organization:
  management_account: "777788889999"
  units: [{id: ou-ab12-11111111, name: shops}]
  accounts: [{id: "111111111111", name: web, unit: ou-ab12-11111111}]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as server:
        yield server


@pytest.mark.parametrize("seed", [0, 5])
def test_a_run_behind_an_endpoint_is_the_run_of_this_process(
    server: Served, world_of: Callable[[str], World], seed: int
) -> None:
    fleet, world = fleet_of(COVERAGE), world_of(MIXED)
    here, there = (
        run_rehearsal(fleet, world, seed=seed, engine=engine, stopwatch=lambda: 0.0)
        for engine in (EmbeddedEngine(), EndpointEngine(server.url))
    )
    assert "PatchEnded" in here.history
    assert there.history == here.history
    assert there == here


def test_the_sample_behind_an_endpoint_is_the_same_byte_for_byte(
    server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["rehearse", "--output", "json", "--lane", "web/eu-central-1/redhat/prd", "--history"]
    assert run([*command, str(tmp_path / "here")]) == 0
    here = capsys.readouterr().out
    assert run([*command, str(tmp_path / "there"), "--endpoint-url", server.url]) == 0
    assert capsys.readouterr().out == here
    history = (tmp_path / "here").read_bytes()
    assert (tmp_path / "there").read_bytes() == history
    assert history.count(b"\n") > 1000


def test_the_engine_stays_as_the_rehearsal_left_it(server: Served) -> None:
    world = parse_world((WORLD.replace("INSTANCES", "{name: a}") + ORGANIZATION).encode(), "world")
    engine = EndpointEngine(server.url)
    with engine.begin(Beginning(world, FRIDAY, organization_id="o-a1b2c3d4e5")) as aws:
        aws.run_until(FRIDAY + timedelta(days=1))
        assert aws.now == FRIDAY + timedelta(days=1)
    organizations = aws.session("777788889999", "us-east-1").client("organizations")
    (parent,) = organizations.list_parents(ChildId=ACCOUNT)["Parents"]
    assert parent["Id"] == "ou-ab12-11111111"
    assert len(aws.session(ACCOUNT, REGION).client("ec2").describe_instances()["Reservations"]) == 1
    assert EngineClient(server.url).read_clock().now == FRIDAY + timedelta(days=1)


def test_an_engine_that_somebody_else_begins_anew_is_noticed(server: Served) -> None:
    with EndpointEngine(server.url).begin(Beginning(World(None, ()), FRIDAY)) as aws:
        EngineClient(server.url).begin()
        with pytest.raises(EngineError, match="begun anew by somebody else"):
            aws.run_until(FRIDAY + timedelta(days=1))
        with pytest.raises(EngineError, match="begun anew by somebody else"):
            aws.read_history()


def test_a_world_that_the_engine_refuses_is_wrong_input(server: Served) -> None:
    beginning = Beginning(World(None, ()), FRIDAY, organization_id="acme")
    with pytest.raises(InputError, match="no id such as"), EndpointEngine(server.url).begin(beginning):
        raise AssertionError("it began")


def test_where_no_engine_is_one_message_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rehearse", "--endpoint-url", "http://127.0.0.1:1"]) == 2
    message = capsys.readouterr().err
    assert "there is no engine at http://127.0.0.1:1" in message
    assert "start one with: patchgate emulator" in message


def test_a_door_is_of_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rehearse", "--endpoint-url", "http://127.0.0.1:1", "--door", "wire"]) == 2
    assert "--door is for the engine of this process" in capsys.readouterr().err


def test_the_clock_and_the_history_of_a_running_server(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    client = EngineClient(server.url)
    client.begin({"start": "2026-07-10T12:00:00Z"})
    assert client.load_world(WORLD.replace("INSTANCES", "{name: a}, {name: b}").encode()) == 2
    at = ["--endpoint-url", server.url]
    assert run(["emulator", "clock", *at]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "now         2026-07-10T12:00:00+00:00",
        "next event  nothing is planned",
        "recorded    2 records",
    ]
    for words, now in ((["--advance", "PT1H30M"], "13:30:00"), (["--advance", "30"], "13:30:30")):
        assert run(["emulator", "clock", *at, *words, "--output", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["now"] == f"2026-07-10T{now}.000Z"
    assert run(["emulator", "clock", *at, "--until", "2026-07-10T12:00Z"]) == 2
    assert "never runs backwards" in capsys.readouterr().err
    assert run(["emulator", "clock", *at, "--advance", "tomorrow"]) == 2
    assert "'tomorrow' is no duration" in capsys.readouterr().err
    assert run(["emulator", "history", *at, "--from", "1"]) == 0
    assert [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()] == ["b"]
    assert run(["emulator", "history", *at, "--event", "PatchEnded"]) == 0
    assert capsys.readouterr().out == ""


# -- the history alone -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Recording:
    """An engine that keeps the histories of what it began."""

    engine: Engine
    histories: list[RecordedHistory] = field(default_factory=list)

    @contextmanager
    def begin(self, beginning: Beginning) -> Iterator[RehearsedAws]:
        with self.engine.begin(beginning) as aws:
            yield aws
            self.histories.append(aws.read_history())


class NoStacks:
    """StackControl that makes nothing."""

    def create_or_update(self, *_given: object) -> StackResult:
        return StackResult("CREATE_COMPLETE", {"BucketName": "a-bucket"})

    def delete(self, account: str, region: str, name: str) -> None:
        """Nothing is there."""

    def describe(self, account: str, region: str, name: str) -> StackResult | None:
        return None


@dataclass(slots=True)
class Replay:
    """An engine that has no AWS at all: only histories, handed out one for each beginning."""

    texts: list[str]
    now: datetime = DEFAULT_START
    stacks: NoStacks = field(default_factory=NoStacks)

    @contextmanager
    def begin(self, beginning: Beginning) -> Iterator[Replay]:
        self.now = beginning.start
        yield self
        self.texts.pop(0)

    def session(self, account: str, region: str) -> Any:
        raise AssertionError(f"nobody asks AWS of {account}/{region}")

    def run_until(self, when: datetime) -> None:
        self.now = when

    def read_history(self) -> RecordedHistory:
        return RecordedHistory(read_records(self.texts[0], "a replay"), self.texts[0])


def as_contracted(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with what the contract has and nothing else; one of an event that it has not, without any fact."""
    contract = EVENTS.get(record["event"])
    if contract is None:
        return {name: record[name] for name in COMMON} | {"event": "SomethingElse"}
    return {name: record[name] for name in (*COMMON, *contract.facts, *contract.also) if name in record}


@pytest.fixture(scope="module")
def sample() -> tuple[Any, list[RecordedHistory]]:
    """The result of the sample, and its histories: that of the gate and that of the gate that counts jobs."""
    fleet, world = read_fleet(sample_directory() / "fleet.yaml"), read_world(sample_directory() / "world")
    recording = Recording(EmbeddedEngine())
    return run_rehearsal(fleet, world, engine=recording, stopwatch=lambda: 0.0), recording.histories


def test_judge_and_summary_need_the_contract_and_nothing_else(sample: tuple[Any, list[RecordedHistory]]) -> None:
    script = write_script(read_fleet(sample_directory() / "fleet.yaml"), DEFAULT_START, 1)
    _, histories = sample
    for history in histories:
        records = read_records(history.text, "the sample")
        assert records == list(history.records)
        reduced = [as_contracted(record) for record in records]
        assert judge(reduced, lanes=script.facts()) == judge(records, lanes=script.facts())
        lanes = script.rehearsed_lanes()
        assert summarise(reduced, lanes) == summarise(records, lanes)
    assert judge(histories[1].records, lanes=script.facts()).violations, "the other gate breaks promises"


def test_a_rehearsal_on_a_replayed_history_has_the_same_result(sample: tuple[Any, list[RecordedHistory]]) -> None:
    result, histories = sample
    fleet, world = read_fleet(sample_directory() / "fleet.yaml"), read_world(sample_directory() / "world")
    replayed = run_rehearsal(
        fleet, world, engine=Replay([history.text for history in histories]), stopwatch=lambda: 0.0
    )
    assert replace(replayed, resources=result.resources, stacks=result.stacks) == result


def test_every_record_that_the_embedded_aws_writes_keeps_the_contract(
    sample: tuple[Any, list[RecordedHistory]],
) -> None:
    for history in sample[1]:
        for record in history.records:
            contract = EVENTS.get(record["event"])
            assert contract is None or set(contract.facts) <= set(record)
