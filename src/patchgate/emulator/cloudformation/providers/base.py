"""What a resource provider is, and what it is handed."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from patchgate.emulator.cloud import Cloud, Result, Scope
from patchgate.emulator.errors import NotEmulatedError

Properties = Mapping[str, Any]
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclass(frozen=True, slots=True)
class Physical:
    """A resource that exists: its physical id, what GetAtt returns, and what Ref returns where that is not the id."""

    id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    ref: str = ""


@dataclass(slots=True)
class Request:
    """One handler call: a resource of one stack, and the way to act."""

    cloud: Cloud
    scope: Scope
    stack_name: str
    logical_id: str
    properties: Properties
    """Evaluated, coerced, with the stack's tags."""
    physical_id: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    previous: Properties = field(default_factory=dict)
    """The properties before an update."""
    claimed: Physical | None = None

    def call(self, service: str, operation: str, params: Properties) -> Result:
        """Carry out one AWS operation; members that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        return self.cloud.invoke(self.scope, service, operation, given)

    def claim(self, physical_id: str, attributes: Properties | None = None, *, ref: str = "") -> Physical:
        """Say that the resource exists from here on, so that a failure in a later call deletes it again."""
        self.claimed = Physical(physical_id, attributes or {}, ref)
        return self.claimed

    def name(self, name_property: str, limit: int, *, lower: bool = False) -> str:
        """The name that the template gives, or one that is made of stack, logical id and a random end."""
        given = self.properties.get(name_property)
        if given:
            return str(given)
        end = "".join(self.cloud.random.choices(_ALPHABET, k=12))
        stem = f"{self.stack_name}-{self.logical_id}"[: limit - len(end) - 1].rstrip("-")
        name = f"{stem}-{end}"
        return name.lower() if lower else name

    def changed(self, *names: str) -> bool:
        """Whether an update changes any of the properties."""
        return any(self.previous.get(name) != self.properties.get(name) for name in names)

    def tag_changes(self, name: str = "Tags") -> tuple[dict[str, str], list[str]]:
        """Tags to set and keys to remove, in an update."""
        old, new = tag_map(self.previous.get(name)), tag_map(self.properties.get(name))
        return {k: v for k, v in new.items() if old.get(k) != v}, [key for key in old if key not in new]


class Provider(ABC):
    """One resource type. Providers keep nothing: all that they know comes with the request."""

    type: ClassVar[str]
    supported: ClassVar[frozenset[str]]
    """The properties that are emulated; a template that uses another one is refused by name."""
    attributes: ClassVar[frozenset[str]] = frozenset()
    """What GetAtt knows."""
    name_property: ClassVar[str] = ""
    """The property that names the resource, where a template may."""
    compared: ClassVar[frozenset[str]] = frozenset()
    """The properties that drift detection compares; none where it does not know the type."""
    note: ClassVar[str] = ""
    """What the stack's events say of a resource that is there, where that is not all that it is in AWS."""
    gone: ClassVar[frozenset[str]] = frozenset()
    """Error codes that say, in answer to a delete, that there is nothing to delete."""

    @abstractmethod
    def create(self, request: Request) -> Physical:
        """Create the resource."""

    def update(self, request: Request) -> Physical:  # noqa: ARG002
        """Bring the resource to ``request.properties`` in place."""
        raise NotEmulatedError(f"an update of {self.type} in place")

    @abstractmethod
    def delete(self, request: Request) -> None:
        """Delete the resource; ``request.properties`` are those it was last deployed with."""

    def read(self, request: Request) -> Properties:
        """The ``compared`` properties as they are now; AwsError with a code of ``gone`` for what is not there."""
        raise NotEmulatedError(f"drift of {self.type} (resource {request.logical_id})")

    def replaces(self, old: Properties, new: Properties) -> bool:  # noqa: ARG002
        """Whether an update replaces the resource although no create-only property differs."""
        return False


def pick(properties: Properties, *names: str) -> dict[str, Any]:
    """The named properties that are there, under their own names."""
    return {name: properties[name] for name in names if name in properties}


def renamed(properties: Properties, names: Mapping[str, str], what: str) -> dict[str, Any]:
    """Properties under the API's names; one that ``names`` does not know is refused."""
    unknown = [name for name in properties if name not in names]
    if unknown:
        raise NotEmulatedError(f"{what} with {', '.join(unknown)}")
    return {names[name]: value for name, value in properties.items()}


def document(value: Any) -> str:
    """A policy or other JSON document as text."""
    return value if isinstance(value, str) else json.dumps(value)


def tag_map(tags: Any) -> dict[str, str]:
    """Tags in either of the forms that resource types have, as a mapping."""
    if isinstance(tags, Mapping):
        return dict(tags)
    return {item["Key"]: item["Value"] for item in tags or ()}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as a list of Key and Value."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
