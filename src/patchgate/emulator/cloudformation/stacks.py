"""What the engine knows of stacks: plain records, kept by account and Region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class StackInput:
    """What a caller gives to CreateStack, UpdateStack or CreateChangeSet."""

    body: str
    parameters: Sequence[Mapping[str, Any]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: Sequence[str] = ()
    previous: Mapping[str, str] | None = None
    """The parameter texts of the stack as it is, None for a new one."""


@dataclass(slots=True)
class StackResource:
    """One resource of a stack, as it was last deployed."""

    logical_id: str
    type: str
    physical_id: str
    ref: str
    attributes: dict[str, Any]
    properties: dict[str, Any]
    """Evaluated and coerced, the stack's tags included."""
    depends_on: tuple[str, ...]
    deletion_policy: str
    update_replace_policy: str
    metadata: Any
    status: str
    status_reason: str
    updated_at: datetime
    drift: dict[str, Any] | None = None
    """As DescribeStackResourceDrifts returns it, None while the resource was not checked as it is."""


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One line of a stack's event log. ``properties`` is JSON, None for the stack's own events."""

    id: str
    at: datetime
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    properties: str | None
    token: str


@dataclass(frozen=True, slots=True)
class StackOutput:
    """One output's value."""

    key: str
    value: str
    description: str | None
    export_name: str | None


@dataclass(slots=True)
class Unfinished:
    """What a rollback that failed has still to do: bring resources back ((as it was, as it is)), and delete others."""

    stuck: list[tuple[StackResource, StackResource]]
    leftovers: list[StackResource]


@dataclass(slots=True)
class Stack:
    """One stack. A deleted one stays, found by its id only."""

    id: str
    name: str
    created_at: datetime
    status: str
    status_reason: str = ""
    template: str = ""
    description: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    """The texts given, for UsePreviousValue."""
    described_parameters: list[dict[str, str]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    role_arn: str = ""
    resources: dict[str, StackResource] = field(default_factory=dict)
    """In the order in which they were created."""
    outputs: list[StackOutput] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    """Names of the exports that the stack uses."""
    events: list[StackEvent] = field(default_factory=list)
    """Oldest first."""
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    disable_rollback: bool = False
    termination_protection: bool = False
    timeout_minutes: int | None = None
    retain_except_on_create: bool = False
    drift_status: str = "NOT_CHECKED"
    drift_checked_at: datetime | None = None
    unfinished: Unfinished | None = None
    """There in UPDATE_ROLLBACK_FAILED only."""


@dataclass(slots=True)
class ChangeSet:
    """A described operation on a stack that waits for its execution."""

    id: str
    name: str
    stack_id: str
    created_at: datetime
    creates: bool
    """Whether it creates its stack; otherwise it updates it."""
    given: StackInput
    role_arn: str = ""
    description: str | None = None
    on_failure: str = "ROLLBACK"
    status: str = "CREATE_COMPLETE"
    status_reason: str = ""
    execution_status: str = "AVAILABLE"
    described_parameters: list[dict[str, str]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    """As DescribeChangeSet returns them."""


@dataclass(slots=True)
class StackState:
    """Every stack of one account and Region."""

    stacks: dict[str, Stack] = field(default_factory=dict)
    """By stack id, in order of creation."""
    live: dict[str, str] = field(default_factory=dict)
    """Name to id of the stacks that are not deleted."""
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    """By change set id."""

    def find(self, name_or_id: str) -> Stack | None:
        """A stack by name, where it is not deleted, or by id."""
        return self.stacks.get(self.live.get(name_or_id, name_or_id))

    def all_live(self) -> Iterator[Stack]:
        """The stacks that are not deleted, in order of creation."""
        return (self.stacks[stack_id] for stack_id in self.live.values())

    def exports(self) -> Iterator[tuple[str, str, Stack]]:
        """Every export: name, value, and the stack that exports it."""
        for stack in self.all_live():
            for output in stack.outputs:
                if output.export_name is not None:
                    yield output.export_name, output.value, stack

    def importers(self, export_name: str) -> list[str]:
        """The names of the stacks that use an export."""
        return [stack.name for stack in self.all_live() if export_name in stack.imports]
