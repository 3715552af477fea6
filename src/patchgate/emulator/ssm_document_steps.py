"""The steps of Systems Manager documents: which actions and plugins exist, and what each takes.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from patchgate.emulator.ssm_automation_conditions import malformed
from patchgate.emulator.ssm_document_parameters import invalid_content

BUILT_IN_REFERENCES = frozenset(
    {"automation:EXECUTION_ID", "global:DATE", "global:DATE_TIME", "global:REGION", "global:ACCOUNT_ID"}
)
OUTPUT_TYPES = frozenset({"String", "StringList", "Integer", "Boolean", "StringMap", "MapList"})

_STEP_NAME = re.compile(r"[A-Za-z0-9_]{3,128}")
_COMMAND_STEP_KEYS = frozenset({"action", "name", "inputs", "precondition", "timeoutSeconds", "maxAttempts"})
_SHARED_INPUTS = frozenset({"onFailure", "onSuccess", "finallyStep"})
_SCRIPT_INPUTS = frozenset({"runCommand", "timeoutSeconds", "workingDirectory"}) | _SHARED_INPUTS
_PLUGIN_INPUTS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "aws:runShellScript": (frozenset({"runCommand"}), _SCRIPT_INPUTS),
    "aws:runPowerShellScript": (frozenset({"runCommand"}), _SCRIPT_INPUTS),
    "aws:runDocument": (
        frozenset({"documentType", "documentPath"}),
        frozenset({"documentType", "documentPath", "documentParameters"}) | _SHARED_INPUTS,
    ),
}
PLUGINS = frozenset(
    {
        "aws:applications",
        "aws:cloudWatch",
        "aws:configureDocker",
        "aws:configurePackage",
        "aws:domainJoin",
        "aws:downloadContent",
        "aws:psModule",
        "aws:refreshAssociation",
        "aws:runDocker",
        "aws:softwareInventory",
        "aws:updateAgent",
        "aws:updateSsmAgent",
        *_PLUGIN_INPUTS,
    }
)
_AUTOMATION_STEP_KEYS = frozenset(
    {
        "name",
        "action",
        "description",
        "inputs",
        "outputs",
        "onFailure",
        "onCancel",
        "isCritical",
        "isEnd",
        "nextStep",
        "timeoutSeconds",
        "maxAttempts",
    }
)
_ACTION_INPUTS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "aws:executeScript": (
        frozenset({"Runtime", "Handler", "Script"}),
        frozenset({"Runtime", "Handler", "Script", "InputPayload", "Attachment"}),
    ),
    "aws:branch": (frozenset({"Choices"}), frozenset({"Choices", "Default"})),
    "aws:runCommand": (
        frozenset({"DocumentName"}),
        frozenset(
            {
                "DocumentName",
                "DocumentVersion",
                "InstanceIds",
                "Targets",
                "Parameters",
                "CloudWatchOutputConfig",
                "Comment",
                "DocumentHash",
                "DocumentHashType",
                "NotificationConfig",
                "OutputS3BucketName",
                "OutputS3KeyPrefix",
                "ServiceRoleArn",
                "TimeoutSeconds",
                "MaxConcurrency",
                "MaxErrors",
            }
        ),
    ),
    "aws:sleep": (frozenset(), frozenset({"Duration", "Timestamp"})),
}
_API_ACTIONS = {
    "aws:executeAwsApi": frozenset({"Service", "Api"}),
    "aws:waitForAwsResourceProperty": frozenset({"Service", "Api", "PropertySelector", "DesiredValues"}),
    "aws:assertAwsResourceProperty": frozenset({"Service", "Api", "PropertySelector", "DesiredValues"}),
}
_BUILT_IN_OUTPUTS: dict[str, frozenset[str]] = {
    "aws:executeScript": frozenset({"Payload", "ExecutionLog"}),
    "aws:runCommand": frozenset({"CommandId", "Status", "ResponseCode", "Output"}),
}
EMULATED_ACTIONS = frozenset({*_ACTION_INPUTS, *_API_ACTIONS})
ACTIONS = EMULATED_ACTIONS | frozenset(
    {
        "aws:approve",
        "aws:changeInstanceState",
        "aws:copyImage",
        "aws:createImage",
        "aws:createStack",
        "aws:createTags",
        "aws:deleteImage",
        "aws:deleteStack",
        "aws:executeAutomation",
        "aws:executeStateMachine",
        "aws:invokeLambdaFunction",
        "aws:invokeWebhook",
        "aws:loop",
        "aws:pause",
        "aws:runInstances",
        "aws:updateVariable",
    }
)


@dataclass(frozen=True, slots=True)
class Output:
    """One declared output of a step: where it is taken from the answer, and what type it has."""

    name: str
    selector: str
    type: str = "String"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a runbook or of a command document (which uses name, action, inputs and platform only)."""

    name: str
    action: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    on_failure: str = "Abort"
    on_cancel: str = "Abort"
    is_critical: bool = True
    is_end: bool = False
    next_step: str = ""
    timeout_seconds: int | None = None
    maximum_attempts: int = 1
    platform: str = ""
    """The platformType that a command step's precondition asks for, or empty."""

    @property
    def built_in_outputs(self) -> frozenset[str]:
        return _BUILT_IN_OUTPUTS.get(self.action, frozenset()) | {"Output", "OutputPayload"}


