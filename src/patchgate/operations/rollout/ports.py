"""What carrying out a plan needs of the world, beside StackControl and FactsReader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from patchgate.errors import PatchgateError

if TYPE_CHECKING:
    from patchgate.operations.rollout.facts import Place
    from patchgate.operations.rollout.sets import Rectangle
    from patchgate.operations.rollout.steps import PlannedWave, SetAdministration, Step


_NOWHERE: Mapping[tuple[str, str], str] = MappingProxyType({})

Told = Callable[["Place", bool], None]
"""Called for each account and Region when its part of an operation is over: whether it succeeded."""


class StackSetFailedError(PatchgateError):
    """An operation on a stack set failed, in ``places``: each with the reason that AWS gives."""

    def __init__(self, name: str, reason: str, places: Mapping[Place, str] = _NOWHERE, *, remedy: str) -> None:
        lines = [f"{'/'.join(place)}: {said}" for place, said in sorted(places.items())]
        super().__init__("\n  ".join([f"stack set {name}: {reason}", *lines]), remedy=remedy)
        self.name = name
        self.reason = reason
        self.places = places


class StackSetControl(Protocol):
    """Stack sets of the caller's account. Each call waits for the operation that it began.

    Raises StackSetFailedError with every account and Region that failed.
    """

    def create(
        self,
        name: str,
        body: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        administration: SetAdministration,
    ) -> None:
        """Make the set, without instances."""

    def update(
        self,
        name: str,
        body: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        administration: SetAdministration,
        told: Told,
    ) -> None:
        """Bring the set, and all of its instances, to this template and these parameters."""

    def create_instances(
        self, name: str, at: Rectangle, overrides: Mapping[str, str], administration: SetAdministration, told: Told
    ) -> None:
        """Make instances in every account and Region of the rectangle."""

    def update_instances(
        self, name: str, at: Rectangle, overrides: Mapping[str, str], administration: SetAdministration, told: Told
    ) -> None:
        """Bring those instances to the set's template, with exactly these overrides."""

    def delete_instances(self, name: str, at: Rectangle, administration: SetAdministration, told: Told) -> None:
        """Delete those instances and their stacks."""

    def delete(self, name: str) -> None:
        """Delete the set, which has no instances."""


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who is deploying, and since when (aware UTC)."""

    who: str
    where: str
    since: datetime
    plan: str = ""

    def __str__(self) -> str:
        return f"{self.who} on {self.where}, since {self.since:%Y-%m-%d %H:%M} UTC"


class LockedError(PatchgateError):
    """Somebody else is deploying."""

    def __init__(self, holder: LockHolder) -> None:
        super().__init__(
            f"another deployment is under way: {holder}",
            remedy="wait for it; when it is not running any more, take its place with --take-over",
        )
        self.holder = holder


class DeploymentLock(Protocol):
    """Only one deployment at a time, whoever starts it and wherever."""

    def acquire(self, holder: LockHolder, *, take_over: bool = False) -> None:
        """Take the lock; ``take_over``: even if somebody has it. Raises LockedError."""

    def release(self) -> None:
        """Give back the lock that ``acquire`` took; one that somebody took over stays theirs."""


class Watcher(Protocol):
    """Is told what is being done, from any thread."""

    def wave_begins(self, wave: PlannedWave, number: int, total: int) -> None:
        """The wave's steps begin."""

    def step_begins(self, step: Step) -> None:
        """Something is done to a stack."""

    def step_ends(self, step: Step, *, failed: bool) -> None:
        """It is done, or it failed."""

    def bakes(self, wave: PlannedWave, minutes: float) -> None:
        """The wave is through, and is looked at again so many minutes later."""

    def wave_ends(self, wave: PlannedWave) -> None:
        """The wave is through, and everything in it is as it should be."""
