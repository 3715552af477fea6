"""A breach of a promise, and whom the promises of a lane are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from patchgate.judge.facts import Facts, Instance, LaneFacts, Step


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach: which promise, when and where, of whom ("" when it is about the lane), and the records'
    seqs.
    """

    promise: str
    at: datetime
    account: str
    region: str
    instance: str
    what: str
    witness: tuple[int, ...]

    @classmethod
    def of(cls, promise: str, lane: LaneFacts, step: Step, what: str, witness: tuple[int, ...] = ()) -> Violation:
        """A breach that something done to an instance is."""
        seqs = tuple(sorted({*witness, step.seq}))
        return cls(promise, step.at, *lane.place, step.instance, f"{step.instance} {what}", seqs)

    def __str__(self) -> str:
        return f"{self.promise}: {self.what} ({self.account}/{self.region}, {self.at.isoformat()})"


def members(facts: Facts, lane: LaneFacts) -> list[Instance]:
    """The instances whose tags put them into the lane, in the order of their launch."""
    return [
        instance
        for (place, _), instance in facts.instances.items()
        if place == lane.place
        and instance.tags.get("PatchGroup") == lane.patch_group
        and instance.tags.get("ToBackupAndPatch") == "true"
    ]


def installs_of(facts: Facts, lane: LaneFacts) -> Iterator[tuple[Step, Instance]]:
    """Every install of an instance whose patch group is the lane's, whatever started it."""
    for install in facts.installs:
        if install.place != lane.place:
            continue
        instance = facts.instances[install.place, install.instance]
        if instance.tags.get("PatchGroup") == lane.patch_group:
            yield install, instance
