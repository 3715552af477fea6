"""Execution environments of Lambda: one loaded program each, kept warm between invocations.

A cold start runs the module's top level; the next invocation of an idle environment finds its globals as they were
left, as https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html says. A timeout, an exit or an
initialisation that fails ends the environment. Assumption: an idle one is kept for 15 minutes.
"""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.functions_resources import Function, Shape
from patchgate.emulator.kernel import Process, ProcessKilled
from patchgate.emulator.runtime import PythonProgram

IDLE = timedelta(minutes=15)
TASK_ROOT = "/var/task"


@dataclass(slots=True, eq=False)
class Invocation:
    """One event on its way through a function. ``scope`` is the function's, its role the principal.

    ``attempt`` counts the runs, from 1. ``status`` is "" until a run ends, then Success, Error or Timeout; ``result``
    is the function's answer as JSON values, ``error`` the error object, ``log`` the lines of the run.
    """

    scope: Scope
    function: str
    request_id: str
    payload: Any
    kind: str
    received_at: datetime
    attempt: int = 0
    throttles: int = 0
    status: str = ""
    result: Any = None
    error: Shape | None = None
    log: list[str] = field(default_factory=list)
    started_at: datetime | None = None
    process: Process | None = None


class Context:
    """The handler's second argument; https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    identity = None
    client_context = None
    function_version = "$LATEST"

    def __init__(self, cloud: Cloud, function: Function, request_id: str, stream: str) -> None:
        self.function_name = function.name
        self.invoked_function_arn = function.arn
        self.memory_limit_in_mb = str(function.memory)
        self.aws_request_id = request_id
        self.log_group_name = function.log_group
        self.log_stream_name = stream
        self._cloud = cloud
        self._deadline = cloud.now + timedelta(seconds=function.timeout)

    def get_remaining_time_in_millis(self) -> int:
        """Virtual milliseconds until the function times out."""
        return max(0, round((self._deadline - self._cloud.now) / timedelta(milliseconds=1)))


class Environment:
    """One loaded function. ``run`` is for a process of the kernel."""

    def __init__(self, cloud: Cloud, scope: Scope, function: Function) -> None:
        self._cloud = cloud
        self.function = function
        self._module, _, self._entry = function.handler.partition(".")
        self.revision = function.revision
        self.idle_since = cloud.now
        self.broken = False
        self.stream = cloud.now.strftime("%Y/%m/%d") + f"/[$LATEST]{cloud.identifier('', 32)}"
        self.has_stream = False
        modules = dict(function.package.modules)
        self.program = PythonProgram(
            modules.pop(self._module, ""),
            filename=f"{TASK_ROOT}/{self._module}.py",
            environment=self._variables(scope),
            clock=cloud.kernel,
            sdk=cloud.sdk if cloud.sdk is not None else _Shut(),
            scope=scope,
            modules=modules,
        )

    def is_usable(self, function: Function) -> bool:
        """Whether an idle environment may take an invocation of the function as it is now."""
        return self.revision == function.revision and self._cloud.now < self.idle_since + IDLE

    def run(self, invocation: Invocation) -> None:
        """Run the handler to its end, and write what came of it into the invocation."""
        self.program.clear_output()
        context = Context(self._cloud, self.function, invocation.request_id, self.stream)
        try:
            self._load()
            answer = self.program.call(self._entry, json.loads(json.dumps(invocation.payload)), context)
            invocation.status, invocation.result = "Success", _marshalled(answer)
        except ProcessKilled as killed:
            self.broken = True
            message = f"{invocation.request_id} {killed.reason}"
            self._fail(invocation, "Timeout", {"errorType": "Sandbox.Timedout", "errorMessage": message}, [message])
        except SystemExit as left:
            self.broken = True
            message = f"RequestId: {invocation.request_id} Error: Runtime exited with status: {left.code}"
            self._fail(invocation, "Error", {"errorType": "Runtime.ExitError", "errorMessage": message}, [message])
        except _Unusable as unusable:
            self.broken = True
            error = {"errorType": unusable.kind, "errorMessage": str(unusable)}
            self._fail(invocation, "Error", error, [f"[ERROR] {unusable.kind}: {unusable}"])
        except Exception as error:  # noqa: BLE001 - whatever the template's code raises is the invocation's outcome
            kind, trace = type(error).__name__, _trace(error)
            shape = {"errorMessage": str(error), "errorType": kind, "requestId": invocation.request_id}
            text = [f"[ERROR] {kind}: {error}", "Traceback (most recent call last):", *"".join(trace).splitlines()]
            self._fail(invocation, "Error", shape | {"stackTrace": trace}, text)
        if invocation.status == "Success":
            invocation.log = self.program.output
        self.idle_since = self._cloud.now

    def _load(self) -> None:
        if self._module not in self.function.package.modules:
            message = f"Unable to import module '{self._module}': No module named '{self._module}'"
            raise _Unusable("Runtime.ImportModuleError", message)
        try:
            self.program.load()
        except SyntaxError as error:
            message = f"Syntax error in module '{self._module}': {error.msg} ({self._module}.py, line {error.lineno})"
            raise _Unusable("Runtime.UserCodeSyntaxError", message) from error
        except ImportError as error:
            message = f"Unable to import module '{self._module}': {error}"
            raise _Unusable("Runtime.ImportModuleError", message) from error
        except Exception:
            self.broken = True
            raise
        if not self.program.has(self._entry):
            message = f"Handler '{self._entry}' missing on module '{self._module}'"
            raise _Unusable("Runtime.HandlerNotFound", message)

    def _fail(self, invocation: Invocation, status: str, error: Shape, lines: list[str]) -> None:
        invocation.status, invocation.error, invocation.result = status, error, None
        invocation.log = self.program.output + lines

    def _variables(self, scope: Scope) -> dict[str, str]:
        """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, without credentials."""
        function = self.function
        return {
            "_HANDLER": function.handler,
            "AWS_DEFAULT_REGION": scope.region,
            "AWS_REGION": scope.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.stream,
            "LAMBDA_TASK_ROOT": TASK_ROOT,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
        } | function.variables


class _Unusable(Exception):  # noqa: N818 - never leaves this module: code that cannot be run at all
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _Shut:
    """The SDK of a cloud without a door."""

    def session(self, scope: Scope, /) -> Any:  # noqa: ARG002 - as SdkProvider says
        raise NotEmulatedError("the SDK of functions without an open door")


def _marshalled(answer: Any) -> Any:
    """The handler's answer as JSON values."""
    try:
        return json.loads(json.dumps(answer))
    except (TypeError, ValueError) as error:
        raise _Unusable("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _trace(error: BaseException) -> list[str]:
    """The frames of the function's own files; those of libraries would name places on this machine."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(TASK_ROOT)]
    return [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n' for frame in frames]
