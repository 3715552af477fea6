"""Night after night of one lane: windows in which ``i-1`` is patched, or is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .histories import CLOSE, DOCUMENT, EVENING, GATED, NAME, OPEN, WINDOW, Story, at

WEEK: dict[str, Any] = {
    "occurrences": tuple((at(23 + 24 * day), at(26 + 24 * day)) for day in range(3)),
    "end": at(80),
    "calm_from": EVENING + timedelta(hours=18),
}


def lane() -> Story:
    return Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=False)


def evening(story: Story, day: int, *, opens: bool = True, **how: Any) -> Story:
    """One cycle of ``i-1``: backup, gate, window, close.

    ``how``: ``patched`` (with ``status``, ``lists`` of the install, ``ended`` of its runbook), ``hold``, ``backup``,
    ``backed``.
    """
    hours, cycle = 24 * day, f"2026070{4 + day}T223000Z"
    start, end = at(23 + hours), at(26 + hours)
    if how.get("backup", True):
        story.back_up(hours=19 + hours, job=f"job-{day}", **how.get("backed", {}))
    due = at(22.5 + hours)
    given: dict[str, Any] = {"scheduled_time": due.isoformat(), "mode": "open", "left_out": []}
    if opens:
        terms: dict[str, Any] = {"window_start": start.isoformat(), "window_end": end.isoformat(), "cycle": cycle}
        story.open(due + timedelta(seconds=5), admit_until=(end - timedelta(hours=1)).isoformat(), **terms)
        story.close(end + timedelta(seconds=20), cycle)
        story.run(OPEN, due, due + timedelta(seconds=9), decision="open", **given)
    elif how.get("hold"):
        story.run(OPEN, due, due + timedelta(seconds=9), decision="hold", reason=how["hold"], **given)
        story.tell(due + timedelta(seconds=8), "ParameterPut", name=f"/patchgate/ubuntu/prd/{cycle}/hold", value="{}")
    if how.get("patched"):
        begun = {"execution": f"x-{day}", "document": DOCUMENT, "target": "i-1"}
        story.tell(start, "AutomationStarted", **begun)
        key = f"evidence/ubuntu/prd/111122223333/eu-central-1/{cycle}/i-1.json"
        story.tell(start + timedelta(seconds=5), "ObjectWritten", key=key)
        lists = how.get("lists", {})
        story.install(when=start + timedelta(seconds=20), status=how.get("status", "Success"), **lists)
        ended = how.get("ended", "Success")
        story.tell(start + timedelta(minutes=12), "AutomationEnded", status=ended, failure="", **begun)
    mode = {"scheduled_time": end.isoformat(), "mode": "close"}
    unreached = [] if how.get("patched") or not opens else ["i-1"]
    missed = 0 if opens or how.get("hold") else 1
    ended = end + timedelta(seconds=30)
    return story.run(
        CLOSE, end + timedelta(seconds=10), ended, unreached=unreached, CyclesWithoutVerdict=missed, **mode
    )


def broken(story: Story, **changes: Any) -> list[str]:
    return story.broken(**GATED | WEEK | changes)


def nights(*days: dict[str, Any], **launch: Any) -> Story:
    story = lane().launch(**launch)
    for number, how in enumerate(days):
        evening(story, number, **how)
    return story


UNPATCHED: dict[str, Any] = {}
PATCHED: dict[str, Any] = {"patched": True}
CLOSED: dict[str, Any] = {"opens": False}
