"""What must be true of an instance for each reason that is given of it, and what contradicts one.

A reason is judged by the facts of the span in which it was read: what was so at any point of it is true. Reasons
that nothing in a history says are listed with why; reasons of other templates are not known and not judged.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from patchgate.judge.case import may_be_silent
from patchgate.judge.doings import Lease
from patchgate.judge.freezes import may_be_frozen
from patchgate.judge.installs import CLOCKS_DIFFER
from patchgate.judge.jobs import ABORTED, RUNNING, Seen, is_proof, newest_seen, resources_of, two_newest_aborted

if TYPE_CHECKING:
    from patchgate.judge.case import Case
    from patchgate.judge.doings import Said
    from patchgate.judge.estate import Instance, RecoveryPoint

OLDEST_AGENT = (3, 0, 502)
NOT_FROZEN = "no freeze stood, and no calendar was closed"
LATE_CLOSE = timedelta(hours=13)
"""A close belongs to a window up to twelve hours after its end, and takes a while."""


class Question(NamedTuple):
    """A reason that was given of an instance, and by what it is judged."""

    case: Case
    said: Said
    instance: Instance


Answer = str
"""What contradicts a reason; "" when it may be true."""


def _jobs_seen(asked: Question) -> list[Seen]:
    """What may have been seen as the newest job of any of its resources."""
    case, said = asked.case, asked.said
    since = said.since - case.lane.look_back if said.since and case.lane.look_back else None
    found = resources_of(case, asked.instance, said.span)
    return [seen for resource in found for seen in newest_seen(case, resource, said.span, since)]


def _by_job(fits: Callable[[Case, Seen], bool]) -> Callable[[Question], Answer]:
    def contradiction(asked: Question) -> Answer:
        jobs = _jobs_seen(asked)
        if not jobs or any(fits(asked.case, seen) for seen in jobs):
            return ""
        return f"its newest backup job was {_describe(jobs)}"

    return contradiction


def _in_state(*states: str) -> Callable[[Question], Answer]:
    return _by_job(lambda _, seen: seen.state is not None and seen.state.state in states)


def _describe(jobs: list[Seen]) -> str:
    said = [f"{seen.state.state} ({seen.state.category or 'no category'})" if seen.state else "none" for seen in jobs]
    return " or ".join(dict.fromkeys(said))


_NAMED_STATES = ("COMPLETED", "EXPIRED", "PARTIAL", *RUNNING, *ABORTED)


def _points_seen(asked: Question) -> list[RecoveryPoint]:
    """The recovery points of the newest jobs that may have been seen as proofs."""
    return [seen.job.point for seen in _jobs_seen(asked) if seen.job and seen.job.point and is_proof(asked.case, seen)]


def _no_job(asked: Question) -> Answer:
    if asked.said.since and asked.case.lane.look_back is None:
        return ""
    return _by_job(lambda _, seen: seen.job is None)(asked)


def _with_issues(case: Case, seen: Seen) -> bool:
    return seen.state is not None and seen.state.state == "COMPLETED" and not case.lane.accepts(seen.state.category)


def _never_finishes(asked: Question) -> Answer:
    found = resources_of(asked.case, asked.instance, asked.said.span)
    if any(two_newest_aborted(asked.case, resource, asked.said.span) for resource in found):
        return ""
    return "its two newest backup jobs were not both aborted"


def _gone(asked: Question) -> Answer:
    high = asked.said.span.high.seq
    jobs = _jobs_seen(asked)
    if any(is_proof(asked.case, seen) and seen.job and seen.job.point is None for seen in jobs):
        return ""
    if any(point.deleted is not None and point.deleted <= high for point in _points_seen(asked)):
        return ""
    return "no recovery point of its newest backup was gone"


def _incomplete(asked: Question) -> Answer:
    high = asked.said.span.high.seq
    if any(point.expired is not None and point.expired <= high for point in _points_seen(asked)):
        return ""
    if any(seen.job and len(set(seen.job.states.seen(asked.said.span))) > 1 for seen in _jobs_seen(asked)):
        return ""
    return "every recovery point of its newest backup was complete"


def _too_old(asked: Question) -> Answer:
    case, span = asked.case, asked.said.span
    for point in _points_seen(asked):
        if point.oldest is None or span.high.at - point.oldest > case.lane.maximum_proof_age:
            return ""
        if point.oldest - span.low.at > CLOCKS_DIFFER:
            return ""
    return "no recovery point of its newest backup was too old"


def _not_covered(asked: Question) -> Answer:
    """Each volume that is named must have been attached, and not held by the newest recovery points."""
    attached = asked.instance.volumes.seen(asked.said.span)
    points = _points_seen(asked)
    if any(not volumes for volumes in attached) or any(not point.volumes for point in points):
        return ""
    if not points:
        return "it had no completed backup"
    named = {one for one in asked.said.detail.replace(",", " ").split() if one.startswith("vol-")}
    strange = named - frozenset().union(*attached)
    if strange:
        return f"{', '.join(sorted(strange))} was not attached"
    if asked.case.lane.backup_resources == "volumes":
        held = frozenset().union(*(point.volumes for point in points)) if len(attached) == 1 else frozenset()
    else:
        held = frozenset.intersection(*(point.volumes for point in points))
    missing = named or frozenset().union(*attached)
    wrong = named & held if named else frozenset()
    if wrong or not missing - held:
        return f"its recovery point holds {', '.join(sorted(wrong or missing))}"
    return ""


def _not_running(asked: Question) -> Answer:
    running = set(asked.instance.states.seen(asked.said.span)) == {"running"}
    return "it was running" if running and asked.instance.launched <= asked.said.span.low.seq else ""


def _instance_store(asked: Question) -> Answer:
    return "its root is on EBS" if asked.instance.root_device == "ebs" else ""


def _not_in_lane(asked: Question) -> Answer:
    return "it carried the lane's tags" if asked.case.includes_throughout(asked.instance, asked.said.span) else ""


def _agent_offline(asked: Question) -> Answer:
    grouped = all(map(asked.case.lane.groups, asked.instance.tags.seen(asked.said.span)))
    return "" if may_be_silent(asked.instance, asked.said.span) or not grouped else "its agent was online"


def _agent_too_old(asked: Question) -> Answer:
    agents = asked.instance.agents.seen(asked.said.span)
    if not agents or any(agent.version < OLDEST_AGENT for agent in agents):
        return ""
    return f"its agent was {'.'.join(map(str, agents[-1].version))}"


def _newest_leases(asked: Question) -> list[Lease]:
    """The leases that may have been seen as the newest."""
    span = asked.said.span
    there = [lease for lease in asked.case.leases if lease.existed(span)]
    surely = [
        one for one in there if one.opened.seq <= span.low.seq and (one.deleted is None or one.deleted > span.high.seq)
    ]
    newest = max((one.cycle for one in surely), default="")
    return [one for one in there if one.cycle >= newest]


def _no_lease(asked: Question) -> Answer:
    span = asked.said.span
    for lease in asked.case.leases:
        if lease.opened.seq <= span.low.seq and (lease.deleted is None or lease.deleted > span.high.seq):
            return f"there was the lease {lease.path}"
    return ""


def _by_lease(fits: Callable[[Question, Lease], bool], otherwise: str) -> Callable[[Question], Answer]:
    def contradiction(asked: Question) -> Answer:
        return "" if any(fits(asked, lease) for lease in _newest_leases(asked)) else otherwise

    return contradiction


def _closed(asked: Question, lease: Lease) -> bool:
    return lease.closed is not None and lease.closed <= asked.said.span.high.seq


def _expired(asked: Question, lease: Lease) -> bool:
    return asked.said.span.high.at >= lease.admit_until


def _early(asked: Question, lease: Lease) -> bool:
    return asked.said.span.low.at < lease.window_start - CLOCKS_DIFFER


def _frozen(asked: Question) -> Answer:
    return "" if may_be_frozen(asked.case, asked.said.span) else NOT_FROZEN


def _not_reached(asked: Question) -> Answer:
    """Of a cycle that belongs to the close: the gate let the instance in, and there was no proof of it."""
    case, span = asked.case, asked.said.span
    earliest = (asked.said.since or span.low.at) - LATE_CLOSE
    cycles = asked.said.cycles or tuple(
        lease.cycle for lease in case.leases if lease.opened.seq <= span.high.seq and lease.window_end >= earliest
    )
    for cycle in cycles:
        proofs = case.evidence.get((cycle, f"{asked.instance.instance}.json"), ())
        if not any(writing.cut.seq <= span.low.seq for writing in proofs) and _let_in(asked, cycle):
            return ""
    return "it had been reached, or was never let in"


def _let_in(asked: Question, cycle: str) -> bool:
    """Whether a verdict on a cycle may have let an instance in; those that a history does not show may."""
    named = asked.case.let_in(cycle)
    return named is None or asked.instance.instance in named


REASONS: dict[str, Callable[[Question], Answer]] = {
    "agent-offline": _agent_offline,
    "agent-too-old": _agent_too_old,
    "backup-aborted": _in_state(*ABORTED),
    "backup-expired": _in_state("EXPIRED"),
    "backup-failed": _by_job(lambda _, seen: seen.state is not None and seen.state.state not in _NAMED_STATES),
    "backup-never-finishes": _never_finishes,
    "backup-partial": _in_state("PARTIAL"),
    "backup-running": _in_state(*RUNNING),
    "backup-with-issues": _by_job(_with_issues),
    "frozen": _frozen,
    "instance-not-running": _not_running,
    "instance-store-root": _instance_store,
    "lease-closed": _by_lease(_closed, "its cycle had not been closed"),
    "lease-expired": _by_lease(_expired, "admission had not ended"),
    "no-backup-job": _no_job,
    "no-lease": _no_lease,
    "not-in-lane": _not_in_lane,
    "not-reached": _not_reached,
    "proof-too-old": _too_old,
    "recovery-point-gone": _gone,
    "recovery-point-incomplete": _incomplete,
    "volume-not-covered": _not_covered,
    "window-not-started": _by_lease(_early, "its window had begun"),
}
"""Reasons that functions and runbooks give of an instance: what contradicts each."""

_CONCLUDED = "concluded after the run from what its commands and its node reported; no function or runbook says it"
UNSAID: dict[str, str] = dict.fromkeys(
    (
        "command-undelivered",
        "cutoff-reached",
        "disk-full",
        "down-while-patching",
        "gate-failed",
        "gate-silent",
        "install-failed",
        "patches-missing",
        "pending-reboot",
        "proof-unreadable",
        "refused-late",
        "timed-out",
        "unhealthy-after-install",
    ),
    _CONCLUDED,
)
"""Reasons that no history holds, and why: nothing there can contradict them."""
