"""One template with its inputs, checked as far as AWS checks before a stack operation starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.cloudformation.capabilities import check_capabilities
from patchgate.emulator.cloudformation.functions import references
from patchgate.emulator.cloudformation.graph import check_references, creation_order, live_outputs
from patchgate.emulator.cloudformation.intrinsics import (
    Evaluator,
    NoResources,
    ResourceValues,
    evaluate_conditions,
)
from patchgate.emulator.cloudformation.parameters import ParameterValue, bind_parameters, declare_parameters
from patchgate.emulator.cloudformation.providers import PROVIDERS
from patchgate.emulator.cloudformation.pseudo import pseudo_parameters
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.schemas import schema_of, type_exists
from patchgate.emulator.cloudformation.settled_functions import check_settled_functions
from patchgate.emulator.cloudformation.stacks import StackInput
from patchgate.emulator.cloudformation.template import Template, parse_template
from patchgate.emulator.errors import NotEmulatedError


@dataclass(frozen=True, slots=True)
class Deployment:
    """A template that is ready to become a stack."""

    template: Template
    parameters: Mapping[str, ParameterValue]
    tags: Mapping[str, str]
    capabilities: Sequence[str]
    conditions: Mapping[str, bool]
    order: Mapping[str, tuple[str, ...]]
    """The resources whose condition holds, in creation order, each with what it depends on."""
    values: Mapping[str, str | list[str]]
    """What Ref returns for parameters and pseudo parameters."""

    def evaluator(
        self, cloud: Cloud, scope: Scope, resources: ResourceValues, read_export: Callable[[str], str]
    ) -> Evaluator:
        """An evaluator of the template's functions over the resources of a stack."""
        return Evaluator(
            parameters=self.values,
            mappings=self.template.mappings,
            conditions=self.conditions,
            resources=resources,
            read_export=read_export,
            read_ssm=lambda name, version: read_ssm_parameter(cloud, scope, name, version),
        )


def read_ssm_parameter(cloud: Cloud, scope: Scope, name: str, version: str | None = None) -> str:
    """The value of an SSM parameter of type String or StringList."""
    full_name = f"{name}:{version}" if version else name
    parameter = cloud.invoke(scope, "ssm", "GetParameter", {"Name": full_name, "WithDecryption": False})["Parameter"]
    if parameter["Type"] == "SecureString":
        raise invalid(f"Parameter {name} is a SecureString; a plain text reference cannot use it")
    return str(parameter["Value"])


def prepare(cloud: Cloud, scope: Scope, stack_name: str, stack_id: str, given: StackInput) -> Deployment:
    """Check a template and its inputs, or raise what the API call raises: ValidationError and its kind."""
    template = check_template(scope.region, given.body)
    declared = declare_parameters(template.parameters)
    parameters = bind_parameters(
        declared, given.parameters, given.previous, lambda name: read_ssm_parameter(cloud, scope, name)
    )
    check_capabilities(template, given.capabilities)
    bound = {name: item.value for name, item in parameters.items()}
    values = pseudo_parameters(scope, stack_name, stack_id) | bound
    deployment = Deployment(template, parameters, given.tags, given.capabilities, {}, {}, values)
    evaluator = deployment.evaluator(cloud, scope, NoResources(), _no_exports)
    conditions = evaluate_conditions(template.conditions, evaluator)
    order = creation_order(template, conditions)
    _refuse_not_emulated(scope.region, template, conditions, order)
    settled = replace(evaluator, conditions=conditions)
    for name in order:
        check_settled_functions(dict(template.resources[name].properties), settled)
    for output in live_outputs(template, conditions):
        check_settled_functions([output.value, output.export_name], settled)
    return Deployment(template, parameters, given.tags, given.capabilities, conditions, order, values)


def _no_exports(name: str) -> str:
    raise invalid(f"Template error: Fn::ImportValue is not supported in the Conditions section ({name})")


def check_template(region: str, body: str) -> Template:
    """The template, its names and resource types checked as ValidateTemplate does."""
    template = parse_template(body)
    declare_parameters(template.parameters)
    check_references(template)
    unknown = sorted({item.type for item in template.resources.values() if not type_exists(region, item.type)})
    if unknown:
        raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    return template


def _refuse_not_emulated(
    region: str, template: Template, conditions: Mapping[str, bool], order: Mapping[str, tuple[str, ...]]
) -> None:
    """Name everything that AWS has and the embedded AWS has not, before anything is created."""
    missing = sorted({template.resources[name].type for name in order} - PROVIDERS.keys())
    if missing:
        raise NotEmulatedError(f"the resource types [{', '.join(missing)}]")
    for name in order:
        resource = template.resources[name]
        known = schema_of(region, resource.type).document["properties"]
        extra = [key for key in resource.properties if key in known and key not in _accepted(region, resource.type)]
        if extra:
            raise NotEmulatedError(f"{resource.type} with {', '.join(extra)} (resource {name})")
    nodes = [[dict(item.properties), dict(item.metadata or {})] for item in (template.resources[n] for n in order)]
    outputs = [[item.value, item.export_name] for item in live_outputs(template, conditions)]
    for reference in references([*nodes, *outputs], conditions):
        if reference.attribute:
            _check_attribute(region, template, reference.name, reference.attribute)


def _accepted(region: str, resource_type: str) -> frozenset[str]:
    """Properties that get as far as the schema's validation: the provider's, and read-only ones, which fail there."""
    read_only = {pointer[0] for pointer in schema_of(region, resource_type).read_only if len(pointer) == 1}
    return PROVIDERS[resource_type].supported | read_only


def _check_attribute(region: str, template: Template, name: str, attribute: str) -> None:
    kind = template.resources[name].type
    if attribute in PROVIDERS[kind].attributes:
        return
    if attribute.partition(".")[0] in {pointer[0] for pointer in schema_of(region, kind).read_only}:
        raise NotEmulatedError(f"the attribute {attribute} of {kind}")
    raise invalid(f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt")