def check_command_step(raw: Mapping[str, Any]) -> Step:
    """One step of a Command document, schema version 2.2; raises AwsError InvalidDocumentContent."""
    name, action = _name_and_action(raw, PLUGINS)
    _check_keys(name, raw, _COMMAND_STEP_KEYS)
    inputs = _inputs(name, raw)
    if action in _PLUGIN_INPUTS:
        needed, known = _PLUGIN_INPUTS[action]
        _check_inputs(name, inputs, needed, known)
        script = inputs.get("runCommand")
        if script is not None and not _is_script(script):
            raise invalid_content(f"runCommand of step {name} must be a list of strings")
        if inputs.get("documentType", "SSMDocument") not in ("SSMDocument", "LocalPath"):
            raise invalid_content(f"documentType of step {name} is SSMDocument or LocalPath")
    if inputs.get("onFailure") not in (None, "exit", "successAndExit") or inputs.get("onSuccess") not in (None, "exit"):
        raise invalid_content(f"onFailure of step {name} is exit or successAndExit, its onSuccess exit")
    return Step(name, action, inputs, platform=_platform(name, raw.get("precondition")))


def parse_automation_steps(raw: list[Mapping[str, Any]]) -> list[Step]:
    """The steps of a runbook; raises AwsError InvalidDocumentContent."""
    steps = [_automation_step(step) for step in raw]
    names = {step.name for step in steps}
    for step in steps:
        for target in _targets(step):
            if target not in names:
                raise invalid_content(f"Step {step.name} goes on to {target}, which does not exist")
    return steps


def branch_targets(step: Step) -> list[str]:
    """The steps that an aws:branch may go on to."""
    choices = [str(choice.get("NextStep", "")) for choice in step.inputs["Choices"]]
    return choices + ([str(step.inputs["Default"])] if "Default" in step.inputs else [])


def _automation_step(raw: Mapping[str, Any]) -> Step:
    name, action = _name_and_action(raw, ACTIONS)
    _check_keys(name, raw, _AUTOMATION_STEP_KEYS)
    inputs = _inputs(name, raw)
    if action in _ACTION_INPUTS:
        _check_inputs(name, inputs, *_ACTION_INPUTS[action])
    elif action in _API_ACTIONS:
        _check_inputs(name, inputs, _API_ACTIONS[action], None)
    if action == "aws:branch":
        _check_choices(name, inputs["Choices"])
    if action == "aws:sleep" and len(inputs) != 1:
        raise invalid_content(f"Step {name} needs either Duration or Timestamp")
    on_failure = _flow(name, raw, "onFailure", ("Abort", "Continue"))
    is_end = _flag(name, raw, "isEnd", default=False)
    if is_end and raw.get("nextStep"):
        raise invalid_content(f"Step {name} has both isEnd and nextStep")
    return Step(
        name,
        action,
        inputs,
        outputs=_outputs(name, raw.get("outputs", [])),
        on_failure=on_failure,
        on_cancel=_flow(name, raw, "onCancel", ("Abort",)),
        is_critical=_flag(name, raw, "isCritical", default=on_failure != "Continue"),
        is_end=is_end,
        next_step=str(raw.get("nextStep", "")),
        timeout_seconds=_positive(name, raw, "timeoutSeconds"),
        maximum_attempts=_positive(name, raw, "maxAttempts") or 1,
    )


