"""The results as text, as JSON, and as a page of the documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from patchgate.rehearsal.campaign.interleavings.series import PARTS
from patchgate.rehearsal.campaign.interleavings.situations import SITUATIONS

if TYPE_CHECKING:
    from patchgate.rehearsal.campaign.interleavings.series import ExplorationResult, Row

_COUNTS = ("states", "transitions", "interleavings", "ends", "executions", "steps")
_SHOWN = ("searches", "states", "transitions", "interleavings", "histories judged", "violations")
_STEPS_SHOWN = 3


def render_json(result: ExplorationResult) -> str:
    """Everything, as one JSON document."""
    rows = [_row(row) for row in result.rows]
    totals = {part: _sums(_of(result, part)) for part in PARTS if _of(result, part)}
    document = {"rows": rows, "totals": totals, "violations": sum(each["violations"] for each in totals.values())}
    return json.dumps(document, indent=2) + "\n"


def _row(row: Row) -> dict[str, object]:
    meeting, found = row.meeting, row.found
    return {
        "part": row.part,
        "actors": list(meeting.actors),
        "situation": meeting.situation.name,
        "reading": meeting.reading,
        **{name: getattr(found, name) for name in _COUNTS},
        "violations": [{"promises": list(one.violations), "steps": list(one.steps)} for one in found.counterexamples],
    }


def _of(result: ExplorationResult, part: str) -> list[Row]:
    return [row for row in result.rows if row.part == part]


def _sums(rows: Iterable[Row]) -> dict[str, int]:
    found = [row.found for row in rows]
    sums = {"searches": len(found)} | {name: sum(getattr(one, name) for one in found) for name in _COUNTS}
    return sums | {"violations": sum(len(one.counterexamples) for one in found)}


def table_row(label: str, rows: Iterable[Row]) -> str:
    """One row of a table: what some searches found together."""
    sums = _sums(rows)
    sums["histories judged"] = sums["ends"]
    return f"| {label} | " + " | ".join(f"{sums[name]:,}" for name in _SHOWN) + " |"


def cast_label(actors: tuple[str, ...]) -> str:
    """Some actors as a row's label."""
    return ", ".join(actors)


def _tables(result: ExplorationResult) -> Iterator[str]:
    head = "| actors | " + " | ".join(_SHOWN) + " |"
    rule = "|---|" + "---:|" * len(_SHOWN)
    for part, says in PARTS.items():
        rows = _of(result, part)
        if rows:
            yield f"### {part.capitalize()}: {says}\n"
            yield head
            yield rule
            for actors in dict.fromkeys(row.meeting.actors for row in rows):
                yield table_row(cast_label(actors), [row for row in rows if row.meeting.actors == actors])
            yield table_row("**all**", rows)
            yield ""


def render_text(result: ExplorationResult) -> str:
    """A summary, and the first ways to broken promises."""
    lines = []
    for part in PARTS:
        rows = _of(result, part)
        if rows:
            sums = _sums(rows)
            lines.append(
                f"{part}: {sums['searches']:,} searches; {sums['states']:,} states, {sums['transitions']:,} "
                f"transitions, {sums['interleavings']:,} interleavings; {sums['executions']:,} executions, "
                f"{sums['ends']:,} histories judged, {sums['violations']:,} with a broken promise"
            )
    broken = list(result.counterexamples())
    for row, one in broken[:_STEPS_SHOWN]:
        reading = f" under {row.meeting.reading}" if row.meeting.reading else ""
        lines += ["", f"{row.part}: {cast_label(row.meeting.actors)}, {row.meeting.situation.name}{reading}"]
        lines += [f"  {violation}" for violation in one.violations]
        lines += [f"  {number:3} {step}" for number, step in enumerate(one.steps, start=1)]
    return "\n".join(lines) + "\n"


def render_page(result: ExplorationResult) -> str:
    """The page docs/reference/interleavings.md."""
    situations = [f"| {each.name} | {each.says} |" for each in SITUATIONS]
    return "\n".join([_HEAD, "| situation | instant |", "|---|---|", *situations, "", _BODY, *_tables(result)])


_HEAD = """\
<!-- Made by `make interleavings` from what the searches found. Edit `interleavings/page.py`, not this. -->

# Interleavings: every order of the gate's calls

Campaigns try very many orders; this search tries them all, for small casts. It runs the deployed templates on the
embedded AWS, decides before every API call whose turn it is, and judges every history that can come of it with the
judge of all rehearsals. `make interleavings` makes it anew and writes this page; its numbers are the same each time,
until the gate makes other calls.

## Who meets, and when

- **gate**, **duplicate gate**: two deliveries of one firing of the open function's schedule, with its real payload
- **close**: a delivery to the close function: a late second one of the cycle before's, as long as the window has not
  begun; one that an operator makes by hand, while it executes; and the cycle's own, when it is due or later
- **watchdog**: a delivery to the same function in its other mode, of the latest watchdog that was due
- **prove**: the install runbook on one machine, started by an operator: if its proof admits, the install follows
- **stack update**: an operator's update of the window's stack with a new tag, which touches the window

They start together, in the second cycle of the `daily` standard lane (four machines), at one of these instants:
"""

_BODY = """\
A late gate, and one in a frozen lane, meet only casts with a gate. Each meeting is searched under both values of every
assumption that it can meet: `stack_update_enables_window` with a stack update, `disabled_window_lists_schedule` with a
watchdog, `disabling_stops_executions` while a window executes. A cast with the duplicate gate and without the gate is
not listed: it is the same as the one with the gate.

## What is covered, and what is not

- A step is one API call of an actor, with what it computes until its next one; a call takes effect at once and whole.
  The stack update is one step: of all that it changes, the actors read only the window, and CloudFormation changes that
  with one call.
- No time passes from the first step to the end of the last actor. Then the clock runs on: latency, Lambda's retries of
  crashed functions one and two minutes later, the window with its own runbooks, the close, and the next watchdog. How
  calls that take time meet deadlines is the campaigns' part; so are the interleavings of retries with anything.
- Liveness is judged for what begins before the window's start: two windows follow, in one of which every machine must
  be patched. After the window's start only one is left; all other promises are judged always.
- A crash is Lambda's or Automation's: the program is gone before its call arrives, or after it took effect and before
  the answer came. At most one an execution: the orders of pairs without a crash are counted among those again.
- A preemption takes the turn from an actor that could have gone on; three actors are searched with at most two.
- No other faults: all backups are complete, no call is throttled, all machines are well.

## How states are counted

A *state* is the order of all steps so far that others can see, and for each actor that still runs the answers that it
got. Steps that change nothing commute, so that states are few and interleavings are many: equal states are expanded
once, and all ways to an end with equal states have the same history to the byte. Why that is sound is in
`rehearsal/campaign/interleavings/search.py`; what it assumes (programs are deterministic, reads change nothing) is
checked in each execution, and an execution that differs from what was known ends the search with an error.

*Searches* are meetings with their readings of AWS. *Interleavings* are complete schedules: paths through the states,
counted and not executed one by one. *Histories judged* are those that really differ; each was executed from the
snapshot to the end of its run.

## Results
"""
