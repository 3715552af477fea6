"""What can come of one run of a function, in the words of AWS's Python runtime and of the service.

The error objects are those of the runtime interface client
(https://github.com/aws/aws-lambda-python-runtime-interface-client, ``bootstrap.py``), so that both ways of running a
function say the same. Frames of libraries are left out of stack traces: they would name places on this machine.
"""

from __future__ import annotations

import json
import re
import signal
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.functions_resources import Shape

TASK_ROOT = "/var/task"
_NO_BREAK_SPACE = "\u00a0"

Frame = tuple[str, int, str, str]
"""File, line, function and the text of the line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one run. ``log`` are its lines; ``broken``: the environment cannot be used again."""

    status: str
    result: Any = None
    error: Shape | None = None
    log: list[str] = field(default_factory=list)
    broken: bool = False

    def steady(self) -> Outcome:
        """The same without the addresses of objects in what was logged."""
        error = self.error
        if error is not None and isinstance(error.get("errorMessage"), str):
            error = {**error, "errorMessage": without_address(error["errorMessage"])}
        return replace(self, error=error, log=[without_address(line) for line in self.log])


class Unusable(Exception):  # noqa: N818 - a fault of the function's package, not of this program
    """Code that cannot be run at all. ``kind`` is the runtime's error type, ``trace`` its stack trace."""

    def __init__(self, kind: str, message: str, trace: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.trace = list(trace)


def describe_error(kind: str, message: str, trace: Iterable[str], request_id: str = "") -> Shape:
    """The error object of the runtime; one of the initialisation has no request."""
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": list(trace)}


def failed(error: Shape, output: list[str], *, broken: bool = False) -> Outcome:
    """The runtime caught an error and logged it."""
    return Outcome("Error", error=error, log=[*output, *error_lines(error)], broken=broken)


def timed_out(request_id: str, reason: str, output: list[str]) -> Outcome:
    """The service ended the environment: the function's time was up."""
    message = f"{request_id} {reason}"
    error = {"errorType": "Sandbox.Timedout", "errorMessage": message}
    return Outcome("Timeout", error=error, log=[*output, message], broken=True)


def exited(request_id: str, status: int, output: list[str]) -> Outcome:
    """The runtime's process ended in the middle of a run; a negative status is the number of a signal.

    Assumption: the error texts of a process that ends. Functions on AWS are seen to fail with these; no page has them.
    """
    ended = (
        f"exit status {status}"
        if status >= 0
        else f"signal: {str(signal.strsignal(-status)).partition(':')[0].lower()}"
    )
    how = f"with error: {ended}" if status else "without providing a reason"
    message = f"RequestId: {request_id} Error: Runtime exited {how}"
    error = {"errorType": "Runtime.ExitError", "errorMessage": message}
    return Outcome("Error", error=error, log=[*output, message], broken=True)


def error_lines(error: Shape) -> list[str]:
    """An error as the runtime logs it, its trace indented by no-break spaces."""
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}", "Traceback (most recent call last):"]
    for line in "".join(entry if entry.endswith("\n") else f"{entry}\n" for entry in error["stackTrace"]).splitlines():
        text = line.lstrip(" ")
        lines.append(_NO_BREAK_SPACE * (len(line) - len(text)) + text)
    return "\n".join(lines).splitlines()


def own_frames(trace: Iterable[str]) -> list[str]:
    """The entries of a formatted trace that lie in the function's own files."""
    return [entry for entry in trace if entry.startswith(f'  File "{TASK_ROOT}/')]


def format_frames(frames: Iterable[Frame]) -> list[str]:
    """A trace as the runtime formats it, without the frames of others."""
    return own_frames(traceback.format_list(list(frames)))


def dying_words(error: BaseException, line_of: Callable[[str, int], str], root: str = TASK_ROOT) -> list[str]:
    """What Python says of an exception that ends a process, with what caused it, but for the frames of others.

    ``root`` is the folder of the function's own files, ``line_of`` gives the text of a line of one.
    """
    told = traceback.TracebackException.from_exception(error, lookup_lines=False)
    part: traceback.TracebackException | None = told
    while part is not None:
        own = [frame for frame in part.stack if frame.filename.startswith(f"{root}/")]
        frames = ((f.filename, f.lineno or 0, f.name, line_of(f.filename, f.lineno or 0)) for f in own)
        part.stack = traceback.StackSummary.from_list(list(frames))
        part = part.__cause__ or part.__context__
    return [line for line in "".join(told.format()).splitlines() if line]


_ADDRESS = re.compile(r"(?<= at 0x)[0-9a-fA-F]{6,16}(?=>)")


def without_address(text: str) -> str:
    """A text without the addresses by which Python tells objects apart: they are the machine's, not the run's."""
    return _ADDRESS.sub(lambda found: "0" * len(found[0]), text) if " at 0x" in text else text


def read_answer(content: bytes) -> Any:
    """The JSON value that a function answered with.

    NotEmulatedError for bytes that are no JSON, which AWS hands on as they are.
    """
    try:
        return json.loads(content)
    except ValueError:
        raise NotEmulatedError("an answer of a Lambda function that is no JSON") from None


def marshal(answer: Any) -> Any:
    """A handler's answer as the JSON values that the runtime makes of it. Raises Unusable Runtime.MarshalError.

    The runtime uses simplejson: decimals are numbers, named tuples are objects, bytes inside are text.
    """
    if isinstance(answer, bytes):
        return read_answer(answer)
    try:
        return json.loads(json.dumps(_plain(answer)))
    except (TypeError, ValueError, RecursionError) as error:
        raise Unusable("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(key) if isinstance(key, bytes) else key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: _plain(item) for key, item in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, Decimal):
        return json.loads(str(value)) if value.is_finite() else float(value)
    return value
