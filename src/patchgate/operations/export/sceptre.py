"""The stacks as a sceptre project: one file each below ``config/``, wired by the outputs of the log buckets' stacks.

https://docs.sceptre-project.org/latest/docs/stack_config.html

The stack of a log bucket is named by sceptre's own rule, project code and path joined by hyphens: ``!stack_output``
knows no other names. Values stand in JSON, which is YAML, and in Jinja's ``raw``: nothing in them is read as anything
else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from patchgate.domain.regions import region as find_region
from patchgate.operations.export.files import BUCKET, ExportedFile, parameters_of, template_path

if TYPE_CHECKING:
    from patchgate.operations.export.stacks import Exported
    from patchgate.operations.rollout.desired import DesiredStack
    from patchgate.operations.rollout.facts import StackKey

_CODE = "patchgate"
_LOGS = f"{_CODE}-logs-"
_PROJECT = f"project_code: {_CODE}\nregion: {{region}}\n"


def build_project(exported: Exported) -> Iterator[ExportedFile]:
    """The project's files; its templates are those of the export."""
    stacks = list(exported.stacks)
    yield ExportedFile("config/config.yaml", _PROJECT.format(region=stacks[0].region))
    paths = {stack.key: _path(wave.environment, stack) for wave in exported.waves for stack in wave.plain}
    for stack in stacks:
        yield ExportedFile(f"config/{paths[stack.key]}", "".join(_lines(stack, paths, exported)))


def _path(environment: str, stack: DesiredStack) -> str:
    if stack.stage == "logs":
        return f"logs/{stack.name.removeprefix(_LOGS)}.yaml"
    return f"{environment}/{stack.account}/{stack.region}/{stack.name}.yaml"


def _lines(stack: DesiredStack, paths: dict[StackKey, str], exported: Exported) -> Iterator[str]:
    role = (
        f"arn:{find_region(stack.region).partition}:iam::{stack.account}:role/{exported.fleet.deployment.member_role}"
    )
    template = template_path(stack).removeprefix("templates/")
    yield f"template: {{path: {json.dumps(template)}, type: file}}\n"
    yield f"stack_name: {stack.name}\n"
    yield f"region: {stack.region}\n"
    yield f'{{% if var.own != "{stack.account}" %}}\nsceptre_role: {role}\n{{% endif %}}\n'
    if needed := _needed(stack, exported):
        yield "dependencies:\n"
        yield from (f"  - {paths[key]}\n" for key in needed)
    yield "{% raw %}\n"
    if stack.tags:
        yield "stack_tags:\n"
        yield from (f"  {json.dumps(name)}: {_text(value)}\n" for name, value in sorted(stack.tags.items()))
    parameters = parameters_of(stack)
    if parameters:
        yield "parameters:\n"
        for name, value in sorted(parameters.items()):
            if value == BUCKET and stack.bucket_of is not None:
                yield f"  {name}: !stack_output {paths[stack.bucket_of]}::BucketName\n"
            else:
                yield f"  {name}: {_text(value)}\n"
    yield "{% endraw %}\n"


def _needed(stack: DesiredStack, exported: Exported) -> list[StackKey]:
    """The gate comes after the window, and both after the calendar that they read."""
    before = {"monitoring": ("freezes", "patch"), "patch": ("freezes",)}.get(stack.stage, ())
    return [each.key for each in exported.stacks if each.stage in before and each.lanes == stack.lanes]


def _text(value: str) -> str:
    """A value as a quoted YAML string; Jinja's end of ``raw`` cannot stand in it as it is."""
    return json.dumps(value).replace("{%", "\\u007b%")
