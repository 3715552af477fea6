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
    assert ask(fresh, "GET", "health") == (200, {"status": "ok"})


def test_the_clock_is_read_and_moved(fresh: CloudHost) -> None:
    begin = {"now": "2026-07-04T12:00:00.000Z", "next_event": None, "recorded": 1}
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
    status, answer = ask(fresh, "POST", "reset")
    assert (status, answer["now"]) == (200, "2026-07-04T12:00:00.000Z")


def test_other_paths_and_methods_are_named(fresh: CloudHost) -> None:
    status, answer = ask(fresh, "GET", "time")
    assert status == 404
    assert "/_patchgate/clock" in answer["remedy"]
    status, answer = ask(fresh, "DELETE", "clock")
    assert (status, answer["remedy"]) == (405, "GET, POST")
