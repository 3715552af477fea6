"""In the child: the parent's virtual clock and dice, asked over a socket."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

CLOCK, SLEEP, TOKEN, CHANCE = "/_child/clock", "/_child/sleep", "/_child/token", "/_child/chance"
"""What the parent's endpoint answers to a child, beside the Runtime API and AWS."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RemoteClock:
    """The clock that runtime_clock reads, and what botocore draws. One connection, one question at a time.

    A question that finds the connection closed is asked once more on a new one: the parent closes idle ones.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None

    @property
    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return _EPOCH + timedelta(milliseconds=self.now_millis)

    @property
    def now_millis(self) -> int:
        """The present instant in milliseconds since the Unix epoch."""
        return int(self._ask(CLOCK))

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass. The answer comes when it has."""
        self._ask(SLEEP, {"seconds": float(seconds)})

    def draw_token(self) -> str:
        """A client token of the run's seed."""
        return str(self._ask(TOKEN))

    def random(self) -> float:
        """A number in [0, 1) of the run's seed."""
        return float(self._ask(CHANCE))

    def _ask(self, path: str, question: object = None) -> Any:
        body = json.dumps(question).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Length: {len(body)}\r\n\r\n"
        with self._lock:
            answer = self._exchange(head.encode() + body) or self._exchange(head.encode() + body)
        if answer is None:
            raise ConnectionError("the embedded AWS has gone")
        return json.loads(answer)

    def _exchange(self, request: bytes) -> bytes | None:
        """The body of the answer; None when the connection was closed."""
        try:
            if self._connection is None:
                self._connection = socket.create_connection(("127.0.0.1", self._port))
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.sendall(request)
            return self._read_answer(self._connection)
        except ConnectionError:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return None

    @staticmethod
    def _read_answer(connection: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            received += _received(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        length = next(int(field.split(":")[1]) for field in fields if field.lower().startswith("content-length:"))
        while len(body) < length:
            body += _received(connection)
        if status.split()[1] != "200":
            raise RuntimeError(f"the embedded AWS answered {status}: {body.decode(errors='replace')}")
        return body


def _received(connection: socket.socket) -> bytes:
    part = connection.recv(65536)
    if not part:
        raise ConnectionResetError("closed")
    return part
