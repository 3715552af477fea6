"""An engine at a URL: who is taken for one, what it may answer, and where its clients go."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from patchgate.emulator.endpoint.client import EngineClient, EngineError, check_url
from patchgate.emulator.endpoint.sessions import EndpointSession
from patchgate.emulator.protocol import PROTOCOL
from patchgate.errors import InputError

HEALTH = json.dumps({"status": "ok", "protocol": PROTOCOL, "assumptions": ["a"]})
CLOCK = {"now": "2026-07-11T00:00:00.000Z", "next_event": None, "recorded": 3, "run": "r"}
WHEN = datetime(2026, 7, 11, tzinfo=UTC)


@contextmanager
def answering(status: int, text: str) -> Iterator[tuple[str, list[tuple[str, str, str, bytes]]]]:
    """The URL of a server that answers everybody so, and the (method, path, authorization, body) that it was asked."""
    asked: list[tuple[str, str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append((self.command, self.path, self.headers.get("Authorization", ""), body))
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - http.server's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_an_engine_is_greeted() -> None:
    with answering(200, HEALTH) as (url, asked):
        assert EngineClient(f"{url}/").greet() == {"a"}
    assert [(method, path) for method, path, _, _ in asked] == [("GET", "/_patchgate/health")]


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (200, "<html>", "there is no engine at .* answered what no engine answers"),
        (404, "not found", "there is no engine at .* answered with status 404"),
        (403, '{"__type": "AccessDenied", "message": "who are you"}', "there is no engine at .*: who are you"),
        (200, '{"status": "ok"}', "does not say that it is an engine; a rehearsal needs patchgate-engine/1"),
        (200, "[]", "does not say that it is an engine"),
        (200, '{"protocol": "patchgate-engine/2"}', "speaks patchgate-engine/2; a rehearsal needs patchgate-engine/1"),
    ],
)
def test_what_is_no_engine_is_told_in_one_line(status: int, text: str, said: str) -> None:
    with answering(status, text) as (url, _), pytest.raises(InputError, match=said) as caught:
        EngineClient(url).greet()
    assert caught.value.remedy == "start one with: patchgate emulator"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "7", "{}", json.dumps(CLOCK | {"now": "2026-07-11"}), json.dumps(CLOCK | {"recorded": "3"})]
)
def test_a_clock_that_is_no_clock_is_an_error(text: str) -> None:
    with answering(200, text) as (url, _), pytest.raises(EngineError, match="answered what no engine answers"):
        EngineClient(url).read_clock()


def test_what_the_engine_refuses_is_wrong_input() -> None:
    refusal = '{"error": "it never runs backwards", "remedy": "wait"}'
    with answering(400, refusal) as (url, _), pytest.raises(InputError, match="never runs backwards") as caught:
        EngineClient(url).advance_to(WHEN)
    assert caught.value.remedy == "wait"


def test_what_fails_in_the_engine_is_its_failure() -> None:
    failure = '{"__type": "InternalFailure", "message": "KeyError: 7"}'
    with answering(500, failure) as (url, _), pytest.raises(EngineError, match="KeyError: 7"):
        EngineClient(url).advance_by(90)


def test_what_is_asked_for() -> None:
    with answering(200, json.dumps(CLOCK | {"instances": 4})) as (url, asked):
        client = EngineClient(url)
        assert client.begin({"start": "s"}).run == "r"
        client.begin()
        client.advance_to(WHEN)
        client.advance_by("PT1H")
        assert client.load_world(b"version: 1") == 4
        client.read_history(7)
    assert [(method, path.removeprefix("/_patchgate/"), body) for method, path, _, body in asked] == [
        ("POST", "reset", b'{"start": "s"}'),
        ("POST", "reset", b""),
        ("POST", "clock", b'{"until": "2026-07-11T00:00:00.000Z"}'),
        ("POST", "clock", b'{"advance": "PT1H"}'),
        ("POST", "world", b"version: 1"),
        ("GET", "history?from=7", b""),
    ]


NO_URLS = (
    "",
    "localhost:4566",
    "ftp://localhost",
    "file:///etc/passwd",
    "http://",
    "http://a/b",
    "http://a?b",
    "http://u@a",
    "http://a:99999",
    "http://a:0",
    "http://[::1",
)


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_no_url_of_an_engine(url: str) -> None:
    with pytest.raises(InputError, match=r"URL"):
        check_url(url)


def test_clients_go_to_the_endpoint_whatever_the_machine_is_set_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody-elses")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALREALREALREAL")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with answering(200, '{"WindowIdentities": []}') as (url, asked):
        session = EndpointSession(url, "111122223333", "eu-west-1")
        ssm = session.client("ssm")
        assert ssm.describe_maintenance_windows()["WindowIdentities"] == []
        assert session.client("ssm") is ssm
        assert session.client("ssm", region_name="us-east-1").meta.endpoint_url == url
        assert session.client("ssm", config=None, use_ssl=False).meta.endpoint_url == url
    assert "Credential=111122223333/" in asked[0][2]
    assert "/eu-west-1/ssm/" in asked[0][2]


@pytest.mark.parametrize(("account", "region"), [("", "eu-west-1"), ("1111", "eu-west-1"), ("111122223333", "")])
def test_a_session_is_of_an_account_and_a_region(account: str, region: str) -> None:
    with pytest.raises(ValueError, match="12 digits"):
        EndpointSession("http://127.0.0.1:4566", account, region)
