"""Ground truth about backup jobs: which of a resource's jobs may have been seen as its newest, and in what state."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from patchgate.judge.spans import Cut, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patchgate.judge.case import Case
    from patchgate.judge.estate import Instance, Job, JobState

LISTED = timedelta(days=30)
"""How long AWS Backup lists a job: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupJobs.html"""
SAME_INSTANT = timedelta(seconds=1)
RUNNING = ("CREATED", "PENDING", "RUNNING")
ABORTED = ("ABORTING", "ABORTED")


class Seen(NamedTuple):
    """A job in a state in which it may have been seen as a resource's newest; ``job`` None: no job was seen."""

    job: Job | None
    state: JobState | None


def resources_of(case: Case, instance: Instance, span: Span) -> list[str]:
    """The ids of what is backed up for an instance: itself, or each volume that it had at some point of a span."""
    if case.lane.backup_resources != "volumes":
        return [instance.instance]
    return sorted(frozenset().union(*instance.volumes.seen(span)))


def newest_seen(case: Case, resource: str, span: Span, since: datetime | None) -> list[Seen]:
    """Everything that a reading of a resource's newest job in the lane's vault, in a span, may have found.

    Only jobs created after ``since`` are looked at; None: all that AWS still lists.
    """
    jobs = [job for job in _jobs(case, resource) if job.created.seq <= span.high.seq]
    later = [job for job in jobs if job.created.seq > span.low.seq]
    earlier = [job for job in jobs if job.created.seq <= span.low.seq]
    surely = max(since, span.low.at - LISTED) if since else span.low.at - LISTED
    found = later
    if earlier:
        newest = earlier[-1].created.at
        found = [job for job in earlier if newest - job.created.at < SAME_INSTANT] + later
    seen = [Seen(job, state) for job in found for state in _states(job, span)]
    if not earlier or earlier[-1].created.at < surely + SAME_INSTANT:
        seen.append(Seen(None, None))
    return [one for one in seen if one.job is None or since is None or one.job.created.at >= since - SAME_INSTANT]


def two_newest_aborted(case: Case, resource: str, span: Span) -> bool:
    """Whether a resource's two newest jobs may have been seen aborted, both."""
    jobs = [job for job in _jobs(case, resource) if job.created.seq <= span.high.seq]
    jobs = jobs[max(sum(job.created.seq <= span.low.seq for job in jobs) - 2, 0) :]
    aborted = [any(state.state in ABORTED for state in _states(job, span)) for job in jobs]
    return any(one and other for one, other in pairwise(aborted))


def _jobs(case: Case, resource: str) -> list[Job]:
    vault = case.lane.vault
    jobs = case.facts.jobs.get((case.lane.place, resource), [])
    return [job for job in jobs if not vault or job.vault == vault]


def _states(job: Job, span: Span) -> Iterator[JobState]:
    low = max(span.low, job.created, key=lambda cut: cut.seq)
    yield from job.states.seen(Span(Cut(low.seq, low.at), span.high))


def is_proof(case: Case, seen: Seen) -> bool:
    """Whether a job so seen is completed without issues."""
    return seen.state is not None and seen.state.state == "COMPLETED" and case.lane.accepts(seen.state.category)


def is_covered(case: Case, seen: Seen) -> bool:
    """Whether a job so seen counts for the lane's coverage: a proof, or one that is not finished."""
    return is_proof(case, seen) or (seen.state is not None and seen.state.state in RUNNING)
