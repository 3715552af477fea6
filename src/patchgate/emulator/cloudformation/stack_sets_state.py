"""What stack sets are: plain records, kept by the account and Region that they are administered from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Place = tuple[str, str]
"""An account and a Region."""


@dataclass(slots=True)
class StackInstance:
    """One stack of a set, or the wish for one: ``stack_id`` is "" until a stack is there."""

    account: str
    region: str
    unit: str = ""
    """The unit (or root) through which it became a target, "" for one of a self-managed set."""
    overrides: dict[str, str] = field(default_factory=dict)
    stack_id: str = ""
    status: str = "OUTDATED"
    detailed_status: str = "PENDING"
    reason: str = ""
    operation: str = ""
    drift_status: str = "NOT_CHECKED"
    drift_checked_at: datetime | None = None


@dataclass(slots=True)
class PlaceResult:
    """What one operation did in one place."""

    account: str
    region: str
    unit: str
    status: str = "PENDING"
    reason: str = ""
    drift_status: str = ""
    """What a drift detection found, "" until it has."""
    drifts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class SetOperation:
    """One operation on a stack set. ``results`` stand in the order in which places are taken."""

    id: str
    action: str
    """CREATE, UPDATE, DELETE or DETECT_DRIFT."""
    created_at: datetime
    preferences: Mapping[str, Any] = field(default_factory=dict)
    results: dict[Place, PlaceResult] = field(default_factory=dict)
    targets: Mapping[str, Any] | None = None
    """DeploymentTargets as they were given."""
    retain: bool = False
    automatic: bool = False
    """Made by automatic deployment, to which no preferences apply."""
    status: str = "RUNNING"
    reason: str = ""
    ended_at: datetime | None = None

    def regions(self) -> list[str]:
        """The Regions, in the order in which they are taken."""
        return list(dict.fromkeys(region for _, region in self.results))

    def within(self, region: str, *statuses: str) -> list[PlaceResult]:
        """The results of a Region, those of the given statuses where there are any."""
        found = (item for item in self.results.values() if item.region == region)
        return [item for item in found if not statuses or item.status in statuses]

    def in_status(self, *statuses: str) -> list[PlaceResult]:
        """The results of the given statuses."""
        return [item for item in self.results.values() if item.status in statuses]


@dataclass(slots=True)
class StackSet:
    """One stack set. A deleted one stays, found by its id only."""

    id: str
    name: str
    service_managed: bool
    template: str = ""
    description: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    """The texts of every parameter of the template."""
    described_parameters: list[dict[str, str]] = field(default_factory=list)
    capabilities: Sequence[str] = ()
    tags: dict[str, str] = field(default_factory=dict)
    administration_role: str = ""
    execution_role: str = ""
    auto_deployment: bool = False
    retain_on_removal: bool = False
    targets: dict[str, list[str]] = field(default_factory=dict)
    """The units whose accounts are targets, with the Regions of each."""
    instances: dict[Place, StackInstance] = field(default_factory=dict)
    operations: dict[str, SetOperation] = field(default_factory=dict)
    waiting: list[SetOperation] = field(default_factory=list)
    """Automatic deployments that wait for the operation in progress."""
    status: str = "ACTIVE"

    def running(self) -> SetOperation | None:
        """The operation in progress."""
        return next((item for item in self.operations.values() if item.status in ("RUNNING", "STOPPING")), None)

    def last_drift_detection(self) -> SetOperation | None:
        """The last drift detection that came to its end."""
        found = [item for item in self.operations.values() if item.action == "DETECT_DRIFT" and item.ended_at]
        return found[-1] if found else None

    def regions(self) -> list[str]:
        """The Regions that it has instances in."""
        return list(dict.fromkeys(region for _, region in self.instances))


@dataclass(slots=True)
class StackSetState:
    """Every stack set of one administrator account in one Region."""

    sets: dict[str, StackSet] = field(default_factory=dict)
    """By id, in order of creation."""

    def active(self) -> Iterator[StackSet]:
        return (item for item in self.sets.values() if item.status == "ACTIVE")

    def find(self, name_or_id: str) -> StackSet | None:
        """A set by name, where it is active, or by id."""
        named = (item for item in self.active() if item.name == name_or_id)
        return self.sets.get(name_or_id) or next(named, None)
