"""Who never had a turn in a window, because others rightly took it: the window was busy, or their failures ended it.

Excused is only what lies with machines. A runbook keeps a window busy as long as its steps may take at most: what goes
on longer is no excuse. A runbook fails by itself when its machine was not fit for it, when its install failed or took
all of its time, or when the machine was down, impaired, silent or long in coming up between its install and its end:
not by the reboot of a good install. What is left is a runbook that fails where nothing is wrong, and is no excuse
either, although it uses up the error budget as well.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from patchgate.judge.case import runs_throughout
from patchgate.judge.fitness import is_fit
from patchgate.judge.installed import end_of
from patchgate.judge.spans import Cut, Span

if TYPE_CHECKING:
    from patchgate.judge.case import Case, Occurrence
    from patchgate.judge.doings import Automation, Execution, Install, Window
    from patchgate.judge.estate import Instance

AT_ONCE = timedelta(seconds=1)
WINDOWS_AT_ONCE = 5
"""Executions of maintenance windows in an account and Region:
https://docs.aws.amazon.com/general/latest/gr/ssm.html
"""
PROVING = timedelta(minutes=10)
"""What the runbook's proof may take: ``timeoutSeconds`` of its first step, and AWS's own limit of a script:
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeScript.html
"""
INSTALLING = timedelta(minutes=90)
"""What its install may take: ``timeoutSeconds`` of that step, which begins before the command is delivered."""
WAITING = timedelta(minutes=15)
"""How long it waits for a machine's status checks after an install, and then for its agent: the ``timeoutSeconds`` of
each of the two steps.
"""
PAUSES = timedelta(minutes=2)
"""More than Automation takes between all steps of a runbook (an assumption: it polls and goes on within seconds)."""
QUICK_BOOT = WAITING - timedelta(minutes=1)
"""A machine that is up again by then has passed its status checks before the runbook ends to wait for them."""


def runs_of(case: Case, occurrence: Occurrence, instance: Instance) -> list[Automation]:
    """The runbooks of an instance that began in a window."""
    found = case.facts.automations.get((case.lane.place, instance.instance), ())
    return [
        run
        for run in found
        if occurrence.start <= run.started.at < occurrence.end and run.document.endswith(case.lane.suffix)
    ]


def is_crowded_out(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether it never had its turn in an opened window because that was busy to the end of admission, more of the
    others failed than the error budget has, or too many windows were open at once.
    """
    leases = case.leases_of(occurrence)
    if not leases or runs_of(case, occurrence, instance):
        return False
    runs = case.runbooks_in(occurrence)
    until = max(lease.admit_until for lease in leases)
    if any(_may_be_busy(case, run, until) for run in runs):
        return True
    if sum(_fails_by_itself(case, run, occurrence) for run in runs) > _budget(case, occurrence):
        return True
    return any(
        _had_no_room(case, window, one)
        for window in case.windows
        for one in window.executions
        if occurrence.start <= one.started < occurrence.end
    )


def _had_no_room(case: Case, window: Window, execution: Execution) -> bool:
    """Whether an execution ended at once because its window still went on, or as many as can were under way (F57)."""
    if execution.ended is None or execution.ended - execution.started >= AT_ONCE:
        return False
    if execution.status == "SKIPPED_OVERLAPPING":
        return _under_way(window, execution) > 0
    everyone = case.facts.windows.get(case.lane.place, {}).values()
    return execution.status == "FAILED" and sum(_under_way(one, execution) for one in everyone) >= WINDOWS_AT_ONCE


def _under_way(window: Window, execution: Execution) -> int:
    """How many other executions of a window had begun before one did, and went on."""
    at = execution.started
    return sum(
        one is not execution and one.started <= at and (one.ended is None or one.ended > at)
        for one in window.executions
    )


def _may_be_busy(case: Case, run: Automation, until: datetime) -> bool:
    """Whether a runbook was under way at an instant, and rightly: none of its steps had gone on for too long."""
    if run.ended is not None and run.ended.at < until:
        return False
    if was_denied(case, run):
        return run.started.at + PROVING + PAUSES >= until
    install = _install_of(case, run)
    if install is None:
        return run.started.at + PROVING + INSTALLING + PAUSES >= until
    end = end_of(case, install)
    latest = install.begun + INSTALLING if end is None else end.at + 2 * WAITING
    return latest + PAUSES >= until


def _install_of(case: Case, run: Automation) -> Install | None:
    """The last install that began on a runbook's machine while it was under way."""
    installs = [
        install
        for install in case.installs_of.get(run.instance, ())
        if run.started.seq < install.seq and (run.ended is None or install.seq <= run.ended.seq)
    ]
    return installs[-1] if installs else None


def _fails_by_itself(case: Case, run: Automation, occurrence: Occurrence) -> bool:
    """Whether a runbook failed by what its machine is or has until then: its patches, its agent, its backup.

    A denial is none: it is not to use up the error budget.
    """
    if run.ended is None or run.status == "Success" or was_denied(case, run):
        return False
    instance, install = case.instances.get(run.instance), _install_of(case, run)
    if instance is None:
        return True
    if install is None:
        return not is_fit(case, instance, occurrence, run.ended)
    end = end_of(case, install)
    if end is None or end.seq > run.ended.seq:
        took_all = run.ended.at - install.begun >= INSTALLING - PAUSES
        return took_all or _was_troubled(instance, Span(Cut(install.seq, install.at), run.ended))
    return bool(end.reason) or _was_troubled(instance, Span(Cut(end.seq, end.at), run.ended))


def _was_troubled(instance: Instance, span: Span) -> bool:
    """Whether a machine was down, impaired, silent or long in coming up at some instant of a span."""
    return (
        not runs_throughout(instance, span)
        or any(instance.impaired.seen(span))
        or any(
            ready - begun > QUICK_BOOT and begun <= span.high.at and span.low.at < ready
            for begun, ready in instance.boots
        )
        or any(agent.silent_in(span.low.at, span.high.at) for agent in instance.agents.seen(span))
    )


def was_denied(case: Case, run: Automation) -> bool:
    """Whether a runbook's machine was denied: its proof put that out, or wrote it as evidence."""
    return (run.proof is not None and run.proof.get("Decision") == "deny") or is_denied_in_evidence(case, run)


def is_denied_in_evidence(case: Case, run: Automation) -> bool:
    """Whether the evidence that a runbook wrote denies its machine."""
    for lease in case.leases:
        for writing in case.evidence.get((lease.cycle, f"{run.instance}.json"), ()):
            row = writing.only_row
            if row.get("ExecutionId") == run.execution and row.get("Decision") == "deny":
                return True
    return False


def _budget(case: Case, occurrence: Occurrence) -> int:
    """How many failed runbooks a window goes on after. Percentages are of the machines that were up at its start, and
    rounded down: AWS documents neither, and that stops it earliest.
    """
    budget = case.lane.error_budget or "0"
    if not budget.endswith("%"):
        return int(budget)
    cut = case.facts.cut_at(occurrence.start)
    span = Span(cut, cut)
    targets = sum(case.includes_throughout(one, span) and runs_throughout(one, span) for one in case.members)
    return targets * int(budget[:-1]) // 100
