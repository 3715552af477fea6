"""Stacks, events and resources in the shapes of the API."""

from __future__ import annotations

import json
from typing import Any

from patchgate.emulator.cloud import Params, Result, paginate
from patchgate.emulator.cloudformation.capabilities import required_capabilities
from patchgate.emulator.cloudformation.parameters import ParameterDeclaration, declare_parameters
from patchgate.emulator.cloudformation.schemas import schema_of
from patchgate.emulator.cloudformation.stacks import Stack, StackEvent, StackOutput, StackResource
from patchgate.emulator.cloudformation.template import Template

Shape = dict[str, Any]


def present(shape: Shape) -> Shape:
    """The members that say something."""
    return {name: value for name, value in shape.items() if value not in (None, "")}


def page(member: str, items: list[Any], params: Params) -> Result:
    """One page of a list, and the token of the next."""
    part, token = paginate(items, params, limit="MaxResults", token="NextToken", default=100, maximum=100)  # noqa: S106
    return {member: part} | ({"NextToken": token} if token else {})


def stack_shape(stack: Stack) -> Shape:
    """A stack as DescribeStacks returns it."""
    return present({
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": stack.description,
        "Parameters": stack.described_parameters,
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "RollbackConfiguration": {},
        "StackStatus": stack.status,
        "StackStatusReason": stack.status_reason,
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": [],
        "TimeoutInMinutes": stack.timeout_minutes,
        "Capabilities": stack.capabilities or None,
        "Outputs": [output_shape(item) for item in stack.outputs] or None,
        "RoleARN": stack.role_arn,
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
        "EnableTerminationProtection": stack.termination_protection,
        "DriftInformation": drift_shape(stack),
        "RetainExceptOnCreate": stack.retain_except_on_create or None,
    })  # fmt: skip


def drift_shape(stack: Stack) -> Shape:
    """What the last drift detection found."""
    return present({"StackDriftStatus": stack.drift_status, "LastCheckTimestamp": stack.drift_checked_at})


def _resource_drift_shape(resource: StackResource) -> Shape:
    if resource.drift is None:
        return {"StackResourceDriftStatus": "NOT_CHECKED"}
    return {
        "StackResourceDriftStatus": resource.drift["StackResourceDriftStatus"],
        "LastCheckTimestamp": resource.drift["Timestamp"],
    }


def output_shape(output: StackOutput) -> Shape:
    return present({
        "OutputKey": output.key,
        "Description": output.description,
        "ExportName": output.export_name,
    }) | {"OutputValue": output.value}  # fmt: skip


def summary_shape(stack: Stack) -> Shape:
    """A stack as ListStacks returns it."""
    return present({
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": stack.description,
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "StackStatus": stack.status,
        "StackStatusReason": stack.status_reason,
        "DriftInformation": drift_shape(stack),
    })  # fmt: skip


def event_shape(stack: Stack, event: StackEvent) -> Shape:
    """An event as DescribeStackEvents returns it."""
    return present({
        "StackId": stack.id,
        "EventId": event.id,
        "StackName": stack.name,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type,
        "Timestamp": event.at,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "ResourceProperties": event.properties,
        "ClientRequestToken": event.token,
    })  # fmt: skip


def resource_shape(resource: StackResource, *, timestamp: str) -> Shape:
    """A resource; ``timestamp`` is the name that the operation has for the time of its last change."""
    return present({
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type,
        timestamp: resource.updated_at,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.status_reason,
        "DriftInformation": _resource_drift_shape(resource),
    })  # fmt: skip


def metadata_shape(resource: StackResource) -> Shape:
    """A resource's Metadata attribute, as JSON, where it has one."""
    return {} if resource.metadata is None else {"Metadata": json.dumps(resource.metadata)}


def resource_in_stack_shape(stack: Stack, resource: StackResource, *, timestamp: str) -> Shape:
    return {"StackName": stack.name, "StackId": stack.id} | resource_shape(resource, timestamp=timestamp)


def validated_shape(template: Template) -> Shape:
    """A template as ValidateTemplate returns it."""
    declared = declare_parameters(template.parameters)
    return _described(template) | {"Parameters": [_parameter_shape(item) for item in declared.values()]}


def template_summary_shape(region: str, template: Template) -> Shape:
    """A template as GetTemplateSummary returns it."""
    types = list(dict.fromkeys(item.type for item in template.resources.values()))
    parameters = []
    for item in declare_parameters(template.parameters).values():
        constraints = {"AllowedValues": list(item.allowed_values)} if item.allowed_values else {}
        parameters.append(_parameter_shape(item) | {"ParameterType": item.type, "ParameterConstraints": constraints})
    return _described(template) | present({
        "Parameters": parameters,
        "ResourceTypes": types,
        "Version": template.version,
        "Metadata": json.dumps(template.metadata) if template.metadata is not None else None,
        "ResourceIdentifierSummaries": [
            {
                "ResourceType": kind,
                "LogicalResourceIds": [name for name, item in template.resources.items() if item.type == kind],
                "ResourceIdentifiers": [
                    pointer.removeprefix("/properties/")
                    for pointer in schema_of(region, kind).document["primaryIdentifier"]
                ],
            }
            for kind in types
        ],
    })  # fmt: skip


def _described(template: Template) -> Shape:
    capabilities, reason = required_capabilities(template)
    return present({
        "Description": template.description,
        "Capabilities": capabilities or None,
        "CapabilitiesReason": reason,
        "DeclaredTransforms": [],
    })  # fmt: skip


def _parameter_shape(item: ParameterDeclaration) -> Shape:
    default = {} if item.default is None else {"DefaultValue": item.default}
    described = {} if item.description is None else {"Description": item.description}
    return {"ParameterKey": item.name, "NoEcho": item.no_echo} | default | described
