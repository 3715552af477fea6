"""Runs, explanations and derivations of schedules, as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from patchgate.plan.derivation import DerivedCycle
from patchgate.plan.order_rules import RULES
from patchgate.report.screen import Line, Piece, draw, many, one_line, wrap
from patchgate.schedule import Occurrence, Outlook
from patchgate.schedule.ambiguity import wall_clock
from patchgate.schedule.derivation import Derived
from patchgate.schedule.explanation import Explanation

_ENDED = {
    Outlook.ACTIVE: "It does not run again after these.",
    Outlook.EXPIRED: "It has expired: it does not run any more.",
    Outlook.NEVER: "It never runs: no instant from 1970 to 2199 matches it.",
}
_SETS = (
    "Sets of expressions are for tools that take several; the templates take one each. Every day of these was "
    "compared with the statement; the order of the times of day is not proved."
)
_IDLE = (
    "Further runs belong to no window: a gate then holds, a close changes nothing, a backup is paid for. Check with "
    "--allow-idle."
)
_EDGES = {"gap": "does not exist, clocks go forward", "overlap": "occurs twice, clocks go back", "none": ""}


def render_runs_text(zone: str, runs: Sequence[Occurrence], outlook: Outlook) -> str:
    """A line for every run: local time, UTC; at clock changes a line for every reading."""
    lines = [line for run in runs for line in _run_lines(run, zone)]
    if outlook is not Outlook.ACTIVE:
        lines.append(_ENDED[outlook])
    return "".join(f"{line}\n" for line in lines)


def _run_lines(run: Occurrence, zone: str) -> list[str]:
    if run.is_certain and run.edge == "none":
        return [describe_instant(run.readings[0].instants[0], zone)]
    why = f": {_EDGES[run.edge]}" if _EDGES[run.edge] else ""
    lines = [f"{run.wall:%a %Y-%m-%d %H:%M:%S} {one_line(zone)}{why}"]
    for reading in run.readings:
        when = " and ".join(f"{instant:%Y-%m-%dT%H:%M:%SZ}" for instant in reading.instants) or "no run"
        lines.append(f"    {reading.name}: {when}" + ("" if run.is_certain else " (one of the possible readings)"))
    return lines


def describe_instant(instant: datetime, zone: str) -> str:
    """``Sat 2026-07-04 23:00:00 +02:00  2026-07-04T21:00:00Z``."""
    local = wall_clock(instant, zone)
    shift = local.strftime("%z")
    return f"{local:%a %Y-%m-%d %H:%M:%S} {shift[:3]}:{shift[3:5]}  {instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def render_runs_json(expression: str, zone: str, runs: Sequence[Occurrence], outlook: Outlook) -> str:
    """The runs as one JSON object; every run has all its readings, the documented or likeliest one first."""
    value = {
        "schema": 1,
        "expression": expression,
        "timezone": zone,
        "outlook": str(outlook),
        "runs": [_run_value(run) for run in runs],
    }
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def _run_value(run: Occurrence) -> dict[str, Any]:
    return {
        "local": run.wall.isoformat(),
        "edge": run.edge,
        "readings": [
            {"name": reading.name, "utc": [instant.isoformat() for instant in reading.instants]}
            for reading in run.readings
        ],
    }


def render_explanation_text(expression: str, zone: str, explanation: Explanation) -> str:
    """The words, the next runs, the clock changes, and what AWS does not document."""
    lines = [
        f"{one_line(expression)}, {explanation.service}, {one_line(zone)}",
        f"  Runs {explanation.words}.",
    ]
    lines += [f"  next   {describe_instant(run, zone)}" for run in explanation.next_runs]
    if explanation.outlook is not Outlook.ACTIVE:
        lines.append(f"  {_ENDED[explanation.outlook]}")
    lines.append(f"  Clock changes: {explanation.edge_rule}.")
    for edge in explanation.edges:
        lines += [f"  {line}" for line in _run_lines(edge, zone)]
    lines += [f"  Not documented by AWS: {one_line(notice)}." for notice in explanation.undocumented]
    lines.append(f"  {explanation.page}")
    return "".join(f"{line}\n" for line in lines)


def render_explanation_json(expression: str, zone: str, explanation: Explanation) -> str:
    """The explanation as one JSON object."""
    value = {
        "schema": 1,
        "expression": expression,
        "timezone": zone,
        "words": explanation.words,
        "service": explanation.service,
        "page": explanation.page,
        "outlook": str(explanation.outlook),
        "next": [run.isoformat() for run in explanation.next_runs],
        "edges": [_run_value(edge) for edge in explanation.edges],
        "edge_rule": explanation.edge_rule,
        "undocumented": list(explanation.undocumented),
    }
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def render_derivation_text(cycle: DerivedCycle, *, width: int, color: bool, ascii_only: bool) -> str:
    """The four schedules, what each of them is worth, the parameters to give, and whether the order is proved."""
    lines: list[Line] = []
    for name, derived in zip(("backup", "gate", "window", "close"), cycle.schedules, strict=True):
        for number, expression in enumerate(derived.expressions):
            said = f"  {_worth(derived)}" if number == 0 else ""
            lines.append((Piece(f"{name if number == 0 else '':<7}"), Piece(expression, "command"), Piece(said, "dim")))
    lines.append(())
    if cycle.is_provable:
        lines += [
            (Piece("parameters:", "dim"),),
            *((Piece(f'  {name}: "{value}"'),) for name, value in cycle.parameters().items()),
            (),
            *_proof_lines(cycle, width),
        ]
    else:
        lines += wrap((Piece(_SETS),), width=width, indent=0)
    if cycle.has_idle_runs:
        lines += wrap((Piece(_IDLE, "warn"),), width=width, indent=0)
    if cycle.window.offset_days and not cycle.is_provable:  # else it is among the parameters
        lines += wrap(
            (Piece(f"The window needs ScheduleOffset {cycle.window.offset_days}.", "warn"),), width=width, indent=0
        )
    return draw(lines, color=color, ascii_only=ascii_only)


def _worth(derived: Derived) -> str:
    if derived.exactness == "exact":
        return "exact"
    if derived.exactness == "pinned":
        return f"exact from {derived.first_year} to {derived.last_year}, then expired"
    return f"superset: {derived.extra_per_year:g} further runs a year, in which nothing is due"


def _proof_lines(cycle: DerivedCycle, width: int) -> list[Line]:
    notes = [wrap((Piece(f"Note: {one_line(note)}.", "warn"),), width=width, indent=2) for note in _notes(cycle)]
    return [*_verdict_lines(cycle, width), *(line for lines in notes for line in lines)]


def _verdict_lines(cycle: DerivedCycle, width: int) -> list[Line]:
    broken = [(proof, violation) for proof in cycle.proofs for violation in proof.violations]
    zones = many(len(cycle.proofs), "time zone")
    first = cycle.proofs[0]
    basis = f"{first.start:%Y-%m-%d} to {first.until:%Y-%m-%d}, tzdata {first.tzdata}"
    if not broken:
        return wrap((Piece("Order proved", "open"), Piece(f" in {zones}, {basis}.")), width=width, indent=2)
    where = f" in {len({proof.schedules.zone for proof, _ in broken})} of {zones}, {basis}:"
    lines = wrap((Piece("Order broken", "hold"), Piece(where)), width=width, indent=2)
    for proof, violation in broken[:5]:
        zone = proof.schedules.zone
        when = f"first {wall_clock(violation.first, zone):%a %Y-%m-%d %H:%M}" if violation.first else ""
        facts = (RULES[violation.rule].broken, when, violation.detail)
        said = f"  {violation.rule} in {zone}: {': '.join(fact for fact in facts if fact)}"
        lines += wrap((Piece(one_line(said)),), width=width, indent=4)
    return lines


def _notes(cycle: DerivedCycle) -> list[str]:
    """What the proofs say besides, each note once, with its zones unless all have it."""
    zones: dict[str, list[str]] = {}
    for proof in cycle.proofs:
        for note in proof.notes:
            zones.setdefault(note, []).append(proof.schedules.zone)
    return [
        note if len(names) == len(cycle.proofs) else f"{', '.join(names[:3])}{_more(names[3:])}: {note}"
        for note, names in zones.items()
    ]


def _more(names: list[str]) -> str:
    return f" and {len(names)} more" if names else ""


def derivation_value(cycle: DerivedCycle) -> dict[str, Any]:
    """The derivation as plain values for JSON; ``start``, ``until`` and ``tzdata`` are the proof's, null without."""
    first = cycle.proofs[0] if cycle.proofs else None
    return {
        "schema": 1,
        "schedules": {
            name: {
                "expressions": list(derived.expressions),
                "exactness": derived.exactness,
                "offset_days": derived.offset_days,
                "first_year": derived.first_year,
                "last_year": derived.last_year,
                "extra_per_year": derived.extra_per_year,
            }
            for name, derived in zip(("backup", "gate", "window", "close"), cycle.schedules, strict=True)
        },
        "parameters": dict(cycle.parameters()) if cycle.is_provable else None,
        "proved": cycle.holds if cycle.is_provable else None,
        "start": first.start.isoformat() if first else None,
        "until": first.until.isoformat() if first else None,
        "tzdata": first.tzdata if first else None,
        "zones": [proof.schedules.zone for proof in cycle.proofs],
        "broken": sorted({violation.rule for proof in cycle.proofs for violation in proof.violations}),
        "notes": _notes(cycle),
    }
