"""Commands and their invocations, and the shapes in which Run Command describes them.

https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from patchgate.emulator.cloud import Scope
from patchgate.emulator.ssm_constraints import share

if TYPE_CHECKING:
    from patchgate.emulator.agent.agents import PluginResult
    from patchgate.emulator.ssm_document_steps import Step

FINAL = frozenset({"Success", "Cancelled", "TimedOut", "Failed"})
Listener = tuple[Callable[..., None], tuple[Any, ...]]
"""A bound method and its first arguments; what ended is handed to it behind them."""


@dataclass(slots=True)
class Invocation:
    """One command on one machine. ``deadline`` is that of the delivery, then that of the execution."""

    instance_id: str
    name: str
    deadline: datetime
    requested: datetime
    status: str = "Pending"
    details: str = "Pending"
    code: int = -1
    started: datetime | None = None
    ended: datetime | None = None
    results: list[PluginResult] = field(default_factory=list)

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def output(self) -> str:
        return "".join(result.output for result in self.results)

    @property
    def error(self) -> str:
        return "".join(result.error for result in self.results)


@dataclass(slots=True)
class Command:
    """One SendCommand. ``queue`` are the machines to which it was not sent yet; ``ended`` counts final invocations,
    ``errors`` failures that count against MaxErrors: delivery timeouts do not [API_CommandInvocation].
    """

    command_id: str
    scope: Scope
    document: str
    document_version: str
    steps: tuple[Step, ...]
    parameters: Mapping[str, Any]
    given: Mapping[str, list[str]]
    request: Mapping[str, Any]
    requested: datetime
    expires: datetime
    timeout_seconds: int
    maximum_concurrency: str
    maximum_errors: str
    invocations: dict[str, Invocation]
    queue: list[str]
    listener: Listener | None = None
    cancelled: bool = False
    status: str = "Pending"
    details: str = "Pending"
    ended: int = 0
    errors: int = 0

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def allowed_errors(self) -> int:
        return share(self.maximum_errors, len(self.invocations))

    def count(self, *details: str) -> int:
        return sum(item.details in details for item in self.invocations.values())

    def outcome(self) -> tuple[str, str]:
        """Status and StatusDetails once every invocation is final.

        "The value of MaxErrors or more" makes a command fail [API_Command]. Which Status goes with the detail
        Incomplete is not documented; Failed is taken.
        """
        enough = max(1, self.allowed_errors)
        if self.cancelled:
            return "Cancelled", "Cancelled"
        if all(item.status == "Success" for item in self.invocations.values()):
            return "Success", "Success"
        if self.errors >= enough:
            timed_out = self.count("Failed") == 0
            return ("TimedOut", "ExecutionTimedOut") if timed_out else ("Failed", "Failed")
        if self.count("DeliveryTimedOut") >= enough:
            return "TimedOut", "DeliveryTimedOut"
        return "Failed", "Incomplete"

    def shape(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Command.html"""
        request = self.request
        return {
            "CommandId": self.command_id,
            "DocumentName": self.document,
            "DocumentVersion": self.document_version,
            "Comment": str(request.get("Comment") or ""),
            "ExpiresAfter": self.expires,
            "Parameters": {key: list(value) for key, value in self.given.items()},
            "InstanceIds": list(request.get("InstanceIds") or []),
            "Targets": list(request.get("Targets") or []),
            "RequestedDateTime": self.requested,
            "Status": self.status,
            "StatusDetails": self.details,
            "OutputS3Region": self.scope.region,
            "OutputS3BucketName": str(request.get("OutputS3BucketName") or ""),
            "OutputS3KeyPrefix": str(request.get("OutputS3KeyPrefix") or ""),
            "MaxConcurrency": self.maximum_concurrency,
            "MaxErrors": self.maximum_errors,
            "TargetCount": len(self.invocations),
            "CompletedCount": sum(item.final for item in self.invocations.values()),
            "ErrorCount": self.errors,
            "DeliveryTimedOutCount": self.count("DeliveryTimedOut"),
            "ServiceRole": str(request.get("ServiceRoleArn") or ""),
            "TimeoutSeconds": self.timeout_seconds,
        }

    def invocation_shape(self, invocation: Invocation, *, details: bool) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandInvocation.html"""
        shape: dict[str, Any] = {
            "CommandId": self.command_id,
            "InstanceId": invocation.instance_id,
            "InstanceName": invocation.name,
            "Comment": str(self.request.get("Comment") or ""),
            "DocumentName": self.document,
            "DocumentVersion": self.document_version,
            "RequestedDateTime": invocation.requested,
            "Status": invocation.status,
            "StatusDetails": invocation.details,
            "StandardOutputUrl": "",
            "StandardErrorUrl": "",
            "CommandPlugins": [],
            "ServiceRole": str(self.request.get("ServiceRoleArn") or ""),
        }
        if details:
            shape["CommandPlugins"] = [self._plugin_shape(invocation, result) for result in invocation.results]
        return shape

    def result_shape(self, invocation: Invocation, plugin: PluginResult | None) -> dict[str, Any]:
        """GetCommandInvocation: one step's result, or all of them when none is named."""
        started = plugin.started if plugin else invocation.started
        ended = plugin.ended if plugin else invocation.ended
        elapsed = (ended - started).total_seconds() if started and ended else 0
        return {
            "CommandId": self.command_id,
            "InstanceId": invocation.instance_id,
            "Comment": str(self.request.get("Comment") or ""),
            "DocumentName": self.document,
            "DocumentVersion": self.document_version,
            "PluginName": plugin.name if plugin else (self.steps[0].name if len(self.steps) == 1 else ""),
            "ResponseCode": plugin.code if plugin else invocation.code,
            "ExecutionStartDateTime": started.strftime("%Y-%m-%dT%H:%M:%SZ") if started else "",
            "ExecutionElapsedTime": f"PT{elapsed:g}S" if ended else "",
            "ExecutionEndDateTime": ended.strftime("%Y-%m-%dT%H:%M:%SZ") if ended else "",
            "Status": plugin.status if plugin else invocation.status,
            "StatusDetails": plugin.status if plugin else invocation.details,
            "StandardOutputContent": (plugin.output if plugin else invocation.output)[:24000],
            "StandardOutputUrl": self.url(invocation, plugin, "stdout") if plugin else "",
            "StandardErrorContent": (plugin.error if plugin else invocation.error)[:8000],
            "StandardErrorUrl": self.url(invocation, plugin, "stderr") if plugin else "",
        }

    def key(self, invocation: Invocation, result: PluginResult, stream: str) -> str:
        """The object's key under which the agent uploads one stream of one step."""
        prefix = str(self.request.get("OutputS3KeyPrefix") or "").strip("/")
        folder = result.action.replace(":", "")
        parts = (prefix, self.command_id, invocation.instance_id, folder, result.name, stream)
        return "/".join(part for part in parts if part)

    def url(self, invocation: Invocation, result: PluginResult, stream: str) -> str:
        """Where the uploaded stream is, or "" when none is uploaded."""
        bucket = self.request.get("OutputS3BucketName")
        key = self.key(invocation, result, stream)
        return f"https://s3.{self.scope.region}.amazonaws.com/{bucket}/{key}" if bucket else ""

    def _plugin_shape(self, invocation: Invocation, result: PluginResult) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "Name": result.name,
            "Status": result.status,
            "StatusDetails": result.status,
            "ResponseCode": result.code,
            "Output": (result.output + result.error)[:2500],
            "StandardOutputUrl": self.url(invocation, result, "stdout"),
            "StandardErrorUrl": self.url(invocation, result, "stderr"),
            "OutputS3Region": self.scope.region,
            "OutputS3BucketName": str(self.request.get("OutputS3BucketName") or ""),
            "OutputS3KeyPrefix": str(self.request.get("OutputS3KeyPrefix") or ""),
        }
        times = {"ResponseStartDateTime": result.started, "ResponseFinishDateTime": result.ended}
        return shape | {key: value for key, value in times.items() if value is not None}
