"""Lambda's invocations: synchronous ones, and events with their queue, retries and destinations.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html: an event whose function fails is tried again after 1
and 2 minutes, a throttled one after 1 second and then ever later, up to 5 minutes, while it is young enough; what is
given up goes to the failure destination and the dead-letter queue.

Invocations are processes of the kernel. A synchronous ``Invoke`` makes its caller wait in virtual time, so that the
caller must be a process as well; others use ``invoke_and_wait``, which runs the kernel.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from patchgate.emulator.cloud import Cloud, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.functions_destinations import Destinations
from patchgate.emulator.functions_environments import Environment, Invocation, Launch
from patchgate.emulator.functions_programs import ProgramEnvironment
from patchgate.emulator.functions_resources import Function
from patchgate.emulator.functions_settings import NOT_ASSUMABLE, FunctionSettings

RETRY_DELAYS = (timedelta(minutes=1), timedelta(minutes=2))
LONGEST_BACKOFF = timedelta(minutes=5)
MAXIMUM_EVENT_BYTES = 1024 * 1024
MAXIMUM_REQUEST_BYTES = 6 * 1024 * 1024
POLL_SECONDS = 0.05

Place = tuple[tuple[str, str], str]


class Functions(FunctionSettings):
    """The operations of Lambda. A copy of the cloud begins with cold starts: programs are not copied."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._idle: dict[Place, list[Environment]] = {}
        self._running: dict[Place, list[Invocation]] = {}
        self._destinations = Destinations(cloud)
        self.launch: Launch = ProgramEnvironment
        """Makes environments: how code runs. A copy of the cloud begins with the fast way."""

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_idle": {}, "launch": ProgramEnvironment, "runs_archives": False}

    @operation("Invoke")
    def invoke(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html

        A RequestResponse outside of a process raises NotEmulatedError: see ``invoke_and_wait``.
        """
        function = self.function(scope, params["FunctionName"], params.get("Qualifier"))
        kind = params.get("InvocationType") or "RequestResponse"
        payload = _payload(params.get("Payload"), MAXIMUM_EVENT_BYTES if kind == "Event" else MAXIMUM_REQUEST_BYTES)
        if kind == "DryRun":
            return {"StatusCode": 204, "ExecutedVersion": "$LATEST", "Payload": b""}
        invocation = self._received(scope, function, payload, kind)
        if kind == "Event":
            self._deliver(invocation)
            return {"StatusCode": 202, "Payload": b""}
        if self.cloud.kernel.current is None:
            raise NotEmulatedError("a synchronous lambda:Invoke from outside of a process; use invoke_and_wait")
        self._begin_or_refuse(invocation, function)
        while not invocation.status:
            self.cloud.kernel.sleep(POLL_SECONDS)
        return _response(invocation, params)

    def invoke_and_wait(self, scope: Scope, name: str, payload: bytes) -> Result:
        """A synchronous Invoke from outside of all processes: runs the kernel until the function has ended.

        The clock moves, and whatever else is due meanwhile happens. Returns Invoke's output shape.
        """
        if self.cloud.kernel.current is not None:
            raise RuntimeError("inside of a process, invoke waits by itself")
        function = self.function(scope, name)
        invocation = self._received(scope, function, _payload(payload, MAXIMUM_REQUEST_BYTES), "RequestResponse")
        self._begin_or_refuse(invocation, function)
        while not invocation.status:
            due = self.cloud.kernel.next_event_at()
            if due is None:
                raise RuntimeError(f"{name} waits for something that never happens")
            self.cloud.kernel.run_until(due)
        return _response(invocation, {})

    def _received(self, scope: Scope, function: Function, payload: Any, kind: str) -> Invocation:
        place = scope.as_principal(function.role)
        if not self.cloud.authority.trusts(place, function.role, "lambda.amazonaws.com"):
            raise AwsError("AccessDeniedException", NOT_ASSUMABLE, status=403)
        return Invocation(place, function.name, self.cloud.uuid(), payload, kind, self.cloud.now)

    def _begin_or_refuse(self, invocation: Invocation, function: Function) -> None:
        if not self._begin(invocation, function):
            raise AwsError("TooManyRequestsException", "Rate Exceeded.", status=429)

    def _begin(self, invocation: Invocation, function: Function) -> bool:
        """Start a run, unless the function's reserved concurrency is used up, or Lambda has no capacity."""
        place = (invocation.scope.key, function.name)
        running = self._running.setdefault(place, [])
        if function.reserved is not None and len(running) >= function.reserved:
            return False
        meddler = self.cloud.meddler
        if meddler is not None and meddler.throttles(invocation.scope, function.name):
            return False
        environment = self._environment(place, invocation.scope, function)
        invocation.attempt += 1
        invocation.status, invocation.started_at = "", self.cloud.now
        running.append(invocation)
        body = partial(self._run, invocation, environment, place)
        invocation.process = self.cloud.kernel.spawn(f"{function.name} {invocation.request_id}", body)
        timeout = timedelta(seconds=function.timeout)
        reason = f"Task timed out after {function.timeout:.2f} seconds"
        self.cloud.kernel.after(timeout, self._time_out, invocation, invocation.attempt, reason)
        return True

    def _environment(self, place: Place, scope: Scope, function: Function) -> Environment:
        """The idle environment that was used last, or a new one."""
        usable: list[Environment] = []
        for item in self._idle.pop(place, ()):
            if item.is_usable(function):
                usable.append(item)
            else:
                item.close()
        environment = usable.pop() if usable else self.launch(self.cloud, scope, function)
        self._idle[place] = usable
        return environment

    def _time_out(self, invocation: Invocation, attempt: int, reason: str) -> None:
        if invocation.attempt == attempt and not invocation.status and invocation.process is not None:
            invocation.process.kill(reason)

    def _run(self, invocation: Invocation, environment: Environment, place: Place) -> None:
        """The body of an invocation's process."""
        scope, name, request_id = invocation.scope, invocation.function, invocation.request_id
        self.cloud.record(scope, "FunctionInvoked", function=name, request_id=request_id, payload=invocation.payload)
        environment.run(invocation)
        self._running[place].remove(invocation)
        invocation.process = None
        if environment.broken:
            environment.close()
        else:
            self._idle.setdefault(place, []).append(environment)
        self._destinations.write_log(invocation, environment)
        self.cloud.record(
            scope,
            "FunctionEnded",
            function=name,
            request_id=request_id,
            status=invocation.status,
            result=invocation.result,
            error=invocation.error,
            log=invocation.log,
        )
        if invocation.kind == "Event":
            self._settle(invocation)

    # Events

    def _deliver(self, invocation: Invocation) -> None:
        """Try to run an event now; a throttled one comes back later."""
        function = self._known(invocation)
        if function is None or self._begin(invocation, function):
            return
        delay = min(timedelta(seconds=2**invocation.throttles), LONGEST_BACKOFF)
        invocation.throttles += 1
        if function.reserved == 0:
            self._give_up(invocation, function, "ZeroReservedConcurrency")
        elif self.cloud.now + delay > self._expiry(invocation, function):
            self._give_up(invocation, function, "EventAgeExceeded")
        else:
            self.cloud.kernel.after(delay, self._deliver, invocation)

    def _settle(self, invocation: Invocation) -> None:
        """What becomes of an event after a run."""
        function = self._known(invocation)
        if function is None:
            return
        if invocation.status == "Success":
            self._destinations.succeeded(invocation, function)
            return
        retries = (function.event_config or {}).get("MaximumRetryAttempts", len(RETRY_DELAYS))
        if invocation.attempt > retries:
            self._give_up(invocation, function, "RetriesExhausted")
            return
        delay = RETRY_DELAYS[invocation.attempt - 1]
        if self.cloud.now + delay > self._expiry(invocation, function):
            self._give_up(invocation, function, "EventAgeExceeded")
        else:
            self.cloud.kernel.after(delay, self._deliver, invocation)

    def _known(self, invocation: Invocation) -> Function | None:
        """The function of an event; without it the event is dropped."""
        function = self._functions.get(invocation.scope.key, {}).get(invocation.function)
        if function is None:
            self._destinations.record_discarded(invocation, "")
        return function

    def _give_up(self, invocation: Invocation, function: Function, condition: str) -> None:
        self._destinations.failed(invocation, function, condition)

    def _expiry(self, invocation: Invocation, function: Function) -> datetime:
        age = (function.event_config or {}).get("MaximumEventAgeInSeconds", 21_600)
        return invocation.received_at + timedelta(seconds=age)


def _payload(content: Any, limit: int) -> Any:
    """The JSON value of a request's body; without a body, an empty object."""
    text = content.read() if hasattr(content, "read") else content
    text = text.encode() if isinstance(text, str) else bytes(text or b"")
    if len(text) > limit:
        raise AwsError("RequestTooLargeException", f"{len(text)} byte payload is too large", status=413)
    try:
        return json.loads(text) if text else {}
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise AwsError("InvalidRequestContentException", message) from error


def _response(invocation: Invocation, params: Params) -> Result:
    answer = invocation.result if invocation.status == "Success" else invocation.error
    result: Result = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": json.dumps(answer).encode()}
    if invocation.status != "Success":
        result["FunctionError"] = "Unhandled"
    if params.get("LogType") == "Tail":
        result["LogResult"] = base64.b64encode("\n".join(invocation.log).encode()[-4096:]).decode()
    return result
