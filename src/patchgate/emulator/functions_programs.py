"""The fast way to run a function: as a program inside this interpreter."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.functions_environments import Environment, Invocation
from patchgate.emulator.functions_outcomes import (
    TASK_ROOT,
    Outcome,
    Unusable,
    describe_error,
    dying_words,
    exited,
    failed,
    format_frames,
    marshal,
    timed_out,
)
from patchgate.emulator.functions_resources import Function
from patchgate.emulator.kernel import ProcessKilled
from patchgate.emulator.runtime import PythonProgram, is_of_program


class CognitoIdentity:
    """Of a caller with Amazon Cognito, who there is none of. Named and printed as by the runtime's client."""

    cognito_identity_id = None
    cognito_identity_pool_id = None

    def __repr__(self) -> str:
        return _printed(self, "cognito_identity_id", "cognito_identity_pool_id")


class LambdaContext:
    """The handler's second argument; https://docs.aws.amazon.com/lambda/latest/dg/python-context.html

    It is named and printed as awslambdaric's (``lambda_context.py``), since functions print it.
    """

    client_context = None
    tenant_id = None
    function_version = "$LATEST"

    def __init__(self, environment: ProgramEnvironment, invocation: Invocation) -> None:
        function = environment.function
        self.function_name = function.name
        self.invoked_function_arn = function.arn
        self.memory_limit_in_mb = str(function.memory)
        self.aws_request_id = invocation.request_id
        self.log_group_name = function.log_group
        self.log_stream_name = environment.stream
        self.identity = CognitoIdentity()
        self._environment = environment
        self._deadline = environment.deadline_millis(invocation)

    def get_remaining_time_in_millis(self) -> int:
        """Virtual milliseconds until the function times out, with the runtime's own arithmetic."""
        return max(0, self._deadline - int(self._environment.now_seconds * 1000))

    def log(self, message: object) -> None:
        """Print a message as a line of its own."""
        self._environment.program.write_line(str(message).removesuffix("\n"))

    def __repr__(self) -> str:
        return _printed(
            self,
            *("aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb"),
            *("function_version", "invoked_function_arn", "client_context", "identity", "tenant_id"),
        )


def _printed(value: object, *names: str) -> str:
    """An object as awslambdaric prints it."""
    return f"{type(value).__name__}([{','.join(f'{name}={getattr(value, name)}' for name in names)}])"


class ProgramEnvironment(Environment):
    """A function as a PythonProgram."""

    def __init__(self, cloud: Cloud, scope: Scope, function: Function) -> None:
        super().__init__(cloud, scope, function)
        self._module, _, self._entry = function.handler.partition(".")
        modules = dict(function.package.modules)
        self.program = PythonProgram(
            modules.pop(self._module, ""),
            filename=f"{TASK_ROOT}/{self._module}.py",
            environment=self.variables(),
            clock=cloud.kernel,
            sdk=cloud.sdk if cloud.sdk is not None else _Shut(),
            scope=scope,
            modules=modules,
        )
        self.program.request_id = ""

    @property
    def now_seconds(self) -> float:
        """The virtual clock as ``time.time`` reads it."""
        return self._cloud.kernel.now_millis / 1000

    def _carry_out(self, invocation: Invocation) -> Outcome:
        program, request_id = self.program, invocation.request_id
        program.clear_output()
        try:
            self._load()
            program.request_id = request_id
            program.set_variable("_X_AMZN_TRACE_ID", invocation.trace_id)
            answer = program.call(
                self._entry, json.loads(json.dumps(invocation.payload)), LambdaContext(self, invocation)
            )
            if invocation.process is not None and invocation.process.killed is not None:
                raise invocation.process.killed  # noqa: TRY301 - the program swallowed it
            return Outcome("Success", marshal(answer), log=program.output)
        except ProcessKilled as killed:
            return timed_out(request_id, killed.reason, program.output)
        except SystemExit as left:
            if isinstance(left.code, str):
                program.write_line(left.code)
            status = left.code if isinstance(left.code, int) else int(left.code is not None)
            return exited(request_id, status & 0xFF, program.output)
        except Unusable as unusable:
            in_init = program.request_id == ""
            error = describe_error(unusable.kind, str(unusable), unusable.trace, program.request_id or "")
            return failed(error, program.output, broken=in_init)
        except Exception as error:  # noqa: BLE001 - whatever the template's code raises is the invocation's outcome
            shape = describe_error(type(error).__name__, str(error), self._trace(error), program.request_id or "")
            return failed(shape, program.output, broken=program.request_id == "")
        except BaseException as error:
            if not is_of_program(error):
                raise
            return self._died(error, invocation)

    def _died(self, error: BaseException, invocation: Invocation) -> Outcome:
        """What comes of an error that the runtime does not catch: the function's process ends."""
        program, request_id = self.program, invocation.request_id
        if invocation.process is not None and invocation.process.killed is not None:
            return timed_out(request_id, invocation.process.killed.reason, program.output)
        for line in dying_words(error, program.line_of):
            program.write_line(line)
        return exited(request_id, -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1, program.output)

    def _load(self) -> None:
        module = self._module
        if module in sys.builtin_module_names:
            message = f"Cannot use built-in module {module} as a handler module"
            raise Unusable("Runtime.BuiltInModuleConflict", message)
        if module not in self.function.package.modules:
            message = f"Unable to import module '{module}': No module named '{module}'"
            raise Unusable("Runtime.ImportModuleError", message)
        try:
            self.program.load()
        except SyntaxError as error:
            message = f"Syntax error in module '{module}': {error}"
            trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
            raise Unusable("Runtime.UserCodeSyntaxError", message, trace) from error
        except ImportError as error:
            raise Unusable("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}") from error
        if not self.program.has(self._entry):
            message = f"Handler '{self._entry}' missing on module '{module}'"
            raise Unusable("Runtime.HandlerNotFound", message)

    def _trace(self, error: BaseException) -> list[str]:
        frames = traceback.extract_tb(error.__traceback__)
        line_of = self.program.line_of
        return format_frames((f.filename, f.lineno or 0, f.name, line_of(f.filename, f.lineno or 0)) for f in frames)


class _Shut:
    """The SDK of a cloud without a door."""

    def session(self, scope: Scope, /) -> Any:  # noqa: ARG002 - as SdkProvider says
        raise NotEmulatedError("the SDK of functions without an open door")
