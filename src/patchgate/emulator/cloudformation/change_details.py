"""What a change set says of each resource: what changes it, whether that is certain, and whether it is replaced.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-samples.html

Assumptions: Ref of a resource that is certain to be replaced is a Static change, because it is certain to differ;
GetAtt of any resource that changes is a Dynamic one; a change from conditions, from tags of the stack or from
values outside of the template is a DirectModification; PolicyAction names a replacement only where it is certain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from patchgate.emulator.cloudformation.deployment import Deployment
from patchgate.emulator.cloudformation.functions import references
from patchgate.emulator.cloudformation.intrinsics import Evaluator, ResourceValues
from patchgate.emulator.cloudformation.resources import CurrentResources
from patchgate.emulator.cloudformation.schemas import Pointer, ResourceSchema, values_at
from patchgate.emulator.cloudformation.stacks import Stack, StackResource
from patchgate.emulator.cloudformation.template import ResourceDeclaration, parse_template
from patchgate.emulator.errors import AwsError

Replacement = Literal["True", "False", "Conditional"]
Change = dict[str, Any]
_ABSENT = object()


class Planner(Protocol):
    """What is needed of the resource handler."""

    def evaluator(self, deployment: Deployment, resources: ResourceValues | None = None) -> Evaluator:
        """Evaluates over those resources."""

    def evaluated(
        self, deployment: Deployment, name: str, evaluator: Evaluator
    ) -> tuple[ResourceSchema, dict[str, Any], list[str]]:
        """A resource's schema, properties with the stack's tags, and the problems that they have."""


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why a property changes."""

    source: str
    entity: str = ""
    is_certain: bool = True

    def detail(self, target: Mapping[str, str]) -> Change:
        named = {"CausingEntity": self.entity} if self.entity else {}
        evaluation = "Static" if self.is_certain else "Dynamic"
        return {"Target": dict(target), "Evaluation": evaluation, "ChangeSource": self.source, **named}


class _PlannedResources(CurrentResources):
    """Ref and GetAtt as far as they are known beforehand; what will be new has a value like nothing that there is."""

    def __init__(self, stack: Stack, unknown: set[str], added: set[str]) -> None:
        super().__init__(stack)
        self._unknown, self._added = unknown, added

    def ref(self, name: str) -> str:
        return f"(known after {name})" if name in self._unknown | self._added else super().ref(name)

    def attribute(self, name: str, attribute: str) -> Any:
        return f"(known after {name}.{attribute})" if name in self._added else super().attribute(name, attribute)


