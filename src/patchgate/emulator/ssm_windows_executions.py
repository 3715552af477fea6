"""What happens while a maintenance window is open: tasks by priority, invocations within their limits, the cutoff.

https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows-how-to.html

Assumptions: an execution that would be one too many (five at once in a scope) fails without running; a task whose
invocations all ended is FAILED when any of them is; targets are resolved when the task begins; a window follows its
tasks in the name of their service role, with the calls for which AWS's documentation asks that role for permission
(ListCommands, ListCommandInvocations, CancelCommand, GetAutomationExecution).
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from patchgate.emulator.cloud import Cloud, Component, Scope
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_automation import Automation
from patchgate.emulator.ssm_commands import Commands
from patchgate.emulator.ssm_constraints import share
from patchgate.emulator.ssm_targets import resolve_targets
from patchgate.emulator.ssm_windows_model import Execution, Status, TaskExecution, Unit, Window
from patchgate.emulator.ssm_windows_pseudo import expand, mentions_resource

if TYPE_CHECKING:
    from patchgate.emulator.ssm_windows_model import WindowTask

MAXIMUM_EXECUTIONS = 5
_OUTCOMES: dict[str, Status] = {"Success": "SUCCESS", "TimedOut": "TIMED_OUT", "Cancelled": "CANCELLED"}
_SERVICE_LINKED_ROLE = "aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM"
_CUT_OFF = "The cutoff of the maintenance window was reached."
_OVER = "The maintenance window has ended."


class WindowExecutions(Component):
    """The executions of every window, by scope and id."""

    service: ClassVar[str] = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._executions: dict[tuple[str, str], dict[str, Execution]] = {}

    def executions(self, scope: Scope) -> dict[str, Execution]:
        """Every execution of a scope by id, in order of start."""
        return self._executions.setdefault(scope.key, {})

    def start(self, window: Window) -> None:
        """Begin an execution now, or record why there is none."""
        scope, now = window.scope, self.cloud.now
        end = now + timedelta(hours=int(window.settings["Duration"]))
        cutoff = end - timedelta(hours=int(window.settings["Cutoff"]))
        execution = Execution(self.cloud.uuid(), window, scope, now, cutoff, end)
        active = [item for item in self.executions(scope).values() if not item.final]
        self.executions(scope)[execution.execution_id] = execution
        self.cloud.record(
            scope,
            "WindowExecutionStarted",
            window=window.window_id,
            execution=execution.execution_id,
            name=window.name,
        )
        if any(item.window is window for item in active):
            self._finish(execution, "SKIPPED_OVERLAPPING", "An execution of this window is in progress.")
            return
        if len(active) >= MAXIMUM_EXECUTIONS:
            self._finish(execution, "FAILED", f"{MAXIMUM_EXECUTIONS} maintenance windows are running already.")
            return
        execution.tasks = [self._task(task) for task in sorted(window.tasks.values(), key=_order)]
        self.cloud.kernel.at(cutoff, self._cut_off, execution)
        self.cloud.kernel.at(end, self._close, execution)
        self._advance(execution)

    def cancel(self, execution: Execution) -> None:
        """Begin nothing more; what runs goes on to its end."""
        if execution.final:
            return
        execution.cancelled, execution.status = True, "CANCELLING"
        for task in execution.tasks:
            self._stop(task, "CANCELLED", "The execution was cancelled.")
        self._advance(execution)

    def stop_window(self, window: Window) -> None:
        """Cancel whatever of a window is in progress."""
        for execution in list(self.executions(window.scope).values()):
            if execution.window is window:
                self.cancel(execution)

    def _task(self, task: WindowTask) -> TaskExecution:
        return TaskExecution(
            self.cloud.uuid(), task.task_id, dict(task.settings), task.priority, task.cancels_at_cutoff
        )

    def _cut_off(self, execution: Execution) -> None:
        for task in execution.tasks:
            if task.cancels_at_cutoff and not task.final:
                self._stop(task, "TIMED_OUT", _CUT_OFF)
                self._cancel_commands(execution, task)
        self._advance(execution)

    def _close(self, execution: Execution) -> None:
        for task in execution.tasks:
            self._stop(task, "TIMED_OUT", _OVER)
        self._advance(execution)

    def _stop(self, task: TaskExecution, status: Status, details: str) -> None:
        if task.final:
            return
        task.stop(status, details, self.cloud.now)
        if task.status == "PENDING":
            task.status, task.details, task.ended = status, details, self.cloud.now
        elif status == "TIMED_OUT" and not task.details:
            task.details = details

    def _cancel_commands(self, execution: Execution, task: TaskExecution) -> None:
        """Send CancelCommand for what a Run Command task has in flight; machines that have begun go on."""
        commands = self.cloud.component(Commands)
        for unit in task.units:
            if task.kind == "RUN_COMMAND" and unit.status == "IN_PROGRESS":
                if self._refusal(execution, task, ("CancelCommand", {})):
                    continue
                command = commands.commands(execution.scope)[unit.execution_id]
                commands.cancel(command, list(command.invocations))

    def _advance(self, execution: Execution) -> None:
        """End tasks whose invocations are over, and begin those whose turn it is."""
        while not execution.final:
            for task in execution.tasks:
                if task.status == "IN_PROGRESS" and not task.unfinished:
                    self._end_task(execution, task)
            open_tasks = [task for task in execution.tasks if not task.final]
            if not open_tasks:
                self._finish(execution, self._outcome(execution), execution.details)
                return
            turn = [task for task in open_tasks if task.priority == open_tasks[0].priority]
            waiting = [task for task in turn if task.status == "PENDING"]
            if not waiting:
                return
            for task in waiting:
                self._begin_task(execution, task)

    def _begin_task(self, execution: Execution, task: TaskExecution) -> None:
        task.status, task.started = "IN_PROGRESS", self.cloud.now
        alone = task.kind == "AUTOMATION" or mentions_resource(task.settings)
        task.take(self._units(execution, task, alone=alone))
        if alone:
            task.concurrency = max(1, share(str(task.settings["MaxConcurrency"]), len(task.units)))
            task.allowed_errors = share(str(task.settings["MaxErrors"]), len(task.units))
        else:
            task.allowed_errors = len(task.units)
        if not task.units:
            task.details = "No invocations to execute."
        self.cloud.record(
            execution.scope,
            "WindowTaskStarted",
            execution=execution.execution_id,
            task_execution=task.task_execution_id,
            task=task.task_id,
            task_type=task.kind,
            targets=[instance_id for unit in task.units for instance_id in unit.instance_ids],
        )
        self._send_more(execution, task)

    def _units(self, execution: Execution, task: TaskExecution, *, alone: bool) -> list[Unit]:
        """The invocations: one for each machine (``alone``), or one for each target."""
        groups = self._targets(execution, task)
        if alone:
            groups = [(target, [item], owner) for target, ids, owner in groups for item in ids or [""]]
        units = [
            Unit(self.cloud.uuid(), target, [item for item in ids if item], owner) for target, ids, owner in groups
        ]
        seen: set[str] = set()
        for unit in units:
            unit.instance_ids = [item for item in unit.instance_ids if not (item in seen or seen.add(item))]  # type: ignore[func-returns-value]
        return [unit for unit in units if unit.instance_ids or not task.settings.get("Targets")]

    def _targets(self, execution: Execution, task: TaskExecution) -> list[tuple[str, list[str], str]]:
        """(window target id, machines, owner information) of each target that the task names."""
        window, scope = execution.window, execution.scope
        found: list[tuple[str, list[str], str]] = []
        for target in task.settings.get("Targets") or [None]:
            if target is None:
                found.append(("", [], ""))
            elif target["Key"] == "WindowTargetIds":
                registered = [window.targets[item] for item in target["Values"] if item in window.targets]
                found += [
                    (
                        item.target_id,
                        resolve_targets(self.cloud, scope, item.settings["Targets"]),
                        str(item.settings.get("OwnerInformation") or ""),
                    )
                    for item in registered
                ]
            else:
                found.append(("", self._unassociated(window, target), ""))
        return found

    def _unassociated(self, window: Window, target: dict[str, Any]) -> list[str]:
        """Machines that the task names itself; without AllowUnassociatedTargets only those of the window's targets."""
        named = resolve_targets(self.cloud, window.scope, [target])
        if window.settings["AllowUnassociatedTargets"]:
            return named
        groups = [
            resolve_targets(self.cloud, window.scope, item.settings["Targets"]) for item in window.targets.values()
        ]
        return [item for item in named if any(item in group for group in groups)]

    def _send_more(self, execution: Execution, task: TaskExecution) -> None:
        if task.errors > task.allowed_errors and not task.stopped:
            task.stop("CANCELLED", "The task's MaxErrors was exceeded.", self.cloud.now)
        room = task.concurrency - task.running
        while room > 0 and (unit := task.first_pending()) is not None:
            if self._begin_unit(execution, task, unit):
                room -= 1
            elif task.errors > task.allowed_errors:
                self._send_more(execution, task)
                return

    def _begin_unit(self, execution: Execution, task: TaskExecution, unit: Unit) -> bool:
        """Start one invocation; False when AWS refused, which ends it as FAILED."""
        task.begin(unit, self.cloud.now)
        try:
            if task.kind == "AUTOMATION":
                self._start_automation(execution, task, unit)
            else:
                self._send_command(execution, task, unit)
        except NotEmulatedError:
            raise
        except AwsError as error:
            task.end(unit, "FAILED", str(error)[:250], self.cloud.now)
            return False
        return True

    def _start_automation(self, execution: Execution, task: TaskExecution, unit: Unit) -> None:
        given = (task.settings.get("TaskInvocationParameters") or {}).get("Automation") or {}
        parameters = expand(given.get("Parameters") or {}, execution, task, unit)
        unit.parameters = json.dumps(parameters, sort_keys=True)
        request: dict[str, Any] = {"DocumentName": task.settings["TaskArn"], "Parameters": parameters}
        if given.get("DocumentVersion"):
            request["DocumentVersion"] = given["DocumentVersion"]
        acting = self._assume(execution, task, "StartAutomationExecution", request)
        unit.execution_id = self.cloud.component(Automation).start(
            acting,
            request,
            listener=(self._automation_ended, (execution, task, unit)),
            target=unit.instance_ids[0] if unit.instance_ids else "",
            window_execution=execution.execution_id,
        )

    def _send_command(self, execution: Execution, task: TaskExecution, unit: Unit) -> None:
        given = (task.settings.get("TaskInvocationParameters") or {}).get("RunCommand") or {}
        logging = task.settings.get("LoggingInfo") or {}
        parameters = expand(given.get("Parameters") or {}, execution, task, unit)
        unit.parameters = json.dumps(parameters, sort_keys=True)
        request = {
            "DocumentName": task.settings["TaskArn"],
            "InstanceIds": unit.instance_ids,
            "Parameters": parameters,
            "MaxConcurrency": task.settings["MaxConcurrency"],
            "MaxErrors": task.settings["MaxErrors"],
            "OutputS3BucketName": given.get("OutputS3BucketName") or logging.get("S3BucketName"),
            "OutputS3KeyPrefix": given.get("OutputS3KeyPrefix") or logging.get("S3KeyPrefix"),
        }
        request |= {
            key: given[key]
            for key in ("TimeoutSeconds", "Comment", "DocumentVersion", "DocumentHash")
            if given.get(key)
        }
        acting = self._assume(execution, task, "SendCommand", request)
        command = self.cloud.component(Commands).send(acting, request, (self._command_ended, (execution, task, unit)))
        unit.execution_id = command.command_id

    def _assume(self, execution: Execution, task: TaskExecution, operation: str, request: dict[str, Any]) -> Scope:
        """The scope of the task's role; AwsError unless Systems Manager may assume it and it may make the call."""
        acting = self._role(execution, task)
        if not self.cloud.authority.trusts(acting, acting.principal, "ssm.amazonaws.com"):
            raise AwsError("AccessDeniedException", f"Systems Manager cannot assume the role {acting.principal}.")
        self.cloud.authority.check(acting, self.service, operation, request)
        return acting

    def _refusal(self, execution: Execution, task: TaskExecution, *calls: tuple[str, dict[str, str]]) -> str:
        """Why the task's role may not make one of the calls with which a window follows its tasks, or nothing."""
        try:
            for operation, params in calls:
                self.cloud.authority.check(self._role(execution, task), self.service, operation, params)
        except NotEmulatedError:
            raise
        except AwsError as error:
            return str(error)
        return ""

    def _role(self, execution: Execution, task: TaskExecution) -> Scope:
        """The task's service role, or the service-linked one."""
        scope = execution.scope
        linked = f"arn:{scope.partition}:iam::{scope.account}:role/{_SERVICE_LINKED_ROLE}"
        return scope.as_principal(str(task.settings.get("ServiceRoleArn") or linked))

    def _command_ended(self, execution: Execution, task: TaskExecution, unit: Unit, command_id: str) -> None:
        command = self.cloud.component(Commands).commands(execution.scope)[command_id]
        refusal = self._refusal(execution, task, ("ListCommands", {}), ("ListCommandInvocations", {}))
        status, details = ("Failed", refusal) if refusal else (command.status, command.details)
        self._end_unit(execution, task, unit, status, details)

    def _automation_ended(
        self, execution: Execution, task: TaskExecution, unit: Unit, status: str, details: str
    ) -> None:
        asked = {"AutomationExecutionId": unit.execution_id}
        refusal = self._refusal(execution, task, ("GetAutomationExecution", asked))
        status, details = ("Failed", refusal) if refusal else (status, details)
        self._end_unit(execution, task, unit, status, details)

    def _end_unit(self, execution: Execution, task: TaskExecution, unit: Unit, status: str, details: str) -> None:
        outcome: Status = _OUTCOMES.get(status, "FAILED")
        cut = task.kind == "RUN_COMMAND" and task.cancels_at_cutoff and self.cloud.now >= execution.cutoff
        if outcome == "CANCELLED" and cut:
            outcome, details = "TIMED_OUT", _CUT_OFF
        task.end(unit, outcome, details[:250], self.cloud.now)
        self._send_more(execution, task)
        self._advance(execution)

    def _end_task(self, execution: Execution, task: TaskExecution) -> None:
        task.status, task.ended = task.outcome(), self.cloud.now
        self.cloud.record(
            execution.scope,
            "WindowTaskEnded",
            execution=execution.execution_id,
            task_execution=task.task_execution_id,
            task=task.task_id,
            task_type=task.kind,
            targets=[instance_id for unit in task.units for instance_id in unit.instance_ids],
            status=task.status,
        )

    def _outcome(self, execution: Execution) -> Status:
        if execution.cancelled:
            return "CANCELLED"
        found = {task.status for task in execution.tasks}
        order: tuple[Status, ...] = ("TIMED_OUT", "FAILED", "CANCELLED")
        return next((status for status in order if status in found), "SUCCESS")

    def _finish(self, execution: Execution, status: Status, details: str) -> None:
        execution.status, execution.details, execution.ended = status, details, self.cloud.now
        self.cloud.record(
            execution.scope,
            "WindowExecutionEnded",
            execution=execution.execution_id,
            window=execution.window.window_id,
            status=status,
        )


def _order(task: WindowTask) -> tuple[int, str]:
    return task.priority, task.task_id
