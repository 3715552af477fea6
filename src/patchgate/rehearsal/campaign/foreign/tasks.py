"""Which tasks of maintenance windows end in an install: AWS-RunPatchBaseline with the operation Install, at once or
through documents and runbooks of the templates' own.

What cannot be told before a run counts as an install: a lane too many shows, one too few is never judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from patchgate.emulator.errors import AwsError
from patchgate.emulator.ssm_documents import RESERVED_PREFIXES
from patchgate.errors import InputError
from patchgate.rehearsal.campaign.foreign.deployed import Deployed

PATCH_BASELINE = "AWS-RunPatchBaseline"
OTHERS = ("AWS-RunShellScript", "AWS-RunPowerShellScript")
"""What else AWS owns that the embedded AWS runs: no script that it understands installs anything."""
_KNOWN = f"documents of the templates' own, {PATCH_BASELINE}, {' and '.join(OTHERS)} are known"
_INVOCATION = {"RUN_COMMAND": "RunCommand", "AUTOMATION": "Automation"}
_REFERENCE = re.compile(r"\{\{\s*([A-Za-z0-9_.:-]+)\s*\}\}")
_CALLS = ("SendCommand", "StartAutomationExecution")
_SENDS = ("send_command", "start_automation_execution", "RunPatchBaseline", *_CALLS)


class _UnknownDocumentError(Exception):
    """A document of which nothing is known; the text names it."""


def is_install(deployed: Deployed, task: Mapping[str, Any]) -> bool:
    """Whether a task, as GetMaintenanceWindowTask tells it, ends in an install.

    InputError when it runs a document that nobody knows, with the name of the window.
    """
    try:
        return _is_install(deployed, task)
    except _UnknownDocumentError as error:
        window = deployed.ask("ssm", "GetMaintenanceWindow", WindowId=task["WindowId"])["Name"]
        raise InputError(f"the maintenance window {window} runs {error}", remedy=_KNOWN) from None


def _is_install(deployed: Deployed, task: Mapping[str, Any]) -> bool:
    given = (task.get("TaskInvocationParameters") or {}).get(_INVOCATION.get(task["TaskType"], "")) or {}
    version = str(given.get("DocumentVersion") or "")
    return _installs(deployed, task["TaskArn"], given.get("Parameters") or {}, version, ())


def _installs(deployed: Deployed, named: str, given: Mapping[str, Any], version: str, above: tuple[str, ...]) -> bool:
    name = named.rsplit("/", 1)[-1]
    if name == PATCH_BASELINE:
        return any(value == "Install" or "{{" in value for value in _texts(given.get("Operation")))
    if name in OTHERS or name in above:
        return False
    if "{{" in name:
        return True
    try:
        content = deployed.document(name, version)
    except AwsError as error:
        why = (
            "AWS owns it, and the embedded AWS has it not"
            if name.casefold().startswith(RESERVED_PREFIXES)
            else error.code
        )
        through = f", through {' and '.join(above)}" if above else ""
        raise _UnknownDocumentError(
            f"the document {name}{through}, and nobody can tell whether that installs: {why}"
        ) from None
    declared = content.get("parameters") or {}
    known = {key: value["default"] for key, value in declared.items() if "default" in value} | dict(given)
    steps = [*(content.get("mainSteps") or ()), *_first_steps(content)]
    return any(_step_installs(deployed, _filled(step, known), (*above, name)) for step in steps)


def _first_steps(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The steps of a command document of schema 1.2, in the form of the later ones."""
    for action, settings in (content.get("runtimeConfig") or {}).items():
        for inputs in settings.get("properties") or ():
            yield {"action": action, "inputs": inputs}


def _step_installs(deployed: Deployed, step: Mapping[str, Any], above: tuple[str, ...]) -> bool:
    inputs = step.get("inputs") or {}
    named: tuple[str, Any] = ("", {})
    match step.get("action"):
        case "aws:runCommand":
            named = str(inputs.get("DocumentName", "")), inputs.get("Parameters")
        case "aws:runDocument":
            named = str(inputs.get("documentPath", "")), inputs.get("documentParameters")
        case "aws:executeAwsApi" if inputs.get("Api") in _CALLS:
            named = str(inputs.get("DocumentName", "")), inputs.get("Parameters")
        case "aws:executeScript":
            text = json.dumps(inputs, default=str)
            return "install" in text.casefold() and any(word in text for word in _SENDS)
    document, parameters = named
    if not document:
        return False
    if isinstance(parameters, str):
        return True
    return _installs(deployed, document, parameters or {}, str(inputs.get("DocumentVersion") or ""), above)


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    """A value with the parameters that are known put in; references to what a run brings stay."""
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value.strip())
        if whole is not None:
            found = known.get(whole[1], value)
            return found[0] if isinstance(found, list | tuple) and len(found) == 1 else found
        return _REFERENCE.sub(lambda match: ",".join(_texts(known.get(match[1], match[0]))), value)
    if isinstance(value, Mapping):
        return {key: _filled(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, known) for each in value]
    return value