def _name_and_action(raw: Mapping[str, Any], known: frozenset[str]) -> tuple[str, str]:
    name, action = raw.get("name"), raw.get("action")
    if not isinstance(name, str) or not _STEP_NAME.fullmatch(name):
        raise invalid_content(f"{name!r} is not a step name")
    if action not in known:
        raise invalid_content(f"Step {name} has the unknown action {action!r}")
    return name, str(action)


def _check_keys(name: str, raw: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(str(key) for key in raw if key not in known)
    if unknown:
        raise invalid_content(f"Step {name} has unknown properties: {', '.join(unknown)}")


def _inputs(name: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    inputs = raw.get("inputs", {})
    if not isinstance(inputs, dict):
        raise invalid_content(f"inputs of step {name} must be a map")
    return inputs


def _check_inputs(name: str, inputs: Mapping[str, Any], needed: frozenset[str], known: frozenset[str] | None) -> None:
    missing = sorted(needed - set(inputs))
    unknown = sorted(set(inputs) - known) if known is not None else []
    if missing:
        raise invalid_content(f"Step {name} lacks the inputs {', '.join(missing)}")
    if unknown:
        raise invalid_content(f"Step {name} has unknown inputs: {', '.join(unknown)}")


def _is_script(script: Any) -> bool:
    return isinstance(script, str) or (isinstance(script, list) and all(isinstance(line, str) for line in script))


def _platform(name: str, precondition: Any) -> str:
    if precondition is None:
        return ""
    operands = precondition.get("StringEquals") if isinstance(precondition, dict) and len(precondition) == 1 else None
    if not isinstance(operands, list) or len(operands) != 2 or operands[0] != "platformType":
        raise invalid_content(f"The precondition of step {name} must be StringEquals of platformType and a value")
    if operands[1] not in ("Linux", "Windows", "MacOS"):
        raise invalid_content(f"The precondition of step {name} names the unknown platform {operands[1]!r}")
    return str(operands[1])


def _targets(step: Step) -> list[str]:
    targets = [flow[5:] for flow in (step.on_failure, step.on_cancel) if flow.startswith("step:")]
    if step.next_step:
        targets.append(step.next_step)
    return targets + (branch_targets(step) if step.action == "aws:branch" else [])


def _check_choices(name: str, choices: Any) -> None:
    if not isinstance(choices, list) or not choices or not all(isinstance(choice, dict) for choice in choices):
        raise invalid_content(f"Choices of step {name} must be a list of at least one choice")
    for choice in choices:
        if not isinstance(choice.get("NextStep"), str):
            raise invalid_content(f"A choice of step {name} has no NextStep")
        problem = malformed({key: value for key, value in choice.items() if key != "NextStep"})
        if problem:
            raise invalid_content(f"A choice of step {name} is not valid: {problem}")


def _flow(name: str, raw: Mapping[str, Any], key: str, words: tuple[str, ...]) -> str:
    value = raw.get(key, "Abort")
    if not isinstance(value, str) or (value not in words and not re.fullmatch(r"step:\w{3,128}", value)):
        raise invalid_content(f"{key} of step {name} is one of {', '.join(words)} or step:NAME")
    return value


def _flag(name: str, raw: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = raw.get(key, default)
    if not isinstance(value, bool):
        raise invalid_content(f"{key} of step {name} must be true or false")
    return value


def _positive(name: str, raw: Mapping[str, Any], key: str) -> int | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise invalid_content(f"{key} of step {name} must be a positive integer")
    return value


def _outputs(name: str, raw: Any) -> tuple[Output, ...]:
    if not isinstance(raw, list):
        raise invalid_content(f"outputs of step {name} must be a list")
    outputs = []
    for item in raw:
        if (
            not isinstance(item, dict)
            or set(item) - {"Name", "Selector", "Type"}
            or not {"Name", "Selector"} <= set(item)
        ):
            raise invalid_content(f"An output of step {name} needs Name and Selector")
        output = Output(str(item["Name"]), str(item["Selector"]), str(item.get("Type", "String")))
        if output.type not in OUTPUT_TYPES:
            raise invalid_content(f"Output {output.name} of step {name} has the unknown type {output.type}")
        if not output.selector.startswith("$"):
            raise invalid_content(f"Output {output.name} of step {name} has a Selector that is no JSONPath")
        outputs.append(output)
    return tuple(outputs)
