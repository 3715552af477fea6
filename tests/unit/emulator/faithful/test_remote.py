"""The child's side of the clock: one connection, asked again when the parent has closed it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from patchgate.emulator.faithful.remote import RemoteClock


@contextmanager
def parent(*connections: tuple[bytes, ...]) -> Iterator[tuple[RemoteClock, list[str]]]:
    """A parent that gives these answers on each connection, and then closes it; what it was asked."""
    asked: list[str] = []

    def serve() -> None:
        for answers in connections:
            connection, _ = listening.accept()
            with connection:
                for answer in answers:
                    asked.append(connection.recv(4096).decode())
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield RemoteClock(listening.getsockname()[1]), asked
        thread.join()


def answer(value: object, status: str = "200 OK") -> bytes:
    body = json.dumps(value)
    return f"HTTP/1.1 {status}\r\nServer: s\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


def test_one_connection_serves_many_questions() -> None:
    with parent((answer(1783197000250), answer(0.5), answer("token"), answer(None))) as (clock, asked):
        assert clock.now == datetime(2026, 7, 4, 20, 30, 0, 250_000, tzinfo=UTC)
        assert (clock.random(), clock.draw_token()) == (0.5, "token")
        clock.sleep(1.5)
    assert [question.split(" ")[1] for question in asked] == [
        "/_child/clock",
        "/_child/chance",
        "/_child/token",
        "/_child/sleep",
    ]
    assert asked[-1].endswith('{"seconds": 1.5}')


def test_a_closed_connection_is_opened_again() -> None:
    with parent((answer(1),), (answer(2),)) as (clock, _):
        assert (clock.now_millis, clock.now_millis) == (1, 2)


def test_a_parent_that_is_gone_is_an_error() -> None:
    with parent((), ()) as (clock, _), pytest.raises(ConnectionError, match="has gone"):
        clock.sleep(1)


def test_what_the_parent_refuses_is_told() -> None:
    refusal = answer({"error": "no"}, "503 Service Unavailable")
    with parent((refusal,)) as (clock, _), pytest.raises(RuntimeError, match="503"):
        clock.random()
