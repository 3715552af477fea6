"""Nobody is forgotten: who should have been patched in an occurrence was, or is named with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from patchgate.judge.violation import Violation, members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patchgate.judge.facts import Facts, Instance, LaneFacts

_NEVER = datetime.max.replace(tzinfo=UTC)
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One window of a lane: what is said after the one ``before`` it and until the one ``after`` it is said
    of it.
    """

    start: datetime
    end: datetime
    before: datetime
    after: datetime


def occurrences_of(facts: Facts, lane: LaneFacts) -> list[Occurrence]:
    """Every window that fell due in the run and has ended, in order.

    Taken from the lane's own list; without one, from its leases and its windows' executions (which ended, or
    were followed by nothing: then the run's end is taken for theirs).
    """
    now = lane.end or (facts.last.at if facts.last else _EVER)
    spans = set(lane.occurrences) or _seen_spans(facts, lane, now)
    due = sorted(span for span in spans if span[1] <= now)
    starts = [start for start, _ in due]
    ends = [end for _, end in due]
    return [
        Occurrence(start, end, before, after)
        for (start, end), before, after in zip(due, [_EVER, *ends], [*starts[1:], _NEVER], strict=False)
    ]


def _seen_spans(facts: Facts, lane: LaneFacts, now: datetime) -> set[tuple[datetime, datetime]]:
    leases = facts.leases.get((lane.place, lane.parameter_path.rstrip("/")), [])
    spans = {(lease.window_start, lease.window_end) for lease in leases}
    for (place, identity), window in facts.windows.items():
        if place != lane.place or (identity != lane.window_id and window.name != lane.window_name):
            continue
        for start, _ in window.executions:
            if not any(known <= start < end for known, end in spans):
                spans.add((start, min((end for end in window.ended if end >= start), default=now)))
    return spans


def forgotten_instances(facts: Facts, lane: LaneFacts) -> Iterator[Violation]:
    """The running members of each occurrence that were neither patched nor named with a reason."""
    for occurrence in occurrences_of(facts, lane):
        if _lane_is_named(facts, lane, occurrence):
            continue
        start = facts.cut_at(occurrence.start)
        for instance in members(facts, lane):
            if instance.launched > start.seq or instance.states.as_of(start.seq) != "running":
                continue
            if not _accounted_for(facts, instance, occurrence):
                what = f"{instance.instance} was neither patched nor named with a reason"
                yield Violation("forgotten", occurrence.end, *lane.place, instance.instance, what, (start.seq,))


def _lane_is_named(facts: Facts, lane: LaneFacts, occurrence: Occurrence) -> bool:
    """Whether a hold, or a function that was seen to fail, gives the reason for all of the lane."""
    path = lane.parameter_path.rstrip("/")
    opened = {
        lease.cycle for lease in facts.leases.get((lane.place, path), []) if lease.window_start == occurrence.start
    }
    held = any(
        occurrence.before <= cut.at < occurrence.after and cycle not in opened
        for cut, cycle in facts.holds.get((lane.place, path), [])
    )
    broken = any(
        place == lane.place and function.endswith(lane.suffix) and occurrence.before <= at < occurrence.after
        for at, place, function in facts.broken_functions
    )
    return not opened and (held or broken)


def _accounted_for(facts: Facts, instance: Instance, occurrence: Occurrence) -> bool:
    key = (instance.place, instance.instance)
    patched = any(
        step.status == "Success" and occurrence.start <= step.at < occurrence.after for step in facts.ends.get(key, [])
    )
    refused = any(occurrence.start <= step.at < occurrence.after for step in facts.refusals.get(key, []))
    named = any(occurrence.before <= step.at < occurrence.after for step in facts.named.get(key, []))
    return patched or refused or named or _stopped_meanwhile(facts, instance, occurrence)


def _stopped_meanwhile(facts: Facts, instance: Instance, occurrence: Occurrence) -> bool:
    first, last = facts.cut_at(occurrence.start), facts.cut_at(occurrence.end)
    return any(
        first.seq < seq <= last.seq and state != "running"
        for seq, state in zip(instance.states.seqs, instance.states.values, strict=True)
    )
