"""The agents: each takes a command document from Run Command and carries it out on its machine, step by step.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html

Assumptions: a script takes one second; a step whose precondition does not hold counts as successful; steps after one
that ends the document were never started.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from patchgate.emulator.agent.patching import Patching, PatchOperation
from patchgate.emulator.agent.powershell import run_powershell
from patchgate.emulator.agent.script import ScriptResult, UnsupportedScriptError
from patchgate.emulator.agent.shell import run_shell
from patchgate.emulator.cloud import Component, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_document_content import substitute
from patchgate.emulator.ssm_document_parameters import bind_parameters
from patchgate.emulator.ssm_documents import Documents
from patchgate.emulator.ssm_owned_documents import PATCH_TIMEOUT_SECONDS, RUN_PATCH_BASELINE

if TYPE_CHECKING:
    from patchgate.emulator.ec2_resources import Instance
    from patchgate.emulator.ssm_document_steps import Step

SCRIPT_TIME = timedelta(seconds=1)
DEFAULT_TIMEOUT_SECONDS = 3600
PluginStatus = Literal["Pending", "InProgress", "Success", "Failed"]


@dataclass(slots=True)
class PluginResult:
    """What one step of a command came to on one node. ``code`` is -1 while there is none."""

    name: str
    action: str
    status: PluginStatus = "Pending"
    code: int = -1
    output: str = ""
    error: str = ""
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(slots=True)
class Run:
    """One command document on one node. ``done`` is called with the run when every step has its result."""

    scope: Scope
    command_id: str
    instance_id: str
    document: str
    steps: tuple[Step, ...]
    parameters: Mapping[str, Any]
    done: tuple[Callable[..., None], tuple[Any, ...]]
    results: list[PluginResult] = field(default_factory=list)
    index: int = 0
    boot: datetime | None = None
    leaving: bool = False

    @property
    def status(self) -> Literal["Success", "Failed"]:
        return "Failed" if any(result.status == "Failed" for result in self.results) else "Success"

    @property
    def code(self) -> int:
        """The first failed step's exit code, else the last one's."""
        codes = [result.code for result in self.results if result.status != "Pending"]
        return next((code for code in codes if code), 0)


def execution_seconds(steps: tuple[Step, ...], parameters: Mapping[str, Any]) -> int:
    """How long Systems Manager waits for a delivered command: the sum of its steps' own timeouts."""
    total = 0
    for step in steps:
        if step.action == "aws:runDocument":
            total += PATCH_TIMEOUT_SECONDS
        else:
            total += int(substitute(step.inputs.get("timeoutSeconds", DEFAULT_TIMEOUT_SECONDS), parameters))
    return total


class Agents(Component):
    """The agents of every machine."""

    service: ClassVar[str] = "ssm"

    def start(self, run: Run) -> None:
        """Begin the first step now. A machine that goes away in the middle never reports."""
        run.boot = self.cloud.component(Patching).boot_of(self._instance(run))
        run.results = [PluginResult(step.name, step.action) for step in run.steps]
        self._next(run)

    def _next(self, run: Run) -> None:
        instance = self._instance(run)
        if instance.state != "running" or self.cloud.component(Patching).boot_of(instance) != run.boot:
            return
        if run.index == len(run.steps):
            callback, arguments = run.done
            callback(*arguments, run)
            return
        step, result = run.steps[run.index], run.results[run.index]
        if run.leaving and not step.inputs.get("finallyStep"):
            run.index += 1
            self._next(run)
            return
        result.started, result.status = self.cloud.now, "InProgress"
        if step.platform and step.platform != instance.spec.platform_type:
            skipped = f"Step execution skipped due to unsatisfied preconditions: platformType is not {step.platform}."
            self._finish(run, ScriptResult(output=[skipped]))
            return
        try:
            self._begin(run, step, instance)
        except (AwsError, UnsupportedScriptError) as error:
            self._finish(run, ScriptResult(code=1, error=[str(error)]))

    def _begin(self, run: Run, step: Step, instance: Instance) -> None:
        inputs = substitute(dict(step.inputs), run.parameters)
        if run.document == RUN_PATCH_BASELINE:
            self._patch(run, run.parameters)
        elif step.action == "aws:runDocument":
            self._run_document(run, inputs)
        elif step.action in ("aws:runShellScript", "aws:runPowerShellScript"):
            if inputs.get("workingDirectory"):
                raise NotEmulatedError(f"{step.action} in a working directory")
            lines = inputs["runCommand"] if isinstance(inputs["runCommand"], list) else [inputs["runCommand"]]
            shell = run_shell if step.action == "aws:runShellScript" else run_powershell
            clock = self.cloud.now + timedelta(seconds=instance.spec.agent.clock_skew_seconds)
            self.cloud.kernel.after(SCRIPT_TIME, self._finish, run, shell(lines, int(clock.timestamp())))
        else:
            raise NotEmulatedError(f"the plugin {step.action}")

    def _run_document(self, run: Run, inputs: Mapping[str, Any]) -> None:
        if inputs["documentType"] != "SSMDocument" or inputs["documentPath"] != RUN_PATCH_BASELINE:
            raise NotEmulatedError(f"aws:runDocument of {inputs['documentType']} {inputs['documentPath']}")
        content = self.cloud.component(Documents).content(run.scope, RUN_PATCH_BASELINE, None, "Command")[2]
        raw = inputs.get("documentParameters") or {}
        given = {key: value if isinstance(value, list) else [str(value)] for key, value in raw.items()}
        self._patch(run, bind_parameters(content.parameters, given, "InvalidParameters"))

    def _patch(self, run: Run, parameters: Mapping[str, Any]) -> None:
        for name in ("InstallOverrideList", "BaselineOverride"):
            if parameters[name]:
                raise NotEmulatedError(f"{RUN_PATCH_BASELINE} with {name}")
        assert run.boot is not None  # noqa: S101 - start() set it
        self.cloud.component(Patching).start(
            PatchOperation(
                run.scope,
                run.instance_id,
                run.command_id,
                parameters["Operation"],
                parameters["RebootOption"],
                parameters["SnapshotId"],
                (self._patched, (run,)),
                self.cloud.now,
                run.boot,
            )
        )

    def _patched(self, run: Run, code: int, output: list[str], alive: bool) -> None:  # noqa: FBT001 - a callback
        if alive:
            run.boot = self.cloud.component(Patching).boot_of(self._instance(run))
            self._finish(run, ScriptResult(code, list(output)))

    def _finish(self, run: Run, script: ScriptResult) -> None:
        step, result = run.steps[run.index], run.results[run.index]
        result.ended, result.code = self.cloud.now, script.code
        result.output, result.error = _text(script.output), _text(script.error)
        result.status = "Failed" if script.code else "Success"
        if script.code and step.inputs.get("onFailure") in ("exit", "successAndExit"):
            run.leaving = True
            if step.inputs["onFailure"] == "successAndExit":
                result.status, result.code = "Success", 0
        elif not script.code and step.inputs.get("onSuccess") == "exit":
            run.leaving = True
        run.index += 1
        self._next(run)

    def _instance(self, run: Run) -> Instance:
        return self.cloud.component(Ec2).instance(run.scope, run.instance_id)


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
