"""Files of an export: their paths, and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from patchgate.operations.rollout.desired import LOGS_TEMPLATE
from patchgate.operations.rollout.facts import digest_template

if TYPE_CHECKING:
    from patchgate.operations.rollout.desired import DesiredStack

BUCKET = "@LogBucket@"
"""Stands for the log bucket's name in parameters: AWS chooses it."""

BUCKET_PARAMETER = "S3Bucket"
_TEMPLATES = {
    "logs": LOGS_TEMPLATE,
    "patch": "aws-backup-and-patch-stackset",
    "monitoring": "aws-monitoring-backup-stackset",
}


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file: its path below the directory, with slashes, and its text; ``program``: it can be run."""

    path: str
    text: str
    program: bool = False


def template_path(stack: DesiredStack) -> str:
    """Where the stack's template is; freeze calendars differ, and are named by their digest."""
    if stack.stage == "freezes":
        return f"templates/{stack.name}-{digest_template(stack.body)[:8]}.json"
    return f"templates/{_TEMPLATES[stack.stage]}.yaml"


def parameters_path(stack: DesiredStack) -> str:
    """Where the parameters of a plain stack are."""
    return f"parameters/{stack.account}/{stack.region}/{stack.name}.json"


def parameters_of(stack: DesiredStack) -> dict[str, str]:
    """The stack's parameters, with ``BUCKET`` where only its deployment knows the log bucket."""
    return dict(stack.parameters) | ({BUCKET_PARAMETER: BUCKET} if stack.bucket_of else {})


def pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Parameters as CloudFormation takes them."""
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in sorted(values.items())]


def tags_of(stack: DesiredStack) -> list[dict[str, str]]:
    """Tags as CloudFormation takes them."""
    return [{"Key": name, "Value": value} for name, value in sorted(stack.tags.items())]


def as_parameter_file(values: Mapping[str, str]) -> str:
    """Parameters as a file that CloudFormation's calls take, one on a line: the script reads it by lines."""
    return "[\n" + ",\n".join(f"  {json.dumps(each)}" for each in pairs(values)) + "\n]\n"


def as_json(value: object) -> str:
    """JSON as people read it, ended by a line feed."""
    return json.dumps(value, indent=2) + "\n"
