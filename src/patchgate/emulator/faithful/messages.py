"""What a child says to its parent, over one endpoint: the Runtime API, its clock's questions, and requests to AWS.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

The endpoint's threads put every message into one box, in the order of their arrival. Whoever runs the child takes them
out; a question waits until it is answered, and so does the part of the child that asked.
"""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from patchgate.emulator.faithful.remote import CHANCE, CLOCK, SLEEP, TOKEN
from patchgate.emulator.server.host import StoppingError

if TYPE_CHECKING:
    from patchgate.emulator.server.host import Response

RUNTIME_API = "/2018-06-01/runtime/"
_POSTED = re.compile(r"/2018-06-01/runtime/(?:invocation/(?P<request>[^/]+)/(?P<what>response|error)|init/error)")
_JSON = {"Content-Type": "application/json"}
_ASKS: dict[str, Literal["sleep", "token", "chance"]] = {SLEEP: "sleep", TOKEN: "token", CHANCE: "chance"}


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What the child waits for: the next invocation, an answer of AWS, time that passes, a draw of the seed."""

    kind: Literal["next", "aws", "sleep", "token", "chance"]
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    reply: Future[Response] = field(default_factory=Future)

    def answer(self, response: Response) -> None:
        """Let the child go on, unless it is gone."""
        if not self.reply.done():
            self.reply.set_result(response)

    def answer_value(self, value: object) -> None:
        """Answer one of the clock's questions."""
        self.answer(json_response(value))


@dataclass(frozen=True, slots=True)
class Report:
    """What the child made of an invocation, or that it could not be initialised ("init-error")."""

    kind: Literal["response", "error", "init-error"]
    request_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The process has ended; a negative status is the number of a signal."""

    status: int


Message = Question | Report | Ended


class Box:
    """The messages of one child. Answers requests of its endpoint, as EmulatorServer asks its host to."""

    def __init__(self, read_clock: Callable[[], int]) -> None:
        """``read_clock`` gives milliseconds; it is asked in the endpoint's threads."""
        self._read_clock = read_clock
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._open: set[Future[Response]] = set()
        self._closed = False

    def put(self, message: Message) -> None:
        """Add one."""
        self._messages.put(message)

    def take(self, patience: float) -> Message | None:
        """The next one; None when there is none for so many real seconds."""
        try:
            return self._messages.get(timeout=patience)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Nothing will be answered any more: whoever waits is told so."""
        with self._lock:
            self._closed, waiting = True, list(self._open)
        for reply in waiting:
            if not reply.done():
                reply.set_exception(StoppingError("the function's environment has ended"))

    def answer(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Response:
        """Answer one request, when its answer is there. Raises StoppingError when the environment has ended."""
        signed = any(name.lower() == "authorization" for name, _ in headers)
        if target == CLOCK:
            return json_response(self._read_clock())
        if target.startswith(RUNTIME_API) and not signed:
            return self._answer_runtime(method, target, headers, body)
        return self._ask(Question(_ASKS.get(target, "aws"), method, target, headers, body))

    def _answer_runtime(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Response:
        if (method, target) == ("GET", f"{RUNTIME_API}invocation/next"):
            return self._ask(Question("next", method, target, headers, body))
        posted = _POSTED.fullmatch(target)
        if method != "POST" or posted is None:
            error = {"errorMessage": f"the Runtime API has no {method} {target}", "errorType": "InvalidRequest"}
            return json_response(error, status=404)
        kind: Literal["response", "error", "init-error"] = "init-error"
        if posted["what"]:
            kind = "response" if posted["what"] == "response" else "error"
        self.put(Report(kind, posted["request"] or "", body))
        return json_response({"status": "OK"}, status=202)

    def _ask(self, question: Question) -> Response:
        with self._lock:
            if self._closed:
                raise StoppingError("the function's environment has ended")
            self._open.add(question.reply)
        self.put(question)
        try:
            return question.reply.result()
        finally:
            with self._lock:
                self._open.discard(question.reply)


def json_response(value: object, *, status: int = 200) -> Response:
    """A value as the answer to a request."""
    return status, _JSON, json.dumps(value).encode()
