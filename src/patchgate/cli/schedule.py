"""``patchgate schedule``: when an expression runs, what it says, and all four schedules from one statement."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from patchgate.cli.instants import read_instant, read_schedule_start
from patchgate.errors import UnsafeError

_Command = TypeVar("_Command", bound=Callable[..., Any])

DIALECTS = ("backup", "scheduler", "eventbridge-rule", "ssm")


@click.group()
def schedule() -> None:
    """Compute and explain AWS's schedule expressions: cron(...), rate(...), at(...)."""


def _about_expression(command: _Command) -> _Command:
    """The options that ``next`` and ``explain`` share."""
    options = (
        click.argument("expression"),
        click.option(
            "--dialect",
            type=click.Choice(DIALECTS),
            default="scheduler",
            show_default=True,
            help="Whose expression it is: each service has rules of its own.",
        ),
        click.option("--timezone", default="UTC", show_default=True, metavar="ZONE", help="IANA time zone."),
        click.option("--after", callback=read_instant, metavar="DATE", help="From when on, UTC. [default: now]"),
        click.option(
            "--offset-days",
            type=click.IntRange(0, 6),
            default=0,
            help="A maintenance window's ScheduleOffset, 1 to 6; dialect ssm only.",
        ),
        click.option(
            "--anchor",
            callback=read_instant,
            metavar="DATE",
            help="When the schedule was created or starts: a rate counts from it. [default: the same as --after]",
        ),
        click.option(
            "--output",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="Lines for people, or one JSON object.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@schedule.command("next")
@_about_expression
@click.option("--count", type=click.IntRange(1, 100_000), default=10, show_default=True, help="How many runs.")
def show_next(
    *,
    expression: str,
    dialect: str,
    timezone: str,
    after: datetime | None,
    offset_days: int,
    anchor: datetime | None,
    count: int,
    output: str,
) -> int:
    """Print when EXPRESSION runs next, in local time and in UTC.

    Where a clock change skips or repeats the local time and AWS does not say what happens, every possibility is shown.
    """
    from itertools import islice

    from patchgate.cli.clock import read_clock
    from patchgate.report.schedule import render_runs_json, render_runs_text
    from patchgate.schedule import parse

    begin = after or read_clock()
    parsed = parse(expression, dialect)  # type: ignore[arg-type]  # click.Choice has checked it
    start = (anchor or begin) if parsed.kind == "rate" else anchor
    occurrences = parsed.readings(timezone, begin, offset_days=offset_days, anchor=start)
    runs = list(islice(occurrences, count))
    outlook = parsed.outlook(timezone, begin, offset_days=offset_days, anchor=start)
    if output == "json":
        sys.stdout.write(render_runs_json(expression, timezone, runs, outlook))
    else:
        sys.stdout.write(render_runs_text(timezone, runs, outlook))
    return 0


@schedule.command()
@_about_expression
def explain(
    *,
    expression: str,
    dialect: str,
    timezone: str,
    after: datetime | None,
    offset_days: int,
    anchor: datetime | None,
    output: str,
) -> int:
    """Say in plain words when EXPRESSION runs, and what clock changes do to it."""
    from patchgate.cli.clock import read_clock
    from patchgate.report.schedule import render_explanation_json, render_explanation_text
    from patchgate.schedule import parse
    from patchgate.schedule.explanation import explain_schedule

    begin = after or read_clock()
    parsed = parse(expression, dialect)  # type: ignore[arg-type]  # click.Choice has checked it
    start = (anchor or begin) if parsed.kind == "rate" else anchor
    explanation = explain_schedule(parsed, timezone, begin, offset_days=offset_days, anchor=start)
    render = render_explanation_json if output == "json" else render_explanation_text
    sys.stdout.write(render(expression, timezone, explanation))
    return 0


@schedule.command()
@click.argument("expression", required=False)
@click.option("--at", metavar="HH:MM", help="Instead of EXPRESSION: the window's time of day.")
@click.option("--weekday", default="", metavar="DAY", help="With --at: SUN to SAT. [default: every day]")
@click.option("--ordinal", default="", metavar="N", help="With --weekday: 1 to 5 or last, in the month. [default: all]")
@click.option(
    "--offset-days", type=click.IntRange(0, 6), default=0, help="Whole days after that day, as in Patch Tuesday + 4."
)
@click.option(
    "--lead", type=click.IntRange(15, 1440), default=30, show_default=True, help="Minutes from gate to window."
)
@click.option("--duration", type=click.IntRange(1, 24), default=3, show_default=True, help="The window's hours.")
@click.option("--cutoff", type=click.IntRange(0, 23), default=1, show_default=True, help="Its last hours, no installs.")
@click.option(
    "--backup-start", type=click.IntRange(60, 1440), default=60, show_default=True, help="BackupStartWindowMinutes."
)
@click.option(
    "--backup-completion",
    type=click.IntRange(60, 10080),
    default=120,
    show_default=True,
    help="BackupCompletionWindowMinutes.",
)
@click.option(
    "--timezone",
    "zones",
    multiple=True,
    metavar="ZONE",
    help="A zone in which the result is proved. May be repeated. [default: those of all Regions]",
)
@click.option("--start", callback=read_schedule_start, metavar="DATE", help="From when on, UTC. [default: today]")
@click.option("--years", type=click.IntRange(1, 100), default=10, show_default=True, help="How far it is proved.")
@click.option(
    "--exact",
    is_flag=True,
    help="Where one expression is not enough: a set that is exact for those years, not a superset; it is not proved.",
)
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or one JSON object.",
)
def derive(  # noqa: PLR0913 - one argument an option
    *,
    expression: str | None,
    at: str | None,
    weekday: str,
    ordinal: str,
    offset_days: int,
    lead: int,
    duration: int,
    cutoff: int,
    backup_start: int,
    backup_completion: int,
    zones: tuple[str, ...],
    start: datetime | None,
    years: int,
    exact: bool,
    output: str,
) -> int:
    """Derive backup, gate, window and close from one statement: when the window starts.

    The statement is EXPRESSION, a cron expression of maintenance windows, or --at with --weekday and --ordinal. The
    result is proved as by `patchgate check`. What one expression cannot say exactly is marked as what it is; a set of
    several expressions (--exact) is not proved: it says so, and exits with 0.

    Exits with 3 when the proof fails, and with 2 when the templates do not take such distances.
    """
    from patchgate.cli.clock import midnight, read_clock
    from patchgate.domain.regions import regions
    from patchgate.operations.check import add_years
    from patchgate.operations.parameter_values import check_derived_values
    from patchgate.plan.derivation import CycleTimes, derive_cycle
    from patchgate.schedule.derivation import make_statement

    if (expression is None) == (at is None):
        raise click.UsageError("give EXPRESSION, or --at with --weekday and --ordinal.")
    if cutoff >= duration:
        raise click.UsageError("--cutoff must be less than --duration.")
    statement = make_statement(expression or "", at=at or "", weekday=weekday, ordinal=ordinal, offset_days=offset_days)
    begin = start or midnight(read_clock())
    until = add_years(begin, years)
    places = zones or tuple(sorted({region.time_zone for region in regions() if region.time_zone}))
    times = CycleTimes(lead, duration, cutoff, backup_start, backup_completion)
    pinned = (begin.year, until.year) if exact else None
    cycle = derive_cycle(statement, times, places, begin, until, pinned=pinned)
    check_derived_values(cycle)
    sys.stdout.write(_render_derivation(cycle, output))
    return 0 if cycle.holds or not cycle.is_provable else UnsafeError.exit_code


def _render_derivation(cycle: Any, output: str) -> str:
    from patchgate.cli.console import describe_terminal
    from patchgate.report.schedule import derivation_value, render_derivation_text

    if output == "json":
        return json.dumps(derivation_value(cycle), indent=2, sort_keys=True) + "\n"
    terminal = describe_terminal(sys.stdout, os.environ)
    return render_derivation_text(cycle, width=terminal.width, color=terminal.color, ascii_only=terminal.ascii_only)
