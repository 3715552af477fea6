"""How Run Command gets a command to its machines: concurrency, error budget, delivery, deadlines, reports.

https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html

Assumptions: the delivery timeout of a machine counts from its turn within MaxConcurrency, and until then it takes up
its place there; a cancelled command does not stop a machine that has begun.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from patchgate.emulator.agent.agents import Agents, Run, execution_seconds
from patchgate.emulator.agent.node import is_online
from patchgate.emulator.cloud import Cloud, Component, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_command_state import Command, Invocation
from patchgate.emulator.ssm_constraints import share

if TYPE_CHECKING:
    from patchgate.emulator.ec2_resources import Instance

EAGER_RETRY = timedelta(seconds=5)
PATIENT_RETRY = timedelta(seconds=30)
EAGER_FOR = timedelta(minutes=10)


class Delivery(Component):
    """The commands of every scope and their way to the agents and back."""

    service: ClassVar[str] = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._commands: dict[tuple[str, str], dict[str, Command]] = {}

    def commands(self, scope: Scope) -> dict[str, Command]:
        """The commands of a scope by id, in order of sending."""
        return self._commands.setdefault(scope.key, {})

    def begin(self, command: Command) -> None:
        """Start sending a new command."""
        self.commands(command.scope)[command.command_id] = command
        command.status = command.details = "InProgress"
        self._send_more(command)

    def cancel(self, command: Command, instance_ids: list[str]) -> None:
        """Best effort: machines that have not begun never will; the others go on and are reported as they end."""
        if command.final:
            return
        for instance_id in instance_ids:
            invocation = command.invocations[instance_id]
            if invocation.status == "Pending":
                if instance_id in command.queue:
                    command.queue.remove(instance_id)
                self._close(command, invocation, "Cancelled", "Cancelled")
        if set(instance_ids) >= set(command.invocations):
            command.cancelled = True
        self._settle(command)

    def _send_more(self, command: Command) -> None:
        running = len(command.invocations) - len(command.queue) - command.ended
        room = max(1, share(command.maximum_concurrency, len(command.invocations))) - running
        if command.errors > command.allowed_errors:
            queue, command.queue = command.queue, []
            for instance_id in queue:
                self._close(command, command.invocations[instance_id], "Cancelled", "Terminated")
        while room > 0 and command.queue:
            instance_id = command.queue.pop(0)
            room -= 1
            command.invocations[instance_id].deadline = self.cloud.now + self._patience(command)
            delay = self._instance(command, instance_id).spec.agent.delivery_seconds
            self.cloud.kernel.after(timedelta(seconds=delay), self._deliver, command, instance_id)

    def _patience(self, command: Command) -> timedelta:
        """How long a machine may take to receive the command."""
        total = self.cloud.assumptions.delivery_ends_with_total_timeout
        execution = execution_seconds(command.steps, command.parameters) if total else 0
        return timedelta(seconds=command.timeout_seconds + execution)

    def _deliver(self, command: Command, instance_id: str) -> None:
        invocation = command.invocations[instance_id]
        if invocation.final:
            return
        now = self.cloud.now
        if now >= invocation.deadline:
            self._close(command, invocation, "TimedOut", "DeliveryTimedOut")
            self._settle(command)
            return
        instance = self._instance(command, instance_id)
        if is_online(instance, now):
            self._hand_over(command, invocation)
            return
        pause = EAGER_RETRY if now - command.requested < EAGER_FOR else PATIENT_RETRY
        self.cloud.kernel.at(min(now + pause, invocation.deadline), self._deliver, command, instance_id)

    def _hand_over(self, command: Command, invocation: Invocation) -> None:
        invocation.status = invocation.details = "InProgress"
        invocation.started = self.cloud.now
        allowed = execution_seconds(command.steps, command.parameters)
        invocation.deadline = self.cloud.now + timedelta(seconds=allowed)
        self.cloud.record(
            command.scope, "CommandDelivered", command=command.command_id, instance=invocation.instance_id
        )
        run = Run(
            command.scope,
            command.command_id,
            invocation.instance_id,
            command.document,
            command.steps,
            command.parameters,
            (self._ran, (command, invocation)),
        )
        self.cloud.kernel.at(invocation.deadline, self._expire, command, invocation)
        self.cloud.component(Agents).start(run)
        invocation.results = run.results

    def _ran(self, command: Command, invocation: Invocation, run: Run) -> None:
        """The agent has a result. It is told when the agent can reach Systems Manager."""
        if invocation.final:
            return
        if not is_online(self._instance(command, invocation.instance_id), self.cloud.now):
            self.cloud.kernel.after(EAGER_RETRY, self._ran, command, invocation, run)
            return
        self._upload(command, invocation)
        invocation.code = run.code
        self._close(command, invocation, run.status, run.status)
        self._settle(command)

    def _expire(self, command: Command, invocation: Invocation) -> None:
        if not invocation.final:
            self._close(command, invocation, "TimedOut", "ExecutionTimedOut")
            self._settle(command)

    def _upload(self, command: Command, invocation: Invocation) -> None:
        bucket = command.request.get("OutputS3BucketName")
        agent = command.scope.as_principal(self._instance(command, invocation.instance_id).spec.role_arn)
        for result in invocation.results if bucket else ():
            for stream, text in (("stdout", result.output), ("stderr", result.error)):
                if not text:
                    continue
                key = command.key(invocation, result, stream)
                body = {"Bucket": bucket, "Key": key, "Body": text.encode(), "ACL": "bucket-owner-full-control"}
                try:
                    if agent.principal:
                        self.cloud.invoke(agent, "s3", "GetBucketEncryption", {"Bucket": bucket})
                    self.cloud.invoke(agent, "s3", "PutObject", body)
                except NotEmulatedError:
                    raise
                except AwsError as error:  # the agent's output is lost and the command's result stands
                    result.error += f"Failed to upload to s3://{bucket}/{key}: {error}\n"

    def _close(self, command: Command, invocation: Invocation, status: str, details: str) -> None:
        invocation.status, invocation.details, invocation.ended = status, details, self.cloud.now
        command.ended += 1
        command.errors += details in ("Failed", "ExecutionTimedOut")
        self.cloud.record(
            command.scope,
            "CommandEnded",
            command=command.command_id,
            instance=invocation.instance_id,
            status=details,
            response_code=invocation.code,
            output=invocation.output + invocation.error,
        )

    def _settle(self, command: Command) -> None:
        """After a change: send to the next machines, or end the command when all are final."""
        if command.final:
            return
        self._send_more(command)
        if command.ended < len(command.invocations):
            if command.cancelled:
                command.status = command.details = "Cancelling"
            return
        command.status, command.details = command.outcome()
        if command.listener is not None:
            callback, arguments = command.listener
            self.cloud.kernel.after(timedelta(0), callback, *arguments, command.command_id)

    def _instance(self, command: Command, instance_id: str) -> Instance:
        return self.cloud.component(Ec2).instance(command.scope, instance_id)
