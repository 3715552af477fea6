"""The sockets: HTTP/1.1, a thread for each connection, every request handed to the host in turn.

Code of emulated functions runs in this process, so a web page must not be able to reach it: requests of browsers for
other sites (they carry ``Origin``) are refused, and so is every ``Host`` that a page could have pointed here.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar, cast
from urllib.parse import urlsplit

from patchgate.emulator.protocol import CONTROL
from patchgate.emulator.server.control import answer_control
from patchgate.emulator.server.host import StoppingError
from patchgate.errors import InputError, PatchgateError

if TYPE_CHECKING:
    from typing import Self

    from patchgate.emulator.server.host import CloudHost, Response

LARGEST_BODY = 256 * 1024 * 1024
"""In bytes: what a request may hold, for it is held in memory."""

PATIENCE = 5.0
_OURS = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})
_NO_BODY = frozenset({204, 304})
_LINE = 64 * 1024


class EmulatorServer(ThreadingHTTPServer):
    """Serves a host. A context: at the end the socket is closed, when requests that were being answered are."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, listening: socket.socket, host: CloudHost, name: str) -> None:
        super().__init__(listening.getsockname()[:2], _Exchange, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.host = host
        self.name = name
        self._answering = 0
        self._idle = threading.Condition()

    @classmethod
    def bind(cls, name: str, port: int, host: CloudHost) -> Self:
        """Listen on an address, on a free port when ``port`` is 0. Raises InputError when that cannot be."""
        try:
            family = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0][0]
            return cls(socket.create_server((name, port), family=family, backlog=128), host, name)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(
                f"cannot listen on {name} port {port}: {reason}", remedy="choose another one: --port 0 takes a free one"
            ) from error

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A request is being answered inside."""
        with self._idle:
            self._answering += 1
        try:
            yield
        finally:
            with self._idle:
                self._answering -= 1
                self._idle.notify_all()

    def server_close(self) -> None:
        """Stop listening, and wait until what is being answered has been, for at most PATIENCE seconds."""
        super().server_close()
        with self._idle:
            self._idle.wait_for(lambda: not self._answering, PATIENCE)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's
        """A client that goes away in the middle is no fault."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc(file=sys.stderr)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.socket.getsockname()[1])

    @property
    def url(self) -> str:
        """What clients take as their endpoint."""
        named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.name, self.name)  # noqa: S104 - not bound, read
        return f"http://[{named}]:{self.port}" if ":" in named else f"http://{named}:{self.port}"

    def is_own_name(self, host: str) -> bool:
        """Whether a ``Host`` header names this server in a way that no other site's name can: see the module."""
        name = urlsplit(f"//{host}").hostname or ""
        if name in ("localhost", self.name):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


class _Exchange(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "patchgate"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout: ClassVar[float] = 120  # seconds that a connection may be idle
    _date = ""

    def do_GET(self) -> None:
        self._exchange()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """The history says what happened; standard error stays for faults."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header Date: what time it is there, as the host says it."""
        return self._date or super().date_time_string(timestamp)

    @property
    def _server(self) -> EmulatorServer:
        return cast("EmulatorServer", self.server)

    def _exchange(self) -> None:
        refusal = self._refusal()
        if refusal is not None:
            self.close_connection = True
            self._send(refusal)
            return
        try:
            body = self._read_body()
        except ValueError as error:
            self.close_connection = True
            self._send(_failure(400, "MalformedRequest", str(error)))
            return
        with self._server.answering():
            self._send(self._answer(body))

    def _refusal(self) -> Response | None:
        if "Origin" in self.headers:
            return _failure(403, "AccessDenied", "requests of web pages are not answered")
        host = self.headers.get("Host", "")
        if not self._server.is_own_name(host):
            return _failure(403, "AccessDenied", f"not answered as '{host}': use localhost or the address")
        return None

    def _answer(self, body: bytes) -> Response:
        host = self._server.host
        try:
            if self.path.startswith(CONTROL):
                return answer_control(host, self.command, self.path, body)
            return host.answer(self.command, self.path, list(self.headers.items()), body)
        except StoppingError as error:
            self.close_connection = True
            return _failure(503, "ServiceUnavailable", str(error))
        except Exception as error:  # noqa: BLE001 - the outermost function of a request: the server goes on
            if not isinstance(error, PatchgateError):
                traceback.print_exc(file=sys.stderr)
            return _failure(500, "InternalFailure", f"{type(error).__name__}: {error}")

    def _send(self, response: Response) -> None:
        status, headers, body = response
        own = {name.lower(): value for name, value in headers.items()}
        self._date = own.get("date", "")
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _OURS:
                self.send_header(name, value)
        headed = self.command == "HEAD"
        if status not in _NO_BODY:
            self.send_header("Content-Length", own.get("content-length", "0") if headed else str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if status not in _NO_BODY and not headed:
            self.wfile.write(body)
        self.wfile.flush()

    def _read_body(self) -> bytes:
        """The request's body. Raises ValueError for one that is cut short, badly framed or too large."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        given = self.headers.get("Content-Length", "0")
        if not given.isdecimal():
            raise ValueError(f"Content-Length {given} is no length")
        return self._read_exactly(int(given))

    def _read_chunks(self) -> bytes:
        chunks = bytearray()
        while True:
            line = self.rfile.readline(_LINE).split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", line):
                raise ValueError("a chunk has no size")
            size = int(line, 16)
            if size == 0:
                break
            chunks += self._read_exactly(size, already=len(chunks))
            self.rfile.readline(_LINE)
        while self.rfile.readline(_LINE).strip():  # trailers
            pass
        return bytes(chunks)

    def _read_exactly(self, size: int, *, already: int = 0) -> bytes:
        if already + size > LARGEST_BODY:
            raise ValueError(f"a request holds at most {LARGEST_BODY} bytes")
        body = self.rfile.read(size)
        if len(body) < size:
            raise ValueError("the request was cut short")
        return body


def _failure(status: int, code: str, message: str) -> Response:
    """A refusal in the form that most AWS clients understand."""
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return status, headers, json.dumps({"__type": code, "message": message}).encode()