class ChangePlan:
    """The changes of one operation on one stack."""

    def __init__(self, handler: Planner, stack: Stack, deployment: Deployment) -> None:
        self._handler = handler
        self._stack = stack
        self._deployment = deployment
        self._fates: dict[str, Replacement] = {}
        self._replaced: set[str] = set()
        self._added: set[str] = set()
        planned = _PlannedResources(stack, self._replaced, self._added)
        self._evaluator = handler.evaluator(deployment, planned)
        self._before = parse_template(stack.template).resources if stack.template else {}
        self._parameters = frozenset(self._changed_parameters())

    def changes(self) -> list[Change]:
        """As DescribeChangeSet lists them: what is added and modified, in order of creation, then what is removed."""
        listed = []
        for name in self._deployment.order:
            old = self._stack.resources.get(name)
            if old is None:
                self._added.add(name)
                kind = self._deployment.template.resources[name].type
                listed.append(_change("Add", name, kind))
            elif (change := self._modified(name, old)) is not None:
                listed.append(change)
        for name, old in self._stack.resources.items():
            if name not in self._deployment.order:
                policy = "Delete" if old.deletion_policy == "Delete" else "Retain"
                named = {"PhysicalResourceId": old.physical_id, "PolicyAction": policy}
                listed.append(_change("Remove", name, old.type, named))
        return [{"Type": "Resource", "ResourceChange": change} for change in listed]

    def _modified(self, name: str, old: StackResource) -> Change | None:
        """The change of a resource that is there, None where nothing touches it."""
        try:
            details = list(self._details(name, old))
            replacement = _replacement(details)
        except AwsError:  # its values cannot be had beforehand, or not at all: the execution will tell
            details, replacement = [], "Conditional"
        else:
            if not details:
                return None
        self._fates[name] = replacement
        if replacement == "True":
            self._replaced.add(name)
        attributes = dict.fromkeys(detail["Target"]["Attribute"] for detail in details) or {"Properties": None}
        facts: Change = {"PhysicalResourceId": old.physical_id, "Replacement": replacement, "Scope": list(attributes)}
        if replacement == "True":
            keeps = self._deployment.template.resources[name].update_replace_policy == "Retain"
            facts["PolicyAction"] = "ReplaceAndRetain" if keeps else "ReplaceAndDelete"
        return _change("Modify", name, old.type, facts | {"Details": details})

    def _details(self, name: str, old: StackResource) -> Iterator[Change]:
        declared, before = self._deployment.template.resources[name], self._before.get(name)
        schema, properties, _ = self._handler.evaluated(self._deployment, name, self._evaluator)
        given = {} if before is None else before.properties
        found: list[tuple[_Cause, Mapping[str, str]]] = []
        for key in dict.fromkeys((*old.properties, *properties, *declared.properties)):
            was, will = old.properties.get(key, _ABSENT), properties.get(key, _ABSENT)
            edited = given.get(key, _ABSENT) != declared.properties.get(key, _ABSENT)
            causes = self._causes(declared.properties.get(key), differs=was != will, edited=edited)
            pointers = _Pointers(schema, key)
            found += [(cause, pointers.target(old.properties, properties, cause)) for cause in causes]
        yield from (cause.detail(target) for cause, target in found if _is_shadow(cause))
        yield from (cause.detail(target) for cause, target in found if not _is_shadow(cause))
        for attribute in self._other_attributes(declared, old):
            yield _Cause("DirectModification").detail({"Attribute": attribute, "RequiresRecreation": "Never"})

    def _causes(self, node: Any, *, differs: bool, edited: bool) -> list[_Cause]:
        causes = list(dict.fromkeys(self._referred(node)))
        if not differs:
            return [cause for cause in causes if not cause.is_certain]
        if edited or not any(cause.is_certain for cause in causes):
            causes.insert(0, _Cause("DirectModification"))
        elif any(cause.source == "ParameterReference" for cause in causes):
            causes.insert(0, _Cause("DirectModification", is_certain=False))
        return causes

    def _referred(self, node: Any) -> Iterator[_Cause]:
        """Everything that a node refers to and that changes."""
        for reference in references(node, self._deployment.conditions):
            name, attribute = reference.name, reference.attribute
            if attribute is None and name in self._parameters:
                yield _Cause("ParameterReference", name)
            elif attribute is None and self._fates.get(name) in ("True", "Conditional"):
                yield _Cause("ResourceReference", name, is_certain=self._fates[name] == "True")
            elif attribute is not None and name in self._fates:
                yield _Cause("ResourceAttribute", f"{name}.{attribute}", is_certain=False)

    def _changed_parameters(self) -> Iterator[str]:
        """The parameters that have another value than the stack has, as it was given or as it is resolved."""
        resolved = {item["ParameterKey"]: item.get("ResolvedValue") for item in self._stack.described_parameters}
        for name, item in self._deployment.parameters.items():
            if name in self._stack.parameters and (
                self._stack.parameters[name] != item.given
                or (not item.declaration.no_echo and resolved.get(name) != item.resolved)
            ):
                yield name

    def _other_attributes(self, declared: ResourceDeclaration, old: StackResource) -> Iterator[str]:
        metadata = None if declared.metadata is None else self._evaluator.value(declared.metadata)
        if metadata != old.metadata:
            yield "Metadata"
        if declared.deletion_policy != old.deletion_policy:
            yield "DeletionPolicy"
        if declared.update_replace_policy != old.update_replace_policy:
            yield "UpdateReplacePolicy"


@dataclass(frozen=True, slots=True)
class _Pointers:
    """What a change of one property asks for."""

    schema: ResourceSchema
    name: str

    def target(self, old: Mapping[str, Any], new: Mapping[str, Any], cause: _Cause) -> dict[str, str]:
        """A ResourceTargetDefinition."""
        if self.name == self.schema.tag_property:
            return {"Attribute": "Tags", "RequiresRecreation": "Never"}
        recreation = self._recreation(old, new, cause)
        return {"Attribute": "Properties", "Name": self.name, "RequiresRecreation": recreation}

    def _recreation(self, old: Mapping[str, Any], new: Mapping[str, Any], cause: _Cause) -> str:
        for pointer in self._mine(self.schema.create_only):
            if len(pointer) == 1 or values_at(old, pointer) != values_at(new, pointer):
                return "Always"
            if not cause.is_certain:
                return "Conditionally"
        return "Conditionally" if any(self._mine(self.schema.conditionally_create_only)) else "Never"

    def _mine(self, pointers: tuple[Pointer, ...]) -> list[Pointer]:
        return [pointer for pointer in pointers if pointer[0] == self.name]


def _is_shadow(cause: _Cause) -> bool:
    """The second, Dynamic change that AWS lists, first, for every property whose parameter changes."""
    return cause.source == "DirectModification" and not cause.is_certain


def _replacement(details: list[Change]) -> Replacement:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html, Replacement"""
    asked = {(detail["Target"]["RequiresRecreation"], detail["Evaluation"]) for detail in details}
    if ("Always", "Static") in asked:
        return "True"
    return "Conditional" if any(recreation != "Never" for recreation, _ in asked) else "False"


def _change(action: str, name: str, kind: str, facts: Mapping[str, Any] | None = None) -> Change:
    plain = {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "Scope": [], "Details": []}
    return plain | dict(facts or {})
