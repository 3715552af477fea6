"""One run as a person reads it: what went wrong, what the lane and its machines did, and which promise that broke."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from typing import TYPE_CHECKING, Any, Literal

from patchgate.rehearsal.campaign.faults import FAULTS
from patchgate.rehearsal.observation import instant
from patchgate.rehearsal.outcome import InstanceOutcome, LaneResult
from patchgate.rehearsal.summary import summarise

if TYPE_CHECKING:
    from patchgate.emulator.history import Record
    from patchgate.judge.violation import Violation
    from patchgate.rehearsal.campaign.ground import Ground
    from patchgate.rehearsal.campaign.plan import RunPlan
    from patchgate.rehearsal.campaign.run import RunOutcome

AROUND = timedelta(hours=1)
TOLD = ("FaultInjected", "FaultLaid", "FaultMissed")
"""What a story tells of faults; not once more what came of those that were laid."""
Kind = Literal["fault", "lane", "machine", "violation"]


@dataclass(frozen=True, slots=True, order=True)
class Scene:
    """One line of a story: when, of whom (a machine's name; "" is the lane), and what."""

    at: datetime
    order: int
    kind: Kind
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Story:
    """A run told. ``scenes`` are of the cycle in which the first promise was broken; of the whole run when none was."""

    plan: RunPlan
    outcome: RunOutcome
    lane: LaneResult
    scenes: tuple[Scene, ...]


def tell(ground: Ground, plan: RunPlan, outcome: RunOutcome, history: Iterable[Record]) -> Story:
    """The story of a run by its history."""
    records = list(history)
    (lane,) = summarise(records, [ground.terrain.under(plan.assumptions).lane])
    begin, end = _span(ground, outcome.violations, records)
    concerned = {violation.instance for violation in outcome.violations} or {each.instance for each in lane.instances}
    names = {each["instance"]: str(each["name"]) for each in records if each["event"] == "InstanceLaunched"}
    told = merge(
        _faults(records, ground, names),
        (Scene(moment.at, 1, "lane", "", moment.what) for moment in lane.timeline),
        *(_machine(each) for each in lane.instances if each.instance in concerned),
        sorted(
            Scene(each.at, 3, "violation", names.get(each.instance, ""), f"{each.promise}: {each.what}")
            for each in outcome.violations
        ),
    )
    return Story(plan, outcome, lane, tuple(scene for scene in told if begin <= scene.at <= end))


def _span(ground: Ground, violations: tuple[Violation, ...], records: Iterable[Record]) -> tuple[datetime, datetime]:
    """From the backup of the cycle in which the first promise was broken to a while after that. Of a window that was
    left enabled, from the cycle in which it was enabled.
    """
    terrain = ground.terrain
    if not violations:
        return terrain.start, terrain.end
    first = min(violations, key=lambda violation: violation.at)
    begun = first.at
    if first.promise == "window":
        begun = min((instant(one["at"]) for one in records if one["seq"] in first.witness), default=begun)
    backups = [cycle.backup for cycle in terrain.cycles if cycle.backup <= begun]
    return max(backups, default=terrain.start) - AROUND, first.at + AROUND


def _faults(records: Iterable[Record], ground: Ground, names: Mapping[str, str]) -> Iterator[Scene]:
    for record in records:
        at = record["at"]
        if record["event"] in TOLD and not record.get("laid"):
            given = record["given"]
            said = given if isinstance(given, str) else ", ".join(_given(given, ground, names))
            known = FAULTS.get(record["fault"])
            meaning = f" ({known.says})" if known else ""
            missed = ", and found nothing to change" if record["event"] == "FaultMissed" else ""
            what = f"{record['act']} {said}".rstrip() + missed
            yield Scene(instant(at), 0, "fault", "", f"{record['fault']}{meaning}: {what}")
        elif record["event"] == "FaultEnded":
            yield Scene(instant(at), 0, "fault", "", f"{record['fault']} is over")


def _given(given: Mapping[str, Any], ground: Ground, names: Mapping[str, str]) -> Iterator[str]:
    """What an injection was given, with a machine by its name where it is meant by its number."""
    for key, value in given.items():
        if key == "instance":
            number = int(str(value))
            identity = ground.terrain.instances[number] if number >= 0 else ground.terrain.stray
            yield f"{key} {names.get(identity) or identity}"
        else:
            yield f"{key} {value}"


def _machine(outcome: InstanceOutcome) -> Iterator[Scene]:
    name = outcome.name or outcome.instance
    return (Scene(moment.at, 2, "machine", name, moment.what) for moment in outcome.timeline)
