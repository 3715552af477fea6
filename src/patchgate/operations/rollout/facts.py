"""What AWS has of a fleet, as values, and the ports that read it. ``status`` and other readers share them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

Place = tuple[str, str]
"""Account and Region."""

StackKey = tuple[str, str, str]
"""Account, Region and name of a stack."""

COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
FAILED_CREATION = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the account, and the ARN of the principal."""

    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class OrganizationFacts:
    """The organization: its id, the account that manages it, and the id of its root."""

    id: str
    management_account: str
    root: str


@dataclass(frozen=True, slots=True)
class StackFacts:
    """A stack as it stands. ``template`` is the digest of its template.

    ``drift`` is the last word of drift detection, of ``drift_at`` (aware UTC, None: never), and ``drifted`` are the
    resources that it found changed, as people read them.
    """

    status: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    drift: str = "NOT_CHECKED"
    reason: str = ""
    drift_at: datetime | None = None
    drifted: tuple[str, ...] = ()

    @property
    def in_progress(self) -> bool:
        """Whether an operation is changing it now."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def seen(self) -> str:
        """The fingerprint of everything that a deployment would change."""
        return digest_of([self.status, dict(self.parameters), dict(self.tags), self.template])


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """A stack instance. ``status`` is CURRENT, OUTDATED or INOPERABLE; ``reason`` says why, where AWS does.

    ``drift`` and ``drift_at`` as in StackFacts.
    """

    status: str
    overrides: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    drift: str = "NOT_CHECKED"
    drift_at: datetime | None = None

    def seen(self) -> str:
        """The fingerprint of everything that a deployment would change."""
        return digest_of([self.status, dict(self.overrides)])


@dataclass(frozen=True, slots=True)
class SetFacts:
    """A stack set. ``model`` is SERVICE_MANAGED or SELF_MANAGED; ``running`` is the id of the operation in progress."""

    model: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    instances: Mapping[Place, InstanceFacts] = field(default_factory=dict)
    running: str = ""

    def seen(self) -> str:
        """The fingerprint of the set itself, without its instances."""
        return digest_of([self.model, dict(self.parameters), dict(self.tags), self.template])


@dataclass(frozen=True, slots=True)
class Kept:
    """What an earlier deployment of a lane left: its backup vault and its backup role, by their names."""

    vault: bool = False
    role: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of its quotas an account uses in a Region: maintenance windows and patch baselines of its own."""

    windows: int = 0
    baselines: int = 0


@dataclass(frozen=True, slots=True)
class KeptNames:
    """What to look for in a place, for the lane's backup-and-patch stack ``stack``."""

    stack: StackKey
    vault: str
    role: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a plan rests on. ``sets`` are those of the caller's account in the stack sets' Region."""

    caller: Caller
    organization: OrganizationFacts | None = None
    stacks: Mapping[StackKey, StackFacts] = field(default_factory=dict)
    sets: Mapping[str, SetFacts] = field(default_factory=dict)
    kept: Mapping[StackKey, Kept] = field(default_factory=dict)
    usage: Mapping[Place, Usage] = field(default_factory=dict)

    def in_progress(self) -> tuple[str, ...]:
        """What an operation is changing now, as people read it."""
        stacks = (f"{'/'.join(key)} ({found.status})" for key, found in self.stacks.items() if found.in_progress)
        sets = (f"stack set {name} (operation {found.running})" for name, found in self.sets.items() if found.running)
        return (*stacks, *sets)


class FactsReader(Protocol):
    """Reads facts. Every method raises PatchgateError when AWS refuses, with what was asked and what to do."""

    def caller(self) -> Caller:
        """Who asks."""

    def organization(self) -> OrganizationFacts:
        """The organization of the caller's account."""

    def accounts_of(self, units: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Unit id -> the active accounts in it and in the units below it, sorted."""

    def stacks(self, places: Iterable[Place]) -> Mapping[StackKey, StackFacts]:
        """Every stack of patchgate in those places: those whose names are its own, without stack sets' stacks."""

    def sets(self, region: str) -> Mapping[str, SetFacts]:
        """Every stack set of patchgate in the caller's account, with its instances."""

    def kept(self, names: Iterable[KeptNames]) -> Mapping[StackKey, Kept]:
        """What earlier deployments left."""

    def usage(self, places: Iterable[Place]) -> Mapping[Place, Usage]:
        """How much of their quotas those places use."""


def digest_of(value: Any) -> str:
    """A fingerprint of a value that JSON can say."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@lru_cache(maxsize=4096)
def digest_template(body: str) -> str:
    """The fingerprint of a template's text; one in JSON is compared by its meaning: the SDK hands it out parsed."""
    if body.lstrip().startswith("{"):
        return digest_of(json.loads(body))
    return hashlib.sha256(body.encode()).hexdigest()
