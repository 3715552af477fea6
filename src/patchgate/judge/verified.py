"""Nobody is forgotten: a runbook does not call a machine patched that had no install, failed it, or did not come back.

A success is an install that ended well, or a denial: the proof's output or evidence says so. Whose an install is, is
not always sure, and none is called missing while any began, or was sent, on the machine in the runbook's time.

What a runbook knows is what it last read, and that is as old as what it waits for next takes: one state after the
other. So a machine is held against it only when it was in one and the same bad state from the end of its install to
the end of the runbook, or for the last ``LONGEST_WAIT`` of that: whenever it was read, it was so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from patchgate.judge.crowding import was_denied
from patchgate.judge.installed import end_of
from patchgate.judge.spans import Cut, Span
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patchgate.judge.case import Case
    from patchgate.judge.doings import Automation, Install
    from patchgate.judge.estate import Instance

LONGEST_WAIT = timedelta(minutes=16)
"""How old a state may be that a runbook goes by: it waits up to a quarter of an hour for each, with pauses between."""


def wrongly_successful(case: Case) -> Iterator[Violation]:
    """The lane's runbooks that ended as a success, although their install or their machine did not."""
    for run in case.runbooks:
        if run.ended is None or run.status != "Success":
            continue
        installs = [one for one in case.installs_of.get(run.instance, ()) if _is_of(case, one, run)]
        if not installs:
            if run.instance in case.instances and not was_denied(case, run) and not _may_have_installed(case, run):
                yield _wrong(case, run, run.ended, "with neither an install nor a denial")
            continue
        install = installs[-1]
        end = end_of(case, install)
        if end is None or end.seq > run.ended.seq:
            wrong, witness = "before its install was over", [install.seq]
        elif end.reason:
            wrong, witness = f"although {_as_a_clause(end.reason)}", [install.seq, end.seq]
        else:
            low = max(Cut(end.seq, end.at), case.facts.cut_at(run.ended.at - LONGEST_WAIT))
            state = _bad_throughout(case.instances[run.instance], Span(low, run.ended))
            wrong, witness = f"although it {state}" if state else "", [install.seq, end.seq]
        if wrong:
            yield _wrong(case, run, run.ended, wrong, *witness)


def _wrong(case: Case, run: Automation, ended: Cut, wrong: str, *witness: int) -> Violation:
    what = f"the runbook of {run.instance} ended as a success {wrong}"
    return Violation.at_cut("verified", case.lane, ended, what, run.started.seq, *witness, instance=run.instance)


def _may_have_installed(case: Case, run: Automation) -> bool:
    """Whether any install began on a runbook's machine, or was sent to it, while it was under way."""
    low, high = run.started.seq, run.ended.seq if run.ended is not None else run.started.seq
    return any(
        low <= install.seq <= high or (install.sent is not None and low <= install.sent.cut.seq <= high)
        for install in case.facts.installs.get(run.place, ())
        if install.instance == run.instance
    )


def _is_of(case: Case, install: Install, run: Automation) -> bool:
    """Whether an install is surely that runbook's: its command is of the lane's document and was sent while no other
    runbook of the lane was under way on the machine, or for a machine that no history names.
    """
    sent = install.sent
    if sent is None or not sent.document.endswith(case.lane.suffix):
        return False
    known = case.facts.automations
    under_way = [
        one
        for one in (*known.get((run.place, run.instance), ()), *known.get((run.place, ""), ()))
        if one.started.seq < sent.cut.seq
        and (one.ended is None or one.ended.seq > sent.cut.seq)
        and one.document.endswith(case.lane.suffix)
    ]
    return len(under_way) == 1 and under_way[0] is run


def _as_a_clause(reason: str) -> str:
    return f"it {reason}" if reason.startswith("failed ") else reason


def _bad_throughout(instance: Instance, span: Span) -> str:
    """What was wrong with a machine all through a span; "" when nothing surely was."""
    states = set(instance.states.seen(span))
    if "running" not in states:
        return f"was {', '.join(sorted(states))}"
    if all(instance.impaired.seen(span)):
        return "was impaired"
    if any(begun <= span.low.at and span.high.at < ready for begun, ready in instance.boots):
        return "had not come up again"
    agents = instance.agents.seen(span)
    if agents and all(agent.silent_throughout(span.low.at, span.high.at) for agent in agents):
        return "had a silent agent"
    return ""
