"""Executions of runbooks and their steps, and the shapes in which Automation describes them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AutomationExecution.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from patchgate.emulator.cloud import Scope
from patchgate.emulator.kernel import Process
from patchgate.emulator.ssm_automation_values import as_list
from patchgate.emulator.ssm_document_steps import branch_targets

if TYPE_CHECKING:
    from patchgate.emulator.ssm_document_content import Content
    from patchgate.emulator.ssm_document_steps import Step

Status = Literal["Pending", "InProgress", "Success", "TimedOut", "Cancelling", "Cancelled", "Failed"]
FINAL = frozenset({"Success", "TimedOut", "Cancelled", "Failed"})
Listener = tuple[Callable[..., None], tuple[Any, ...]]


@dataclass(slots=True)
class StepRun:
    """One step of one execution. ``attempt`` counts from 1; what an earlier attempt still has to say is ignored."""

    step: Step
    step_execution_id: str
    status: Status = "Pending"
    attempt: int = 0
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    failure: str = ""
    command_id: str = ""
    process: Process | None = None
    started: datetime | None = None
    ended: datetime | None = None

    def shape(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StepExecution.html"""
        step = self.step
        following = [step.next_step] if step.next_step else []
        optional = {
            "TimeoutSeconds": step.timeout_seconds,
            "ExecutionStartTime": self.started,
            "ExecutionEndTime": self.ended,
            "FailureMessage": self.failure,
            "NextStep": step.next_step,
            "ResponseCode": {"Success": "0", "Failed": "1"}.get(self.status),
        }
        shape: dict[str, Any] = {
            "StepName": step.name,
            "Action": step.action,
            "OnFailure": step.on_failure,
            "MaxAttempts": step.maximum_attempts,
            "StepStatus": self.status,
            "Inputs": {key: json.dumps(value, default=str) for key, value in self.inputs.items() if key != "Script"},
            "Outputs": {key: as_list(value) for key, value in self.outputs.items()},
            "StepExecutionId": self.step_execution_id,
            "IsEnd": step.is_end,
            "IsCritical": step.is_critical,
            "ValidNextSteps": branch_targets(step) if step.action == "aws:branch" else following,
        }
        if self.failure:
            shape["FailureDetails"] = {"FailureStage": "Execution", "FailureType": "StepFailure", "Details": {}}
        return shape | {key: value for key, value in optional.items() if value}


@dataclass(slots=True)
class AutomationRun:
    """One execution. ``scope``'s principal is the assume role (``assumed``), else the ``caller`` who started it."""

    execution_id: str
    scope: Scope
    caller: str
    document: str
    document_version: str
    content: Content
    parameters: Mapping[str, Any]
    steps: dict[str, StepRun]
    target: str = ""
    window_execution: str = ""
    listener: Listener | None = None
    status: Status = "Pending"
    current: str = ""
    failure: str = ""
    doomed: Status | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    requested: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    assumed: str = ""

    @property
    def final(self) -> bool:
        return self.status in FINAL

    def known(self, now: datetime) -> dict[str, Any]:
        """Everything that a reference may name at ``now``."""
        date, date_and_time = _date_texts(now)
        values: dict[str, Any] = {
            **self.parameters,
            "automation:EXECUTION_ID": self.execution_id,
            "global:DATE": date,
            "global:DATE_TIME": date_and_time,
            "global:REGION": self.scope.region,
            "global:ACCOUNT_ID": self.scope.account,
        }
        for name, run in self.steps.items():
            for output, value in run.outputs.items():
                values[f"{name}.{output}"] = value
        return values

    def metadata(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AutomationExecutionMetadata.html"""
        optional = {
            "ExecutionStartTime": self.started or self.requested,
            "ExecutionEndTime": self.ended,
            "FailureMessage": self.failure,
            "CurrentStepName": "" if self.final else self.current,
            "CurrentAction": self.steps[self.current].step.action if self.current and not self.final else "",
            "Target": self.target,
        }
        return {
            "AutomationExecutionId": self.execution_id,
            "DocumentName": self.document,
            "DocumentVersion": self.document_version,
            "AutomationExecutionStatus": self.status,
            "ExecutedBy": self.caller,
            "Mode": "Auto",
            "Outputs": {key: as_list(value) for key, value in self.outputs.items()},
            "Targets": [],
            "ResolvedTargets": {"ParameterValues": [], "Truncated": False},
        } | {key: value for key, value in optional.items() if value}

    def shape(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AutomationExecution.html"""
        return self.metadata() | {
            "StepExecutions": [run.shape() for run in self.steps.values()],
            "StepExecutionsTruncated": False,
            "Parameters": {key: as_list(value) for key, value in self.parameters.items()},
        }


@lru_cache(maxsize=256)
def _date_texts(now: datetime) -> tuple[str, str]:
    """global:DATE and global:DATE_TIME."""
    return now.strftime("%Y-%m-%d"), now.strftime("%Y-%m-%d_%H.%M.%S")
