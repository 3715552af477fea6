"""The control endpoints: what each answers, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from patchgate.emulator.server import CloudHost
from patchgate.emulator.server.control import answer_control


def ask(host: CloudHost, method: str, endpoint: str, body: object = None) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, headers, answered = answer_control(host, method, f"/_patchgate/{endpoint}", content)
    assert headers["Content-Type"] == "application/json"
    return status, json.loads(answered)


def test_health(fresh: CloudHost) -> None:
    status, answer = ask(fresh, "GET", "health")
    assert (status, answer["status"], answer["protocol"]) == (200, "ok", "patchgate-engine/1")
    assert answer["engine"].startswith("patchgate ")
    assert "scheduler_delivers_twice" in answer["assumptions"]


def test_the_clock_is_read_and_moved(fresh: CloudHost) -> None:
    run = fresh.read_clock().run
    begin = {"now": "2026-07-04T12:00:00.000Z", "next_event": None, "recorded": 1, "run": run}
    assert ask(fresh, "GET", "clock") == (200, begin)
    for asked, now in (
        ({"until": "2026-07-04T15:00:00+02:00"}, "2026-07-04T13:00:00.000Z"),
        ({"until": "2026-07-05"}, "2026-07-05T00:00:00.000Z"),
        ({"advance": "PT2H30M"}, "2026-07-05T02:30:00.000Z"),
        ({"advance": 0.5}, "2026-07-05T02:30:00.500Z"),
    ):
        assert ask(fresh, "POST", "clock", asked) == (200, begin | {"now": now})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no JSON"),
        (b"\xff", "no JSON"),
        ([], "no JSON object"),
        ({}, "one of: until, advance"),
        ({"until": "2026-07-05", "advance": 1}, "one of: until, advance"),
        ({"advance": "tomorrow"}, "'tomorrow' is no duration"),
        ({"until": "tomorrow"}, "'tomorrow' is no instant"),
        ({"until": 7}, "7 is no instant"),
        ({"until": "2020-01-01"}, "never runs backwards"),
        ({"advance": 1e13}, "no instant of the calendar"),
    ],
)
def test_the_clock_refuses(fresh: CloudHost, body: object, said: str) -> None:
    status, answer = ask(fresh, "POST", "clock", body)
    assert status == 400
    assert said in answer["error"]
    assert ask(fresh, "GET", "clock")[1]["now"] == "2026-07-04T12:00:00.000Z"


def test_the_history_is_json_lines(fresh: CloudHost) -> None:
    status, headers, body = answer_control(fresh, "GET", "/_patchgate/history?from=0", b"")
    assert (status, headers["Content-Type"]) == (200, "application/x-ndjson")
    (record,) = [json.loads(line) for line in body.splitlines()]
    assert (record["seq"], record["event"]) == (0, "InstanceLaunched")
    assert answer_control(fresh, "GET", "/_patchgate/history?from=1", b"")[2] == b""


@pytest.mark.parametrize("start", ["", "-1", "x"])
def test_the_history_begins_at_a_number(fresh: CloudHost, start: str) -> None:
    assert ask(fresh, "GET", f"history?from={start}")[0] == 400


def test_a_world_is_loaded_and_a_bad_one_refused(fresh: CloudHost) -> None:
    assert ask(fresh, "POST", "world", b"i-00000002") == (200, {"instances": 1})
    assert ask(fresh, "POST", "world", b"") == (400, {"error": "no machine is named", "remedy": "name one"})


def test_a_reset_answers_as_the_clock(fresh: CloudHost) -> None:
    ask(fresh, "POST", "clock", {"advance": "P1D"})
    for body in (b"", b"{}"):
        status, answer = ask(fresh, "POST", "reset", body)
        assert (status, answer["now"]) == (200, "2026-07-04T12:00:00.000Z")


def test_a_reset_begins_as_asked_for(fresh: CloudHost) -> None:
    before = fresh.read_clock().run
    asked = {"start": "2027-01-01T00:00:00Z", "seed": 7, "world": "i-0000000a", "assumptions": {}, "organization": ""}
    status, answer = ask(fresh, "POST", "reset", asked)
    assert (status, answer["now"], answer["recorded"]) == (200, "2027-01-01T00:00:00.000Z", 1)
    assert answer["run"] not in ("", before)
    assert next(iter(fresh.read_history()))["instance"] == "i-0000000a"
    assert ask(fresh, "POST", "reset", b"")[1]["now"] == "2026-07-04T12:00:00.000Z"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"seed": 1}, "a beginning needs a start"),
        ({"start": "2027-01-01", "speed": 2}, "a beginning has no speed"),
        ({"start": "soon"}, "'soon' is no instant"),
        ({"start": "2027-01-01", "seed": -1}, "seed: -1 is no whole number"),
        ({"start": "2027-01-01", "seed": True}, "seed: True is no whole number"),
        ({"start": "2027-01-01", "organization": "acme"}, "organization: 'acme' is no id"),
        ({"start": "2027-01-01", "assumptions": {"it_rains": True}}, "assumptions: there is no it_rains"),
        ({"start": "2027-01-01", "assumptions": {"scheduler_delivers_twice": 1}}, "has no reading"),
        ({"start": "2027-01-01", "world": 7}, "the world is no id"),
        ([], "no JSON object"),
    ],
)
def test_a_reset_that_is_refused_changes_nothing(fresh: CloudHost, asked: object, said: str) -> None:
    before = fresh.read_clock()
    status, answer = ask(fresh, "POST", "reset", asked)
    assert status == 400
    assert said in answer["error"]
    assert fresh.read_clock() == before


def test_other_paths_and_methods_are_named(fresh: CloudHost) -> None:
    status, answer = ask(fresh, "GET", "time")
    assert status == 404
    assert "/_patchgate/clock" in answer["remedy"]
    status, answer = ask(fresh, "DELETE", "clock")
    assert (status, answer["remedy"]) == (405, "GET, POST")
