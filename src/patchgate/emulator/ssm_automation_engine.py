"""How an execution goes from step to step: attempts, failures, ends, and the queue of those that wait.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-common-properties.html

Assumption: one second passes between two steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.errors import AwsError
from patchgate.emulator.ssm_automation_actions import Actions, resolve_inputs
from patchgate.emulator.ssm_automation_state import AutomationRun, Status, StepRun
from patchgate.emulator.ssm_automation_values import UnresolvedError, plain

MAXIMUM_RUNNING = 100
MAXIMUM_QUEUED = 1000
STEP_PAUSE = timedelta(seconds=1)


class AutomationEngine(Actions):
    """The executions of every scope."""

    service: ClassVar[str] = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._runs: dict[tuple[str, str], dict[str, AutomationRun]] = {}
        self._queues: dict[tuple[str, str], list[AutomationRun]] = {}
        self._running: dict[tuple[str, str], int] = {}

    def runs(self, scope: Scope) -> dict[str, AutomationRun]:
        """The executions of a scope by id, in order of their start."""
        return self._runs.setdefault(scope.key, {})

    def accept(self, run: AutomationRun) -> None:
        """Begin an execution, or queue it; AwsError AutomationExecutionLimitExceededException when that is full."""
        queue = self._queues.setdefault(run.scope.key, [])
        if self._running.get(run.scope.key, 0) < MAXIMUM_RUNNING:
            self.runs(run.scope)[run.execution_id] = run
            self._begin(run)
        elif len(queue) < MAXIMUM_QUEUED:
            self.runs(run.scope)[run.execution_id] = run
            queue.append(run)
        else:
            raise AwsError(
                "AutomationExecutionLimitExceededException",
                f"{MAXIMUM_RUNNING} automations are running and {MAXIMUM_QUEUED} are queued.",
            )

    def stop(self, run: AutomationRun) -> None:
        """Cancel an execution: its step in flight ends as Cancelled."""
        queue = self._queues.get(run.scope.key, [])
        if run in queue:
            queue.remove(run)
            run.started = self.cloud.now
            self._finish(run, "Cancelled")
            return
        run.doomed = "Cancelled"
        step = run.steps.get(run.current)
        if step is not None and step.status == "InProgress":
            self.interrupt(run, step, "the execution was cancelled")
            self.end_step(run, step, step.attempt, "Cancelled", "The execution was cancelled.")

    def end_step(
        self, run: AutomationRun, step: StepRun, attempt: int, status: Status, failure: str = "", following: str = ""
    ) -> None:
        """End an attempt and go on. What an attempt that is over has to say is ignored."""
        if step.status != "InProgress" or step.attempt != attempt or run.final:
            return
        if status in ("Failed", "TimedOut") and attempt < step.step.maximum_attempts:
            self._enter(run, step.step.name)
            return
        step.status, step.failure, step.ended = status, failure, self.cloud.now
        self.cloud.record(
            run.scope,
            "AutomationStepEnded",
            execution=run.execution_id,
            step=step.step.name,
            action=step.step.action,
            status=status,
            outputs=plain(step.outputs),
            failure=failure,
        )
        self._go_on(run, step, following)

    def _begin(self, run: AutomationRun) -> None:
        self._running[run.scope.key] = self._running.get(run.scope.key, 0) + 1
        run.status, run.started = "InProgress", self.cloud.now
        self.cloud.record(
            run.scope,
            "AutomationStarted",
            execution=run.execution_id,
            document=run.document,
            target=run.target,
            window_execution=run.window_execution,
        )
        self._plan(run, next(iter(run.steps)))

    def _plan(self, run: AutomationRun, name: str) -> None:
        run.current = name
        run.steps[name].status, run.steps[name].attempt = "Pending", 0
        self.cloud.kernel.after(STEP_PAUSE, self._turn, run, name)

    def _turn(self, run: AutomationRun, name: str) -> None:
        if run.final:
            return
        if run.doomed == "Cancelled" and run.steps[name].step.name == run.current and not self._cleaning(run, name):
            self._finish(run, "Cancelled")
        else:
            self._enter(run, name)

    def _cleaning(self, run: AutomationRun, name: str) -> bool:
        """Whether a step runs although the execution was cancelled: an onCancel step."""
        return any(step.step.on_cancel == f"step:{name}" and step.status == "Cancelled" for step in run.steps.values())

    def _enter(self, run: AutomationRun, name: str) -> None:
        step = run.steps[name]
        step.attempt += 1
        step.status, step.started, step.outputs, step.command_id = "InProgress", self.cloud.now, {}, ""
        attempt = step.attempt
        if step.step.timeout_seconds is not None:
            limit = timedelta(seconds=step.step.timeout_seconds)
            self.cloud.kernel.after(limit, self.expire, run, step, attempt)
        try:
            step.inputs = resolve_inputs(run, step, run.known(self.cloud.now))
            self.perform(run, step)
        except (AwsError, UnresolvedError, ValueError) as error:
            self.end_step(run, step, attempt, "Failed", str(error))

    def _go_on(self, run: AutomationRun, step: StepRun, following: str) -> None:
        if step.status == "Success":
            self._follow(run, following or self._successor(run, step))
            return
        flow = step.step.on_cancel if step.status == "Cancelled" else step.step.on_failure
        run.failure = run.failure or f"Step {step.step.name} ended with {step.status}. {step.failure}".strip()
        if flow == "Abort":
            self._finish(run, step.status)
            return
        if step.step.is_critical and run.doomed is None:
            run.doomed = step.status
        self._follow(run, flow[5:] if flow.startswith("step:") else self._successor(run, step))

    def _successor(self, run: AutomationRun, step: StepRun) -> str:
        if step.step.is_end:
            return ""
        names = list(run.steps)
        position = names.index(step.step.name) + 1
        return step.step.next_step or (names[position] if position < len(names) else "")

    def _follow(self, run: AutomationRun, name: str) -> None:
        if name:
            self._plan(run, name)
        else:
            self._finish(run, run.doomed or "Success")

    def _finish(self, run: AutomationRun, status: Status) -> None:
        queued = run.status == "Pending"
        run.status, run.ended = status, self.cloud.now
        if status == "Success":
            run.failure = ""
        known = run.known(self.cloud.now)
        run.outputs = {name: known[name] for name in _names(run.content.outputs) if name in known}
        self.cloud.record(
            run.scope,
            "AutomationEnded",
            execution=run.execution_id,
            document=run.document,
            target=run.target,
            status=status,
            failure=run.failure,
        )
        if run.listener is not None:
            callback, arguments = run.listener
            self.cloud.kernel.after(timedelta(0), callback, *arguments, status, run.failure)
        if not queued:
            self._running[run.scope.key] -= 1
            queue = self._queues.get(run.scope.key)
            if queue:
                self._begin(queue.pop(0))


def _names(outputs: Iterable[str]) -> list[str]:
    """A document's outputs, written as ``step.Output`` or ``{{ step.Output }}``."""
    return [item.strip("{} ") for item in outputs]
