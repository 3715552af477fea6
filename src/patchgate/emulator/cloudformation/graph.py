"""The order of resources: what depends on what, unresolved names, cycles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from patchgate.emulator.cloudformation.functions import PSEUDO_PARAMETERS, references, used_conditions
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.template import OutputDeclaration, ResourceDeclaration, Template


def check_references(template: Template) -> None:
    """Hold every name that the template's functions use against what it declares, or AwsError ValidationError."""
    for name, condition in template.conditions.items():
        _check_condition_references(template, name, condition)
    missing_resources: dict[str, None] = {}
    missing_outputs: dict[str, None] = {}
    for resource in template.resources.values():
        _collect_unresolved(template, _nodes(resource), resource.depends_on, missing_resources)
        _check_condition_names(template, resource.condition, _nodes(resource), "Resources")
    for output in template.outputs.values():
        _collect_unresolved(template, [output.value, output.export_name], (), missing_outputs)
        _check_condition_names(template, output.condition, [output.value, output.export_name], "Outputs")
    _refuse_unresolved(missing_resources, "Resources")
    _refuse_unresolved(missing_outputs, "Outputs")


def _nodes(resource: ResourceDeclaration) -> list[object]:
    return [dict(resource.properties), dict(resource.metadata or {})]


def _check_condition_references(template: Template, name: str, condition: object) -> None:
    known = PSEUDO_PARAMETERS | template.parameters.keys()
    bad = [
        item.name
        for item in references(condition, in_conditions=True)
        if item.attribute is not None or item.name not in known
    ]
    if bad:
        raise invalid(
            f"Template format error: Unresolved dependencies [{', '.join(dict.fromkeys(bad))}]. Cannot reference "
            f"resources in the Conditions block of the template (condition {name})"
        )


def _collect_unresolved(
    template: Template, nodes: list[object], depends_on: Iterable[str], missing: dict[str, None]
) -> None:
    known = PSEUDO_PARAMETERS | template.parameters.keys()
    for reference in references(nodes):
        if reference.attribute is not None:
            if reference.name not in template.resources:
                raise invalid(f"Template error: instance of Fn::GetAtt references undefined resource {reference.name}")
        elif reference.name not in template.resources and reference.name not in known:
            missing[reference.name] = None
    missing.update(dict.fromkeys(name for name in depends_on if name not in template.resources))


def _refuse_unresolved(missing: Mapping[str, None], block: str) -> None:
    if missing:
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the {block} block of "
            "the template"
        )


def _check_condition_names(template: Template, condition: str | None, nodes: list[object], block: str) -> None:
    for name in (*used_conditions(nodes), *((condition,) if condition else ())):
        if name not in template.conditions:
            raise invalid(
                f"Template format error: Unresolved condition dependency {name} in the {block} block of the template"
            )


def creation_order(template: Template, conditions: Mapping[str, bool]) -> dict[str, tuple[str, ...]]:
    """The resources whose condition holds, in an order in which they can be created, each with what it depends on.

    Resources that do not depend on each other keep the template's order. Raises ValidationError for a reference to a
    resource whose condition does not hold, and for circular dependencies.

    Assumption: a DependsOn on such a resource is an error too.
    """
    live = {
        name: resource
        for name, resource in template.resources.items()
        if resource.condition is None or conditions[resource.condition]
    }
    depends: dict[str, tuple[str, ...]] = {}
    missing: dict[str, None] = {}
    for name, resource in live.items():
        used = [item.name for item in references(_nodes(resource), conditions)]
        names = dict.fromkeys(item for item in (*used, *resource.depends_on) if item in template.resources)
        missing.update(dict.fromkeys(item for item in names if item not in live))
        depends[name] = tuple(names)
    _refuse_unresolved(missing, "Resources")
    _refuse_unresolved(_missing_in_outputs(template, conditions, live), "Outputs")
    return _sorted(depends)


def live_outputs(template: Template, conditions: Mapping[str, bool]) -> list[OutputDeclaration]:
    """The outputs whose condition holds."""
    return [item for item in template.outputs.values() if item.condition is None or conditions[item.condition]]


def _missing_in_outputs(
    template: Template, conditions: Mapping[str, bool], live: Mapping[str, ResourceDeclaration]
) -> dict[str, None]:
    used = [
        item.name
        for output in live_outputs(template, conditions)
        for item in references([output.value, output.export_name], conditions)
    ]
    return dict.fromkeys(name for name in used if name in template.resources and name not in live)


def _sorted(depends: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    order: dict[str, tuple[str, ...]] = {}
    waiting = dict(depends)
    while waiting:
        ready = next((name for name, needs in waiting.items() if all(need in order for need in needs)), None)
        if ready is None:
            raise invalid(f"Circular dependency between resources: [{', '.join(_cyclic(waiting))}]")
        order[ready] = waiting.pop(ready)
    return order


def _cyclic(waiting: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The resources that are part of a cycle, without those that merely depend on one."""
    left = dict(waiting)
    while True:
        needed = {need for needs in left.values() for need in needs}
        idle = [name for name in left if name not in needed]
        if not idle:
            return list(left)
        for name in idle:
            del left[name]
