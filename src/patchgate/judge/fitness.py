"""Who is fit to be patched in a window: nothing of the machine itself, its tags, agent or backup keeps it from that."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from patchgate.judge.case import may_be_silent
from patchgate.judge.freezes import frozen_at_all
from patchgate.judge.jobs import resources_of
from patchgate.judge.proofs import lack_of
from patchgate.judge.reasons import OLDEST_AGENT
from patchgate.judge.spans import Cut, Span

if TYPE_CHECKING:
    from patchgate.judge.case import Case, Occurrence
    from patchgate.judge.estate import Instance

SLOWEST_AGENT_SECONDS = 30
LOOK_BACK_SLACK = timedelta(minutes=30)


def is_fit(case: Case, instance: Instance, occurrence: Occurrence, until: Cut | None = None) -> bool:
    """Whether nothing of the instance itself keeps it from being patched in a window, to its end or ``until``."""
    gate = _gate_begins(case, occurrence)
    span = Span(gate, until or case.facts.cut_at(occurrence.end))
    return (
        case.includes_throughout(instance, span)
        and instance.root_device == "ebs"
        and _has_a_good_agent(instance, span)
        and not frozen_at_all(case, span)
        and _is_backed_up(case, instance, span)
    )


def _gate_begins(case: Case, occurrence: Occurrence) -> Cut:
    """When the gate first looked at the lane for a window, or at the first instant at which it could.

    One that comes before the lead is no gate of this window, whatever it says.
    """
    lead = case.lane.maximum_lead
    earliest = occurrence.before if lead is None else max(occurrence.before, occurrence.start - lead)
    for cut, _ in case.gate.begun:
        if earliest <= cut.at < occurrence.start:
            return cut
    return case.facts.cut_at(occurrence.start - (lead or timedelta(0)))


def _has_a_good_agent(instance: Instance, span: Span) -> bool:
    """Whether it was up all the while, with an agent that answers and can refuse."""
    agents = instance.agents.seen(span)
    able = all(
        agent.version >= OLDEST_AGENT
        and agent.delivery_seconds <= SLOWEST_AGENT_SECONDS
        and abs(agent.clock_skew_seconds) <= SLOWEST_AGENT_SECONDS
        for agent in agents
    )
    return able and not may_be_silent(instance, span)


def _is_backed_up(case: Case, instance: Instance, span: Span) -> bool:
    """Whether its newest backup was good before the gate, held every volume to the end, and had no successor."""
    low, lane = span.low, case.lane
    attached = instance.volumes.seen(span)
    if len(attached) != 1 or not attached[0]:
        return False
    for resource in resources_of(case, instance, span):
        jobs = [
            job for job in case.facts.jobs.get((lane.place, resource), []) if job.vault == lane.vault or not lane.vault
        ]
        jobs = [job for job in jobs if job.created.seq <= span.high.seq]
        point = jobs[-1].point if jobs else None
        if point is None or point.completed.seq > low.seq:
            return False
        if lane.look_back is not None and jobs[-1].created.at < low.at - lane.look_back + LOOK_BACK_SLACK:
            return False
        held = attached[0] & {resource} if lane.backup_resources == "volumes" else attached[0]
        if lack_of(case, point, held, Span(span.high, span.high)):
            return False
    return True
