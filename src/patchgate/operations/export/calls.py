"""What the scripts of an export call, in its order, whatever the shell they are written for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from patchgate.operations.export.files import parameters_path, template_path

if TYPE_CHECKING:
    from patchgate.operations.export.stack_sets import SetFiles
    from patchgate.operations.export.stacks import Exported
    from patchgate.operations.rollout.desired import DesiredStack


@dataclass(frozen=True, slots=True)
class Call:
    """One call, and what it is given.

    ``wave``: from here on it is the environment of that name. ``stack``: deploys ``words``, account, Region, name,
    template and parameters ('' without), with the tags ``further``. ``bucket``: the log bucket of the stack with that
    account, Region and name is the one of all that follows. ``set``: the stack set of that name, template and
    definition, with the files of its instances ``further``.
    """

    kind: Literal["wave", "stack", "bucket", "set"]
    words: tuple[str, ...]
    further: tuple[str, ...] = ()


def list_calls(exported: Exported, sets: tuple[tuple[SetFiles, ...], ...]) -> Iterator[Call]:
    """Every call; ``sets`` are the files of the stack sets of every wave."""
    for wave, of_wave in zip(exported.waves, sets, strict=True):
        yield Call("wave", (wave.environment,))
        logs = [each for each in wave.plain if each.stage == "logs"]
        for log in logs:
            yield _stack(log)
            others = [each for each in wave.plain if each.stage != "logs" and _bucket_of(each, logs) == log.key]
            mine = [each for each in of_wave if each.bucket_of == log.key]
            yield Call("bucket", log.key)
            yield from (_stack(each) for each in others if each.stage == "freezes")
            yield from (_set(each) for each in mine if each.stage == "freezes")
            for stage in ("patch", "monitoring"):
                yield from (_stack(each) for each in others if each.stage == stage)
                yield from (_set(each) for each in mine if each.stage == stage)


def list_carried(exported: Exported) -> list[str]:
    """The accounts that stack sets reach."""
    return list(dict.fromkeys(each.account for wave in exported.waves for one in wave.sets for each in one))


def _bucket_of(stack: DesiredStack, logs: list[DesiredStack]) -> tuple[str, str, str]:
    """The log bucket's stack of a stack's lanes; freeze calendars need none, and go with their lanes."""
    return next(each.key for each in logs if set(stack.lanes) <= set(each.lanes))


def _stack(stack: DesiredStack) -> Call:
    parameters = parameters_path(stack) if stack.parameters else ""
    tags = tuple(f"{name}={value}" for name, value in sorted(stack.tags.items()))
    return Call("stack", (*stack.key, template_path(stack), parameters), tags)


def _set(files: SetFiles) -> Call:
    return Call(
        "set", (files.name, files.template, files.definition.path), tuple(each.path for each in files.instances)
    )
