"""An address in front of the embedded AWS that throttles CloudFormation, as AWS does when it is asked too often."""

from __future__ import annotations

import http.client
import threading
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_REFUSAL = (
    b'<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>'
    b"<Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>1</RequestId></ErrorResponse>"
)
_HOP = ("host", "content-length", "transfer-encoding", "connection", "server", "date")


@dataclass
class Throttle:
    """``refuses(operation, times)``: whether this request, asked so many times now, is throttled."""

    url: str
    refuses: Callable[[str, int], bool]
    refused: Counter[str] = field(default_factory=Counter)
    carried_out: Counter[str] = field(default_factory=Counter)
    _asked: Counter[bytes] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, body: bytes) -> bool:
        """Whether the request is throttled; it is counted."""
        operation = urllib.parse.parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
        with self._lock:
            self._asked[body] += 1
            refused = bool(operation) and self.refuses(operation, self._asked[body])
            (self.refused if refused else self.carried_out)[operation] += 1
        return refused


@contextmanager
def throttled(url: str, refuses: Callable[[str, int], bool]) -> Iterator[Throttle]:
    """The server at ``url``, throttled, for as long as the context lasts."""

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Nothing is written."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if b"Version=2010-05-15" in body and throttle.judge(body):
                self._answer(400, [("Content-Type", "text/xml")], _REFUSAL)
                return
            upstream = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
            try:
                sent = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
                upstream.request(self.command, self.path, body, sent)
                answer = upstream.getresponse()
                self._answer(answer.status, answer.getheaders(), answer.read())
            finally:
                upstream.close()

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - http.server's name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    throttle = Throttle(f"http://127.0.0.1:{server.server_port}", refuses)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield throttle
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
