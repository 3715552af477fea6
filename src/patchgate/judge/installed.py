"""What an install came to: how it ended, and whether a machine was patched by it or only called so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from patchgate.judge.case import Case, Occurrence
    from patchgate.judge.doings import Install, Step
    from patchgate.judge.estate import Instance


def end_of(case: Case, install: Install) -> Step | None:
    """How an install ended; None while it goes on."""
    ends = case.facts.ends.get((install.place, install.instance), ())
    return next((step for step in ends if step.seq > install.seq and step.command == install.command), None)


def was_patched(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether an install ended well in a window and left nothing undone, or began in it and did not end well: its own
    patches or its time were what failed, and to begin it is all that a gate can do.
    """
    return any(
        not left_undone(case, step, occurrence.start)
        for step in case.facts.ends.get((case.lane.place, instance.instance), ())
        if occurrence.start <= step.at < occurrence.after
    ) or any(
        (end := end_of(case, install)) is None or end.reason
        for install in case.installs_of.get(instance.instance, ())
        if occurrence.start <= install.at < occurrence.after
    )


def left_undone(case: Case, end: Step, begun: datetime) -> str:
    """What an install that ended did not do, in words; "" when nothing is known of.

    In a lane whose installs reboot, an update may not wait for a reboot when one is over. And where it is known from
    when the lane's machines have updates due (no history says so), one that installed nothing at all did nothing,
    unless another had installed something since they were due: ``begun`` is the start of its window, by which they are
    counted.
    """
    if end.reason:
        return end.reason
    if case.lane.reboots and end.pending:
        return f"{', '.join(end.pending)} still waited for a reboot"
    since = max((due for due in case.lane.updates_due if due <= begun), default=None)
    if since is None:
        return ""
    ends = case.facts.ends.get((end.place, end.instance), ())
    if any(step.installed and since <= step.at and step.seq <= end.seq for step in ends):
        return ""
    return f"nothing was installed, and updates had been due since {since.isoformat()}"
