"""All lanes of a fleet, read concurrently: what cannot be read of one hides nothing of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from patchgate.errors import PatchgateError
from patchgate.operations.rollout.facts import Place
from patchgate.operations.status.cycles import choose_last
from patchgate.operations.status.expected import ExpectedLane
from patchgate.operations.status.facts import Bucket, StackState, StatusReader
from patchgate.operations.status.judging import Findings, describe_unreadable, judge_lane, timetable_of
from patchgate.operations.status.model import LaneStatus, Level

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")
_BUCKET = "S3Bucket"

PlaceStacks = Mapping[str, StackState] | PatchgateError


class Concurrently(Protocol):
    """The function of every item, in their order, several at once."""

    def __call__(self, function: Callable[[_Item], _Found], items: Iterable[_Item]) -> list[_Found]:
        """See above."""


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """Every lane at one instant (aware UTC), in the order of the fleet file."""

    fleet: str
    organization: str
    at: datetime
    lanes: tuple[LaneStatus, ...]

    def count(self, level: Level) -> int:
        """How many lanes are so."""
        return Counter(lane.level for lane in self.lanes)[level]

    @property
    def exit_code(self) -> int:
        """3 when a lane is unsafe, 1 when one needs a person or cannot be read, else 0."""
        if self.count("unsafe"):
            return 3
        return 0 if self.count("ok") == len(self.lanes) else 1


def read_status(
    lanes: Sequence[ExpectedLane], reader: StatusReader, now: datetime, concurrently: Concurrently
) -> tuple[LaneStatus, ...]:
    """The status of every lane. A PatchgateError of the reader becomes that of the lanes that it concerns."""
    places = list(
        dict.fromkeys((stack.account, stack.region) for lane in lanes for stack in lane.stacks.values())
    )  # fmt: skip
    stacks = dict(zip(places, concurrently(lambda place: _stacks_at(reader, place), places), strict=True))
    return tuple(concurrently(lambda lane: _read_lane(lane, reader, stacks, now), lanes))


def _stacks_at(reader: StatusReader, place: Place) -> PlaceStacks:
    try:
        return reader.stacks(*place)
    except PatchgateError as error:
        return error


def _read_lane(
    expected: ExpectedLane, reader: StatusReader, places: Mapping[Place, PlaceStacks], now: datetime
) -> LaneStatus:
    try:
        own = _opened(places[expected.lane.account, expected.lane.region])
        logs = expected.stacks["logs"]
        stacks = {**_opened(places[logs.account, logs.region]), **own}
        return judge_lane(expected, _find(expected, reader, stacks), now)
    except PatchgateError as error:
        return describe_unreadable(expected, error)


def _opened(found: PlaceStacks) -> Mapping[str, StackState]:
    if isinstance(found, PatchgateError):
        raise found
    return found


def _find(expected: ExpectedLane, reader: StatusReader, stacks: Mapping[str, StackState]) -> Findings:
    lane, times = expected.lane, timetable_of(expected, stacks)
    facts = reader.lane(lane)
    bucket = _bucket_of(expected, stacks)
    evident: tuple[str, ...] = ()
    evidence, error = None, ""
    last = choose_last(facts.leases, (), times)
    if bucket is not None:
        try:
            evident = reader.cycles(lane, bucket)
            last = choose_last(facts.leases, evident, times)
            evidence = reader.evidence(lane, bucket, last) if last else None
        except PatchgateError as refused:
            error = str(refused)
    states = reader.patch_states(lane) if last is not None else ()
    return Findings(stacks, facts, times, last, evident, evidence, states, error)


def _bucket_of(expected: ExpectedLane, stacks: Mapping[str, StackState]) -> Bucket | None:
    """The bucket that the gate writes to, as its stack was given it."""
    logs = expected.stacks["logs"]
    for stage in ("monitoring", "patch"):
        stack = stacks.get(expected.stacks[stage].name)
        if stack is not None and (name := stack.parameters.get(_BUCKET)):
            return Bucket(name, logs.account, logs.region)
    return None
