"""One resource at a time: evaluate, validate, create, update, delete, with the events that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.cloudformation.deployment import Deployment
from patchgate.emulator.cloudformation.intrinsics import Evaluator, ResourceValues
from patchgate.emulator.cloudformation.journal import Journal
from patchgate.emulator.cloudformation.providers import PROVIDERS
from patchgate.emulator.cloudformation.providers.base import Physical, Provider, Request, tag_list, tag_map
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.schemas import ResourceSchema, schema_of
from patchgate.emulator.cloudformation.stacks import Stack, StackResource, StackState
from patchgate.emulator.errors import AwsError

_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


class CurrentResources:
    """Ref and GetAtt over the resources that a stack has at this moment."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def ref(self, name: str) -> str:
        return self._stack.resources[name].ref

    def attribute(self, name: str, attribute: str) -> Any:
        resource = self._stack.resources[name]
        if attribute not in resource.attributes:
            raise invalid(f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt")
        return resource.attributes[attribute]


class ResourceHandler:
    """Carries out resource actions for one stack operation. Failures are AwsError, after their event is written."""

    def __init__(self, cloud: Cloud, scope: Scope, state: StackState, stack: Stack, journal: Journal) -> None:
        self._cloud = cloud
        self._scope = scope
        self._state = state
        self.stack = stack
        self.journal = journal
        self.imports: set[str] = set()

    def evaluator(self, deployment: Deployment, resources: ResourceValues | None = None) -> Evaluator:
        """Evaluates over the stack's present resources, or others; exports that are read are noted in ``imports``."""
        known = resources or CurrentResources(self.stack)
        return deployment.evaluator(self._cloud, self._scope, known, self._read_export)

    def _read_export(self, name: str) -> str:
        for export, value, _ in self._state.exports():
            if export == name:
                self.imports.add(name)
                return value
        raise invalid(f"No export named {name} found.")

    def desired(self, deployment: Deployment, name: str) -> StackResource:
        """The record that a resource should have, without physical id; ValidationError where properties do not fit."""
        declaration = deployment.template.resources[name]
        evaluator = self.evaluator(deployment)
        _, properties, problems = self.evaluated(deployment, name, evaluator)
        if problems:
            listed = "\n".join(problems)
            raise invalid(f"Properties validation failed for resource {name} with message:\n{listed}")
        return StackResource(
            logical_id=name,
            type=declaration.type,
            physical_id="",
            ref="",
            attributes={},
            properties=properties,
            depends_on=deployment.order[name],
            deletion_policy=declaration.deletion_policy,
            update_replace_policy=declaration.update_replace_policy,
            metadata=evaluator.value(declaration.metadata) if declaration.metadata is not None else None,
            status="",
            status_reason="",
            updated_at=self._cloud.now,
        )

    def evaluated(
        self, deployment: Deployment, name: str, evaluator: Evaluator
    ) -> tuple[ResourceSchema, dict[str, Any], list[str]]:
        """A resource's schema, its properties with the stack's tags, and the problems that they have."""
        declaration = deployment.template.resources[name]
        schema = schema_of(self._scope.region, declaration.type)
        properties, problems = schema.validate(evaluator.properties(declaration.properties))
        return schema, _with_stack_tags(schema, properties, deployment.tags), problems

    def replaces(self, old: StackResource, new: StackResource) -> bool:
        """Whether bringing ``old`` to ``new`` needs another physical resource; AwsError where its name forbids that."""
        provider = PROVIDERS[new.type]
        schema = schema_of(self._scope.region, new.type)
        reasons = schema.replaced_by(old.properties, new.properties)
        if not reasons and not provider.replaces(old.properties, new.properties):
            return False
        custom = new.properties.get(provider.name_property)
        if custom and custom == old.properties.get(provider.name_property):
            raise invalid(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                f"{custom} and update the stack again."
            )
        return True

    def create(self, resource: StackResource, *, during: str = "CREATE") -> None:
        """Create and record a resource; ``during`` is the verb of its events, UPDATE for a replacement."""
        self.journal.resource(
            resource.logical_id, resource.type, f"{during}_IN_PROGRESS", properties=resource.properties,
            reason="" if during == "CREATE" else _REPLACING,
        )  # fmt: skip
        request = self._request(resource)
        try:
            physical = PROVIDERS[resource.type].create(request)
        except AwsError as error:
            if request.claimed is not None:
                _take(resource, request.claimed)
            self.stack.resources[resource.logical_id] = resource
            self.journal.record(resource, f"{during}_FAILED", failure(error))
            raise
        _take(resource, physical)
        self.stack.resources[resource.logical_id] = resource
        self.journal.record(resource, f"{during}_IN_PROGRESS", "Resource creation Initiated")
        self.journal.record(resource, f"{during}_COMPLETE", PROVIDERS[resource.type].note)

    def update(self, old: StackResource, new: StackResource) -> None:
        """Bring a physical resource from ``old`` to ``new`` in place, and record it."""
        new.physical_id, new.ref, new.attributes = old.physical_id, old.ref, old.attributes
        self.stack.resources[new.logical_id] = new
        self.journal.record(new, "UPDATE_IN_PROGRESS")
        if old.properties != new.properties:
            request = replace(self._request(new), previous=old.properties)
            try:
                _take(new, PROVIDERS[new.type].update(request))
            except AwsError as error:
                self.journal.record(new, "UPDATE_FAILED", failure(error))
                raise
        self.journal.record(new, "UPDATE_COMPLETE")

    def delete(self, resource: StackResource, *, retain: bool) -> None:
        """Delete a physical resource, or leave it where ``retain`` says so. The record is the caller's to remove."""
        if retain:
            self.journal.record(resource, "DELETE_SKIPPED")
            return
        self.journal.record(resource, "DELETE_IN_PROGRESS")
        provider: Provider = PROVIDERS[resource.type]
        try:
            if resource.physical_id:
                provider.delete(self._request(resource))
        except AwsError as error:
            if error.code not in provider.gone:
                self.journal.record(resource, "DELETE_FAILED", failure(error))
                raise
        self.journal.record(resource, "DELETE_COMPLETE")

    def _request(self, resource: StackResource) -> Request:
        return Request(
            cloud=self._cloud,
            scope=self._scope,
            stack_name=self.stack.name,
            logical_id=resource.logical_id,
            properties=resource.properties,
            physical_id=resource.physical_id,
            attributes=resource.attributes,
        )


def failure(error: AwsError) -> str:
    """A failure's text as stack events show it."""
    if error.code == "ValidationError":
        return error.message
    return f'Resource handler returned message: "{error.code}: {error.message}"'


def _take(resource: StackResource, physical: Physical) -> None:
    resource.physical_id = physical.id
    resource.ref = physical.ref or physical.id
    resource.attributes = dict(physical.attributes)


def _with_stack_tags(schema: ResourceSchema, properties: dict[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """Properties with the stack's tags; a resource's own tag wins over the stack's of the same key."""
    name = schema.tag_property
    if name is None or not tags:
        return properties
    merged = {**tags, **tag_map(properties.get(name))}
    return properties | {name: merged if schema.tags_are_map else tag_list(merged)}
