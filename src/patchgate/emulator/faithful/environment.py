"""An execution environment whose code runs in a child, in lock step with the virtual clock.

While the child computes, the whole cloud stands still: the kernel's process of the invocation really waits for what
the child says next. A request to AWS or a sleep is carried out there and then and takes the virtual time that it takes
in process, while everybody else goes on. So the order of events is that of the fast mode.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.faithful.child import Child
from patchgate.emulator.faithful.messages import Ended, Message, Question, Report
from patchgate.emulator.faithful.output import read_lines
from patchgate.emulator.functions_environments import Environment, Invocation
from patchgate.emulator.functions_outcomes import (
    Outcome,
    describe_error,
    exited,
    failed,
    own_frames,
    read_answer,
    timed_out,
)
from patchgate.emulator.kernel import ProcessKilled
from patchgate.emulator.server.host import StoppingError
from patchgate.emulator.wire.inbound import prepare_request

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud, Scope
    from patchgate.emulator.functions_resources import Function
    from patchgate.emulator.wire import WireDoor

_SESSION_TOKEN = "of-the-embedded-aws"  # noqa: S105 - no secret: Lambda gives one, and nobody reads it


class ChildEnvironment(Environment):
    """A function in a child, which is started with the first invocation and kept for the next ones.

    ``patience`` are the real seconds for which a child may say nothing: a silent one is taken as one that computes
    until its time is up. ``close`` may be called from any thread; nothing starts afterwards.
    """

    def __init__(self, cloud: Cloud, scope: Scope, function: Function, *, door: WireDoor, patience: float) -> None:
        super().__init__(cloud, scope, function)
        self.is_running = False
        self._door = door
        self._patience = patience
        self._lock = threading.Lock()
        self._closed = False
        self._child: Child | None = None
        self._notes: list[str] = []

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._closed = True
        if self._child is not None:
            self._child.close()

    def _carry_out(self, invocation: Invocation) -> Outcome:
        child, self._notes = self._started(), []
        self.is_running = True
        try:
            return self._converse(child, invocation)
        except ProcessKilled as killed:
            return timed_out(invocation.request_id, killed.reason, [*self._lines(child), *self._notes])
        except BaseException:
            self.close()
            raise
        finally:
            self.is_running = False

    def _started(self) -> Child:
        with self._lock:
            if self._closed:
                raise StoppingError("the embedded AWS is stopping")
            if self._child is None:
                variables = self.variables() | self._credentials()
                self._child = Child(self.function, variables, self.stream, lambda: self._cloud.kernel.now_millis)
            return self._child

    def _credentials(self) -> dict[str, str]:
        """Those of the function's role: what it asks of AWS, it asks as that role."""
        found = self._door.session(self._scope).get_credentials()
        return {
            "AWS_ACCESS_KEY_ID": found.access_key,
            "AWS_SECRET_ACCESS_KEY": found.secret_key,
            "AWS_SESSION_TOKEN": _SESSION_TOKEN,
        }

    def _converse(self, child: Child, invocation: Invocation) -> Outcome:
        """Answer whatever the child asks until it reports, or is no more."""
        while True:
            message = self._receive(child, invocation)
            match message:
                case Question(kind="next"):
                    message.answer(self._event(invocation))
                case Question():
                    self._answer(message)
                case Report(kind="init-error") | Report(kind="error"):
                    return self._failed(child, message)
                case Report(request_id=invocation.request_id):
                    return self._succeeded(child, invocation, message)
                case Report():
                    raise RuntimeError(f"{self.function.name} answered a request that it never got")
                case Ended(status=status):
                    if self._closed:
                        raise StoppingError("the embedded AWS is stopping")
                    return exited(invocation.request_id, status, self._lines(child))

    def _receive(self, child: Child, invocation: Invocation) -> Message:
        message = child.receive(self._patience)
        while message is None:
            self._notes = [f"patchgate: no sign of the function for {self._patience:g} real seconds"]
            left = self.deadline_millis(invocation) - self._cloud.kernel.now_millis
            self._cloud.kernel.sleep(max(left, 1) / 1000)  # where it is ended
            message = child.receive(self._patience)
        return message

    def _answer(self, question: Question) -> None:
        match question.kind:
            case "sleep":
                self._cloud.kernel.sleep(json.loads(question.body)["seconds"])
                question.answer_value(None)
            case "token":
                question.answer_value(self._cloud.uuid())
            case "chance":
                question.answer_value(self._door.random())
            case _:
                request = prepare_request(question.method, question.target, question.headers, question.body)
                status, headers, content = self._door.answer(request)
                named = {str(name): str(value) for name, value in headers.items()}
                question.answer((int(status), named, content.encode() if isinstance(content, str) else content))

    def _event(self, invocation: Invocation) -> Any:
        """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next"""
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_millis(invocation)),
            "Lambda-Runtime-Invoked-Function-Arn": self.function.arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        return 200, headers, json.dumps(invocation.payload).encode()

    def _succeeded(self, child: Child, invocation: Invocation, report: Report) -> Outcome:
        try:
            return Outcome("Success", read_answer(child.renamed(report.body)), log=self._lines(child))
        except NotEmulatedError as error:
            shape = describe_error(type(error).__name__, str(error), [], invocation.request_id)
            return failed(shape, self._lines(child))

    def _failed(self, child: Child, report: Report) -> Outcome:
        said = json.loads(child.renamed(report.body))
        trace = own_frames(said["stackTrace"])
        error = describe_error(said["errorType"], said["errorMessage"], trace, said["requestId"])
        broken = report.kind == "init-error"
        return Outcome("Error", error=error, log=self._lines(child, error), broken=broken)

    @staticmethod
    def _lines(child: Child, error: dict[str, Any] | None = None) -> list[str]:
        return read_lines(child.read_output(), child.renamed, error)
