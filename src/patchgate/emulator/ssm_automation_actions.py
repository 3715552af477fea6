"""The actions of runbook steps. Scripts run as processes of the kernel, everything else on timers.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html

Assumptions: properties are polled every ten seconds; a step that fails to resolve one of its declared outputs fails;
a command is followed with ListCommands and ListCommandInvocations and stopped with CancelCommand, as the assume role.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from patchgate.emulator.cloud import Component
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.kernel import ProcessKilled
from patchgate.emulator.runtime import PythonProgram, is_of_program
from patchgate.emulator.ssm_automation_conditions import holds
from patchgate.emulator.ssm_automation_state import AutomationRun, Status, StepRun
from patchgate.emulator.ssm_automation_values import UnresolvedError, declared_outputs, interpolate, plain, select
from patchgate.emulator.ssm_commands import Commands
from patchgate.emulator.ssm_constraints import instant

if TYPE_CHECKING:
    from patchgate.emulator.ssm_command_state import Command

SCRIPT_LIMIT = timedelta(seconds=600)
POLL = timedelta(seconds=10)
DEFAULT_WAIT_SECONDS = 3600
RUNTIMES = ("python3.9", "python3.10", "python3.11")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_COMMAND_STATUS: Mapping[str, Status] = {"Success": "Success", "TimedOut": "TimedOut", "Cancelled": "Cancelled"}


class Actions(Component):
    """What each action does. Subclasses provide ``end_step`` and thereby go on."""

    def end_step(
        self, run: AutomationRun, step: StepRun, attempt: int, status: Status, failure: str = "", following: str = ""
    ) -> None:
        """End an attempt; ``following`` names the next step where the action decides that."""
        raise NotImplementedError

    def perform(self, run: AutomationRun, step: StepRun) -> None:
        """Begin the action of a step whose inputs are resolved. Raises AwsError, UnresolvedError or ValueError."""
        match step.step.action:
            case "aws:executeScript":
                self._begin_script(run, step)
            case "aws:branch":
                self._branch(run, step)
            case "aws:runCommand":
                self._run_command(run, step)
            case "aws:sleep":
                self.cloud.kernel.after(self._pause(step), self.end_step, run, step, step.attempt, "Success")
            case "aws:executeAwsApi":
                step.outputs |= declared_outputs(step.step.outputs, self._call(run, step))
                self.end_step(run, step, step.attempt, "Success")
            case "aws:assertAwsResourceProperty":
                self._assert(run, step)
            case "aws:waitForAwsResourceProperty":
                limit = step.step.timeout_seconds or DEFAULT_WAIT_SECONDS
                self.cloud.kernel.after(timedelta(seconds=limit), self.expire, run, step, step.attempt)
                self._wait(run, step, step.attempt)
            case other:
                raise NotEmulatedError(f"the action {other}")

    def expire(self, run: AutomationRun, step: StepRun, attempt: int) -> None:
        """The step's time is up."""
        if step.status == "InProgress" and step.attempt == attempt:
            self.interrupt(run, step, "the step timed out")
            self.end_step(run, step, attempt, "TimedOut", "The step has timed out.")

    def interrupt(self, run: AutomationRun, step: StepRun, reason: str) -> None:
        """Stop what a step has in flight, as far as that can be stopped."""
        if step.process is not None:
            step.process.kill(reason)
            step.process = None
        if step.command_id and not self._refusal(run, "CancelCommand"):
            commands = self.cloud.component(Commands)
            command = commands.commands(run.scope)[step.command_id]
            commands.cancel(command, list(command.invocations))

    # Scripts

    def _begin_script(self, run: AutomationRun, step: StepRun) -> None:
        inputs = step.inputs
        if inputs["Runtime"] not in RUNTIMES:
            raise NotEmulatedError(f"aws:executeScript with the runtime {inputs['Runtime']}")
        if inputs.get("Attachment"):
            raise NotEmulatedError("aws:executeScript with an attachment")
        if not run.assumed:
            raise AwsError("ValidationException", "aws:executeScript needs an assume role for the automation.")
        name = f"{run.execution_id}/{step.step.name}"
        self.cloud.kernel.after(SCRIPT_LIMIT, self.expire, run, step, step.attempt)
        step.process = self.cloud.kernel.spawn(name, partial(self._script, run, step, step.attempt))

    def _script(self, run: AutomationRun, step: StepRun, attempt: int) -> None:
        program = PythonProgram(
            str(step.inputs["Script"]),
            filename=f"{run.document}/{step.step.name}.py",
            environment={"AWS_REGION": run.scope.region, "AWS_DEFAULT_REGION": run.scope.region},
            clock=self.cloud.kernel,
            sdk=self.cloud.sdk,
            scope=run.scope,
        )
        context = {key: value for key, value in run.known(self.cloud.now).items() if ":" in key}
        try:
            payload = program.call(str(step.inputs["Handler"]), step.inputs.get("InputPayload") or {}, context)
            step.outputs["Payload"] = json.loads(json.dumps(payload))
            step.outputs |= declared_outputs(step.step.outputs, {"Payload": step.outputs["Payload"]})
        except ProcessKilled:
            return
        except BaseException as error:
            if not is_of_program(error):
                raise
            step.outputs.pop("Payload", None)
            failure = f"{type(error).__name__} - {error}"
        else:
            failure = ""
        step.process = None
        step.outputs["ExecutionLog"] = "\n".join(program.output)
        self.end_step(run, step, attempt, "Failed" if failure else "Success", failure)

    # Branches and pauses

    def _branch(self, run: AutomationRun, step: StepRun) -> None:
        for choice in step.inputs["Choices"]:
            condition = {key: value for key, value in choice.items() if key != "NextStep"}
            if holds(condition):
                self.end_step(run, step, step.attempt, "Success", following=str(choice["NextStep"]))
                return
        self.end_step(run, step, step.attempt, "Success", following=str(step.inputs.get("Default") or ""))

    def _pause(self, step: StepRun) -> timedelta:
        if "Timestamp" in step.inputs:
            return max(timedelta(0), instant(str(step.inputs["Timestamp"]), "Timestamp") - self.cloud.now)
        match = _DURATION.fullmatch(str(step.inputs["Duration"]))
        if not match or not any(match.groups()):
            raise ValueError(f"{step.inputs['Duration']!r} is not an ISO 8601 duration")
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

    # Commands

    def _run_command(self, run: AutomationRun, step: StepRun) -> None:
        request = dict(step.inputs)
        parameters = request.get("Parameters") or {}
        request["Parameters"] = {
            key: value if isinstance(value, list) else [str(value)] for key, value in parameters.items()
        }
        if "TimeoutSeconds" in request:
            request["TimeoutSeconds"] = int(request["TimeoutSeconds"])
        if run.scope.principal:
            self.cloud.authority.check(run.scope, "ssm", "SendCommand", request)
        listener = (self._command_ended, (run, step, step.attempt))
        step.command_id = self.cloud.component(Commands).send(run.scope, request, listener).command_id

    def _command_ended(self, run: AutomationRun, step: StepRun, attempt: int, command_id: str) -> None:
        if step.attempt != attempt or step.status != "InProgress":
            return
        command = self.cloud.component(Commands).commands(run.scope)[command_id]
        step.outputs |= {
            "CommandId": command_id,
            "Status": command.status,
            "ResponseCode": str(_worst_code(command)),
            "Output": "".join(item.output for item in command.invocations.values()),
        }
        status: Status = _COMMAND_STATUS.get(command.status, "Failed")
        failure = self._refusal(run, "ListCommands", "ListCommandInvocations")
        if failure:
            status = "Failed"
        elif status != "Success":
            errors = "".join(item.error for item in command.invocations.values()).strip()
            failure = (
                f"Command {command_id} ended with {{Status=[{command.status}], StatusDetails=[{command.details}], "
                f"ResponseCode=[{step.outputs['ResponseCode']}], Output=[{step.outputs['Output'].strip()} {errors}]}}"
            )
        self.end_step(run, step, attempt, status, failure)

    def _refusal(self, run: AutomationRun, *operations: str) -> str:
        """Why the execution's role may not make one of the calls with which a step follows its command, or nothing."""
        try:
            for operation in operations if run.scope.principal else ():
                self.cloud.authority.check(run.scope, "ssm", operation, {})
        except NotEmulatedError:
            raise
        except AwsError as error:
            return str(error)
        return ""

    # Calls of AWS APIs

    def _call(self, run: AutomationRun, step: StepRun) -> Any:
        given = {
            key: value
            for key, value in step.inputs.items()
            if key not in ("Service", "Api", "PropertySelector", "DesiredValues")
        }
        return plain(
            self.cloud.invoke(run.scope, str(step.inputs["Service"]), operation_name(step.inputs["Api"]), given)
        )

    def _assert(self, run: AutomationRun, step: StepRun) -> None:
        value = select(str(step.inputs["PropertySelector"]), self._call(run, step))
        if not _desired(step, value):
            raise UnresolvedError(f"{step.inputs['PropertySelector']} is {value!r}, not {step.inputs['DesiredValues']}")
        self.end_step(run, step, step.attempt, "Success")

    def _wait(self, run: AutomationRun, step: StepRun, attempt: int) -> None:
        if step.status != "InProgress" or step.attempt != attempt:
            return
        try:
            value = select(str(step.inputs["PropertySelector"]), self._call(run, step))
        except UnresolvedError:
            value = None
        except AwsError as error:
            self.end_step(run, step, attempt, "Failed", str(error))
            return
        if value is not None and _desired(step, value):
            self.end_step(run, step, attempt, "Success")
        else:
            self.cloud.kernel.after(POLL, self._wait, run, step, attempt)


def operation_name(api: Any) -> str:
    """The operation that a step's ``Api`` names, written like ``describe_instances`` or ``DescribeInstances``."""
    return "".join(word[:1].upper() + word[1:] for word in str(api).split("_"))


def resolve_inputs(run: AutomationRun, step: StepRun, known: Mapping[str, Any]) -> dict[str, Any]:
    """A step's inputs with their references resolved. A script's own text has none: in it they are not documented."""
    inputs = dict(step.step.inputs)
    script = inputs.pop("Script", None)
    resolved: dict[str, Any] = interpolate(inputs, known)
    if script is not None:
        if "{{" in script:
            raise NotEmulatedError(f"{{{{ in the script of step {step.step.name} of {run.document}")
        resolved["Script"] = script
    return resolved


def _worst_code(command: Command) -> int:
    codes = [item.code for item in command.invocations.values()]
    return next((code for code in codes if code), 0)


def _desired(step: StepRun, value: Any) -> bool:
    wanted = step.inputs["DesiredValues"]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text in [str(item) for item in (wanted if isinstance(wanted, list) else [wanted])]
