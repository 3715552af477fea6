"""A fleet as files: templates, parameters, scripts; a sceptre project where its stacks are plain ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from patchgate.operations.export.files import (
    ExportedFile,
    as_parameter_file,
    parameters_of,
    parameters_path,
    template_path,
)
from patchgate.operations.export.powershell import build_powershell
from patchgate.operations.export.quick_create import build_links
from patchgate.operations.export.sceptre import build_project
from patchgate.operations.export.script import build_script
from patchgate.operations.export.stack_sets import SetFiles, build_set

if TYPE_CHECKING:
    from patchgate.operations.export.stacks import Exported, ExportedWave
    from patchgate.operations.rollout.steps import SetAdministration


def build_files(exported: Exported, template_url: str = "") -> list[ExportedFile]:
    """Every file of the export, each once; ``template_url``: also quick-create links to templates that are there."""
    return list({file.path: file for file in _files(exported, template_url)}.values())


def _files(exported: Exported, template_url: str) -> Iterator[ExportedFile]:
    for stack in exported.stacks:
        yield ExportedFile(template_path(stack), stack.body)
    for wave in exported.waves:
        for stack in wave.plain:
            if stack.parameters:
                yield ExportedFile(parameters_path(stack), as_parameter_file(parameters_of(stack)))
    sets = tuple(_sets(wave, exported.administration) for wave in exported.waves)
    for of_wave in sets:
        for one in of_wave:
            yield one.definition
            yield from one.instances
    yield ExportedFile("deploy.sh", build_script(exported, sets), program=True)
    yield ExportedFile("deploy.ps1", build_powershell(exported, sets))
    if exported.administration is None:
        yield from build_project(exported)
    if template_url:
        yield build_links(exported, template_url)


def _sets(wave: ExportedWave, administration: SetAdministration | None) -> tuple[SetFiles, ...]:
    if administration is None:
        return ()
    buckets = {name: each.key for each in wave.plain if each.stage == "logs" for name in each.lanes}
    return tuple(build_set(members, administration, buckets[members[0].lanes[0]]) for members in wave.sets)
