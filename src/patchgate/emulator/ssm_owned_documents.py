"""The documents that AWS owns and that the embedded AWS knows by name.

Their parameters are AWS's; the scripts inside AWS-RunPatchBaseline are not reproduced: the agent carries the operation
out itself. https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-ssm-documents.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RUN_PATCH_BASELINE = "AWS-RunPatchBaseline"
PATCH_TIMEOUT_SECONDS = 7200
"""The execution timeout that AWS-RunPatchBaseline gives to its own scripts."""


def _script_document(shell: str, description: str, platform: str) -> dict[str, Any]:
    return {
        "schemaVersion": "2.2",
        "description": description,
        "parameters": {
            "commands": {"type": "StringList", "description": "(Required) The commands to run."},
            "workingDirectory": {"type": "String", "default": "", "description": "(Optional) The working directory."},
            "executionTimeout": {
                "type": "String",
                "default": "3600",
                "description": "(Optional) The time in seconds for a command to complete before it fails.",
                "allowedPattern": "([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800)",
            },
        },
        "mainSteps": [
            {
                "action": f"aws:run{shell}Script",
                "name": f"run{shell}Script",
                "precondition": {"StringEquals": ["platformType", platform]},
                "inputs": {
                    "runCommand": "{{ commands }}",
                    "workingDirectory": "{{ workingDirectory }}",
                    "timeoutSeconds": "{{ executionTimeout }}",
                },
            }
        ],
    }


_PATCH_PARAMETERS: dict[str, Any] = {
    "Operation": {
        "type": "String",
        "description": "(Required) The update or configuration to perform on the instance.",
        "allowedValues": ["Scan", "Install"],
    },
    "AssociationId": {"type": "String", "default": "", "description": "(Optional) The ID of an existing association."},
    "SnapshotId": {
        "type": "String",
        "default": "",
        "description": "(Optional) The snapshot ID to use to retrieve a patch baseline snapshot.",
        "allowedPattern": "(^$)|^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    },
    "InstallOverrideList": {
        "type": "String",
        "default": "",
        "description": "(Optional) A URL or an S3 path to the list of patches to be installed.",
        "allowedPattern": "(^$)|^https://.+$|^s3://([^/]+)/(.*?([^/]+))$",
    },
    "BaselineOverride": {
        "type": "String",
        "default": "",
        "description": "(Optional) A URL to a file which contains a set of patch baselines.",
        "allowedPattern": "(^$)|^https://.+$|^s3://([^/]+)/(.*?([^/]+))$",
    },
    "RebootOption": {
        "type": "String",
        "default": "RebootIfNeeded",
        "description": "(Optional) Reboot behavior after a patch Install operation.",
        "allowedValues": ["RebootIfNeeded", "NoReboot"],
    },
}


def _patch_step(name: str, action: str, platform: str) -> dict[str, Any]:
    return {
        "action": action,
        "name": name,
        "precondition": {"StringEquals": ["platformType", platform]},
        "inputs": {
            "timeoutSeconds": str(PATCH_TIMEOUT_SECONDS),
            "runCommand": [f"{RUN_PATCH_BASELINE} {{{{ Operation }}}}"],
        },
    }


OWNED_DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    RUN_PATCH_BASELINE: {
        "schemaVersion": "2.2",
        "description": "Scans for or installs patches from a patch baseline to a Linux or Windows operating system.",
        "parameters": _PATCH_PARAMETERS,
        "mainSteps": [
            _patch_step("PatchWindows", "aws:runPowerShellScript", "Windows"),
            _patch_step("PatchLinux", "aws:runShellScript", "Linux"),
        ],
    },
    "AWS-RunShellScript": _script_document("Shell", "Run a shell script or specify the commands to run.", "Linux"),
    "AWS-RunPowerShellScript": _script_document(
        "PowerShell", "Run a PowerShell script or specify the paths to scripts to run.", "Windows"
    ),
}
