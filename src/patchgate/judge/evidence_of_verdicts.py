"""Whether the evidence of a verdict is true: who is in it, as what, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from patchgate.judge.doings import Said
from patchgate.judge.jobs import is_proof, newest_seen, resources_of
from patchgate.judge.records import instant_said
from patchgate.judge.spans import Span
from patchgate.judge.verdicts import contradiction_of, since_of

if TYPE_CHECKING:
    from datetime import datetime

    from patchgate.judge.case import Case
    from patchgate.judge.doings import Writing
    from patchgate.judge.estate import Instance

STATUSES = ("proven", "denied", "undecided", "unreachable")
"""What a verdict calls a machine."""


def verdict_lies(case: Case, cycle: str, writing: Writing) -> Iterator[tuple[str, str]]:
    rows = writing.rows or ()
    head = writing.only_row
    found = [row for row in rows[1:] if isinstance(row, dict)]
    read_at = instant_said(head.get("at"))
    if read_at is None or len(found) != len(rows) - 1:
        yield "", "it cannot be read"
        return
    if head.get("cycle") != cycle:
        yield "", f"it is of cycle {head.get('cycle')}"
    counted = Counter(str(row.get("status")) for row in found)
    wrong = [status for status in STATUSES if head.get(status, 0) != counted[status]]
    if wrong or head.get("targets") != len(found):
        yield "", f"it counts {head.get('targets')} targets and names {len(found)}"
    span = Span(case.facts.cut_before(read_at), writing.cut)
    scheduled = next((run.scheduled for run in case.gate.runs if _holds(run.span, writing)), None)
    names = [str(row.get("instance")) for row in found]
    for repeated in [name for name, times in Counter(names).items() if times > 1]:
        yield repeated, f"it names {repeated} twice"
    for row in found:
        instance = case.instances.get(str(row.get("instance")))
        lie = _row_lies(case, row, instance, span, scheduled)
        if lie:
            yield str(row.get("instance")), f"{row.get('instance')} {lie}"
    known = set(names)
    for instance in case.members:
        gone = {"terminated", "shutting-down"} & set(instance.states.seen(span))
        if instance.instance not in known and not gone and case.includes_throughout(instance, span):
            yield instance.instance, f"it leaves out {instance.instance}"


def _holds(span: Span, writing: Writing) -> bool:
    return span.low.seq < writing.cut.seq < span.high.seq


def _row_lies(
    case: Case, row: Mapping[str, Any], instance: Instance | None, span: Span, scheduled: datetime | None
) -> str:
    if instance is None or not any(map(case.lane.includes, instance.tags.seen(span))):
        return "is not in the lane"
    status = row.get("status")
    if status not in STATUSES:
        return f"is called {status}"
    lie = "" if status == "proven" else _reason_lies(case, row, instance, span, scheduled)
    if lie or status not in ("proven", "unreachable"):
        return lie
    since = since_of(case, scheduled)
    seen = [newest_seen(case, one, span, since) for one in resources_of(case, instance, span)]
    proven = sum(any(is_proof(case, found) for found in of_resource) for of_resource in seen)
    if seen and proven < len(seen) and len(instance.volumes.seen(span)) == 1:
        return f"is called {status}, and its newest backup job was not completed without issues"
    return "" if "running" in instance.states.seen(span) else f"is called {status}, and did not run"


def _reason_lies(case: Case, row: Mapping[str, Any], instance: Instance, span: Span, scheduled: datetime | None) -> str:
    reason, detail = str(row.get("reason") or ""), str(row.get("detail") or "")
    lie = contradiction_of(case, Said(span, case.lane.place, "", instance.instance, reason, detail, scheduled))
    return f"is {row.get('status')} with {reason or 'no reason'}, but {lie}" if lie else ""
