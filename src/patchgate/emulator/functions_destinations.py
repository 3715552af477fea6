"""Where an invocation's outcome goes: log lines, destinations, the dead-letter queue.

All of it lies with the cloud's neighbour (CloudWatch Logs, SQS, SNS) or is another function.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.functions_environments import Environment, Invocation
from patchgate.emulator.functions_resources import Function
from patchgate.emulator.history import iso


@dataclass(slots=True)
class Destinations:
    """Delivers outcomes in the name of the function's role."""

    cloud: Cloud

    def write_log(self, invocation: Invocation, environment: Environment) -> None:
        """Write a run's lines to the function's log group, when there is one.

        Lines that have nowhere to go (ResourceNotFoundException) or that the role may not write are lost, as in AWS.
        """
        function = environment.function
        place = {"logGroupName": function.log_group, "logStreamName": environment.stream}
        started = invocation.started_at or self.cloud.now
        milliseconds = (self.cloud.now - started) / timedelta(milliseconds=1)
        lines = [
            f"START RequestId: {invocation.request_id} Version: $LATEST",
            *invocation.log,
            f"END RequestId: {invocation.request_id}",
            f"REPORT RequestId: {invocation.request_id}\tDuration: {milliseconds:.2f} ms",
        ]
        stamp = round(self.cloud.now.timestamp() * 1000)
        events = [{"timestamp": stamp, "message": line} for line in lines if line]
        try:
            if not environment.has_stream:
                self.cloud.invoke(invocation.scope, "logs", "CreateLogStream", place)
                environment.has_stream = True
            answer = self.cloud.invoke(invocation.scope, "logs", "PutLogEvents", place | {"logEvents": events})
        except AwsError as error:
            if error.code not in ("ResourceNotFoundException", "AccessDeniedException"):
                raise
            return
        if answer.get("rejectedLogEventsInfo"):
            raise AwsError("InvalidParameterException", f"log lines were refused: {answer['rejectedLogEventsInfo']}")

    def succeeded(self, invocation: Invocation, function: Function) -> None:
        """Tell the success destination, when there is one."""
        arn = _destination(function, "OnSuccess")
        if arn:
            self._send(invocation, arn, _record(invocation, function, "Success", iso(self.cloud.now)))

    def failed(self, invocation: Invocation, function: Function, condition: str) -> None:
        """Tell the failure destination and the dead-letter queue that an event was given up."""
        arn = _destination(function, "OnFailure")
        letters = (function.passed_on.get("DeadLetterConfig") or {}).get("TargetArn") or ""
        if arn:
            self._send(invocation, arn, _record(invocation, function, condition, iso(self.cloud.now)))
        if letters:
            self._send(invocation, letters, invocation.payload)
        if not arn and not letters:
            self.record_discarded(invocation, "")

    def record_discarded(self, invocation: Invocation, destination: str, problem: str = "") -> None:
        """Record that an event is given up, and to which destination it went; ``problem``: why not even there."""
        self.cloud.record(
            invocation.scope,
            "FunctionDiscarded",
            function=invocation.function,
            request_id=invocation.request_id,
            destination=destination,
            problem=problem,
        )

    def _send(self, invocation: Invocation, arn: str, content: Any) -> None:
        """Deliver once. AWS drops what a destination does not take, so that is recorded and no error."""
        problem = ""
        try:
            self._deliver(invocation.scope, arn, json.dumps(content))
        except NotEmulatedError:
            raise
        except AwsError as error:
            problem = str(error)
        if invocation.status != "Success":
            self.record_discarded(invocation, arn, problem)

    def _deliver(self, scope: Scope, arn: str, text: str) -> None:
        _, _, service, region, account, resource = arn.split(":", 5)
        there = Scope(account, region, scope.principal)
        match service:
            case "sqs":
                send_to_queue(self.cloud, there, resource, text)
            case "sns":
                self.cloud.invoke(there, "sns", "Publish", {"TopicArn": arn, "Message": text})
            case "lambda":
                params = {"FunctionName": arn, "InvocationType": "Event", "Payload": text.encode()}
                self.cloud.invoke(there, "lambda", "Invoke", params)
            case _:
                raise NotEmulatedError(f"the destination {arn}")


def send_to_queue(
    cloud: Cloud, scope: Scope, queue: str, text: str, attributes: dict[str, dict[str, str]] | None = None
) -> None:
    """Send a message to a queue of that name in ``scope``, as its principal."""
    url = cloud.invoke(scope.as_principal(""), "sqs", "GetQueueUrl", {"QueueName": queue})["QueueUrl"]
    message: dict[str, Any] = {"QueueUrl": url, "MessageBody": text}
    cloud.invoke(scope, "sqs", "SendMessage", message | ({"MessageAttributes": attributes} if attributes else {}))


def _destination(function: Function, outcome: str) -> str:
    config = (function.event_config or {}).get("DestinationConfig") or {}
    return str((config.get(outcome) or {}).get("Destination") or "")


def _record(invocation: Invocation, function: Function, condition: str, now: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": now,
        "requestContext": {
            "requestId": invocation.request_id,
            "functionArn": f"{function.arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": invocation.attempt,
        },
        "requestPayload": invocation.payload,
    }
    if invocation.attempt:
        context = {"statusCode": 200, "executedVersion": "$LATEST"}
        failed = {"functionError": "Unhandled"} if invocation.status != "Success" else {}
        record["responseContext"] = context | failed
        record["responsePayload"] = invocation.result if invocation.status == "Success" else invocation.error
    return record
