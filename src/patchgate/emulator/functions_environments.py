"""Execution environments of Lambda: one loaded function each, kept warm between invocations.

A cold start runs the module's top level; the next invocation of an idle environment finds its globals as they were
left, as https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html says. A timeout, an exit or an
initialisation that fails ends the environment. Assumption: an idle one is kept for 15 minutes.

How the code runs is a subclass's: inside this interpreter (``functions_programs``), or in a process of its own under
AWS's runtime interface client (``faithful``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.functions_outcomes import TASK_ROOT, Outcome
from patchgate.emulator.functions_resources import Function, Shape
from patchgate.emulator.kernel import Process

IDLE = timedelta(minutes=15)


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

    @property
    def trace_id(self) -> str:
        """The tracing header; its ids follow from the request's.

        https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
        """
        digits = self.request_id.replace("-", "")
        return f"Root=1-{int(self.received_at.timestamp()):08x}-{digits[:24]};Parent={digits[-16:]};Sampled=0"


class Environment(ABC):
    """One loaded function. ``run`` is for a process of the kernel. ``started_at`` is when it began."""

    def __init__(self, cloud: Cloud, scope: Scope, function: Function) -> None:
        self._cloud = cloud
        self._scope = scope
        self.function = function
        self.revision = function.revision
        self.idle_since = cloud.now
        self.broken = False
        self.stream = cloud.now.strftime("%Y/%m/%d") + f"/[$LATEST]{cloud.identifier('', 32)}"
        self.has_stream = False

    @abstractmethod
    def _carry_out(self, invocation: Invocation) -> Outcome:
        """Run the handler to its end, whatever that is."""

    def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """It will not be used again."""

    @property
    def has_expired(self) -> bool:
        """Whether Lambda has given up the environment, which has been idle for long."""
        return self._cloud.now >= self.idle_since + IDLE

    def is_usable(self, function: Function) -> bool:
        """Whether an idle environment may take an invocation of the function as it is now."""
        return self.revision == function.revision and not self.has_expired

    def run(self, invocation: Invocation) -> None:
        """Run the handler to its end, and write what came of it into the invocation."""
        outcome = self._carry_out(invocation).steady()
        invocation.status, invocation.result, invocation.error = outcome.status, outcome.result, outcome.error
        invocation.log = outcome.log
        self.broken = self.broken or outcome.broken
        self.idle_since = self._cloud.now

    def deadline_millis(self, invocation: Invocation) -> int:
        """When the function's time is up, in milliseconds since the Unix epoch."""
        started = invocation.started_at or self._cloud.now
        return round(started.timestamp() * 1000) + 1000 * self.function.timeout

    def variables(self) -> dict[str, str]:
        """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, without credentials."""
        function, region = self.function, self._scope.region
        return {
            "_HANDLER": function.handler,
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.stream,
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": TASK_ROOT,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
        } | function.variables


Launch = Callable[[Cloud, Scope, Function], Environment]
"""Makes a new environment, still cold."""
