"""A campaign on a screen: what came of all runs, of each fault, and the story of one run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.faults import FAULTS
from patchgate.rehearsal.campaign.mixes import read_mix
from patchgate.rehearsal.campaign.series import FaultTally, SeriesResult, Tally, describe_seeds
from patchgate.rehearsal.campaign.shrinking import Counterexample
from patchgate.rehearsal.campaign.story import Kind, Story
from patchgate.report.screen import Line, Piece, Role, draw, fit, many, one_line, wrap
from patchgate.report.time_axis import local

_BAR = 24
_SAYS = 20
"""How many columns of what a fault is are worth a column in the table."""
_ROLES: dict[Kind, Role] = {"fault": "warn", "lane": "plain", "machine": "plain", "violation": "bad"}


def describe_progress(tally: Tally, runs: int, elapsed: float, *, before: int = 0) -> str:
    """One line for a progress bar: how far, how fast, and whether something was found.

    ``before`` runs were done when the clock of ``elapsed`` began.
    """
    done = tally.runs / runs if runs else 1.0
    bar = "#" * round(_BAR * done)
    rate = (tally.runs - before) / elapsed if elapsed else 0.0
    found = f", {tally.failed_runs} broke a promise" if tally.failed_runs else ""
    return f"[{bar:.<{_BAR}}] {tally.runs:,} of {many(runs, 'run')}, {rate:,.0f} a second{found}"


def render_series_text(  # noqa: PLR0913 - each is one thing to show
    result: SeriesResult,
    *,
    elapsed: float,
    jobs: int,
    width: int,
    color: bool,
    ascii_only: bool,
    counterexample: Counterexample | None = None,
    story: Story | None = None,
    command: str = "",
) -> str:
    """The summary of a series; ``counterexample`` and ``story`` are of its first failing seed."""
    faults = list(_faults(result, width))
    lines = [*_heading(result, elapsed, jobs, width), (), *faults, *([()] if faults else [])]
    lines += _verdict(result, width)
    if counterexample is not None and story is not None:
        lines += [(), *_shrunk(counterexample, width), (), *_story(story, width)]
        if command:
            lines += [(), (Piece("again: ", "dim"), Piece(command, "command"))]
    return draw(lines, color=color, ascii_only=ascii_only)


def render_story_text(story: Story, *, width: int, color: bool, ascii_only: bool) -> str:
    """One run: its plan, and what happened."""
    plan = story.plan
    heading = (Piece(f"seed {plan.seed}", "title"), Piece(f"  lane {one_line(plan.shape)}  history "), _digest(story))
    lines = wrap(heading, width=width, indent=2)
    lines += [*_plan(story, width), (), *_story(story, width), ()]
    broken = story.outcome.violations
    if broken:
        lines += [(Piece(many(len(broken), "violation"), "bad"),), *_violations(story, width)]
    else:
        lines.append((Piece("every promise was kept", "good"),))
    return draw(lines, color=color, ascii_only=ascii_only)


def _heading(result: SeriesResult, elapsed: float, jobs: int, width: int) -> Iterator[Line]:
    for number, pieces in enumerate(_heading_lines(result, elapsed, jobs)):
        yield from wrap(pieces, width=width, indent=4 if number else 2)


def _heading_lines(result: SeriesResult, elapsed: float, jobs: int) -> Iterator[Line]:
    series, tally = result.series, result.tally
    seeds = describe_seeds([(series.first, series.first + series.runs - 1)])
    yield (
        Piece(many(tally.runs, "rehearsal"), "title"),
        Piece(f"  faults {one_line(series.mix)}, {seeds}, {series.door} door"),
    )
    rate = f", {(tally.runs - result.before) / elapsed:,.0f} a second" if elapsed else ""
    rate += f"; done before: {many(result.before, 'run')}" if result.before else ""
    yield (Piece(f"  {elapsed:,.1f} s with {jobs} {'process' if jobs == 1 else 'processes'}{rate}", "dim"),)
    lanes = ", ".join(f"{one_line(name)} {count:,}" for name, count in sorted(tally.shapes.items()))
    yield (Piece(f"  lanes: {lanes}", "dim"),)
    counted = (
        f"{many(tally.installs, 'install')}, {many(tally.patched, 'machine')} patched, "
        f"{many(tally.denied, 'denial')}, {many(tally.holds, 'hold')}"
    )
    yield (Piece(f"  {many(tally.events, 'event')}; {counted}"),)
    repeated = f"; repeated with the same history: {many(tally.repeated, 'run')}" if tally.repeated else ""
    yield (Piece(f"  sum of all histories' SHA-256: {tally.digest:064x}{repeated}", "dim"),)


def _faults(result: SeriesResult, width: int) -> Iterator[Line]:
    tallies, nowhere = result.tally.faults, result.tally.applies_nowhere()
    if not tallies and not result.tally.not_applicable:
        return
    says = width - 38
    beside = says >= _SAYS  # on a narrow screen what goes wrong has lines of its own
    heading = f"{fit('what goes wrong', says)} " if beside else ""
    yield (Piece(f"  {'fault':6} {heading}{'runs':>8} {'struck':>8} {'broken':>7}", "dim"),)
    for number in sorted(tallies.keys() | nowhere):
        tally = tallies.get(number, FaultTally())
        role: Role = "bad" if tally.violated else "plain"
        said = FAULTS[number].says if number in FAULTS else ""
        counts = f"{tally.planned:>8,} {tally.struck:>8,} {tally.violated:>7,}"
        if number in nowhere:
            counts = f"{'not applicable':>25}"
        yield (Piece(f"  {number:6} {fit(said, says) + ' ' if beside else ''}"), Piece(counts, role))
        if not beside:
            yield from wrap((Piece(f"    {said}", "dim"),), width=width, indent=4)
    yield from _not_applicable(result.tally, width)
    count = len(read_mix(result.series.mix).faults) - len(nowhere)
    met = sum(1 for one, other in result.tally.pairs if one != other)
    yield (Piece(f"  {met:,} of {many(count * (count - 1) // 2, 'pair')} of faults met in a run", "dim"),)


def _not_applicable(tally: Tally, width: int) -> Iterator[Line]:
    """Why faults of the mix were left out: once for all lanes that say the same."""
    for number, lanes in sorted(tally.not_applicable.items()):
        for why in sorted(set(lanes.values())):
            concerned = sorted(lane for lane, reason in lanes.items() if reason == why)
            where = "" if set(concerned) == set(tally.shapes) else f" on {', '.join(concerned)}"
            text = f"{number} is not applicable{where}: {why}"
            yield from wrap((Piece(f"  {one_line(text)}", "dim"),), width=width, indent=4)


def _verdict(result: SeriesResult, width: int) -> Iterator[Line]:
    tally = result.tally
    if result.held:
        yield (Piece("no promise was broken", "good"),)
        return
    yield from wrap(
        (
            Piece(f"{many(tally.failed_runs, 'run')} broke a promise", "bad"),
            Piece(f"; the first is seed {result.first_failing_seed}"),
        ),
        width=width,
        indent=2,
    )
    for promise, count in sorted(tally.promises.items()):
        yield (Piece(f"  {promise:16} {count:>8,} {'run' if count == 1 else 'runs'}"),)
    for failure in tally.failures[:5]:
        faults = " ".join(failure.faults) or "without faults"
        text = f"seed {failure.seed}, lane {one_line(failure.shape)}, {faults}: {one_line(failure.what)}"
        yield from wrap((Piece("  " + text),), width=width, indent=6)


def _shrunk(counterexample: Counterexample, width: int) -> Iterator[Line]:
    plan = counterexample.plan
    pieces = (
        Piece(f"seed {plan.seed} shrunk to {many(len(plan.injections), 'injection')}", "title"),
        Piece(f" in {many(counterexample.runs, 'run')}", "dim"),
    )
    yield from wrap(pieces, width=width, indent=2)
    yield from _assumed(plan.assumptions, width)


def _plan(story: Story, width: int) -> Iterator[Line]:
    for injection in story.plan.injections:
        given = ", ".join(f"{key} {value}" for key, value in injection.given.items())
        pieces = (Piece(f"  {injection.fault:6}"), Piece(f" {injection.act} {one_line(given)}", "dim"))
        yield from wrap(pieces, width=width, indent=9)
    for number, why in sorted(story.plan.left_out.items()):
        yield from wrap(
            (Piece(f"  {number:6}"), Piece(f" not applicable: {one_line(why)}", "dim")), width=width, indent=9
        )
    yield from _assumed(story.plan.assumptions, width)


def _violations(story: Story, width: int) -> Iterator[Line]:
    """Every breach, also those of cycles that the story leaves out."""
    zone = story.lane.lane.zone
    for each in sorted(story.outcome.violations, key=lambda violation: violation.at):
        stamp = f"  {local(each.at, zone):%a %d %H:%M:%S}  "
        pieces = (Piece(stamp, "dim"), Piece(f"{each.promise}: {one_line(each.what)}", "bad"))
        yield from wrap(pieces, width=width, indent=19)


def _assumed(assumptions: Assumptions, width: int) -> Iterator[Line]:
    usual = asdict(Assumptions())
    other = [f"{name} {str(value).lower()}" for name, value in asdict(assumptions).items() if value != usual[name]]
    if other:
        yield from wrap((Piece("  AWS read otherwise: ", "dim"), Piece(", ".join(other))), width=width, indent=4)


def _story(story: Story, width: int) -> Iterator[Line]:
    day = None
    zone = story.lane.lane.zone
    yield (Piece(f"  times are {zone}", "dim"),)
    for scene in story.scenes:
        when = local(scene.at, zone)
        stamp = f"  {when:%a %d %H:%M:%S}  " if when.date() != day else f"         {when:%H:%M:%S}  "
        day = when.date()
        who = f"{one_line(scene.who)}: " if scene.who else ""
        pieces = (Piece(stamp, "dim"), Piece(who, "title"), Piece(one_line(scene.what), _ROLES[scene.kind]))
        yield from wrap(pieces, width=width, indent=19)


def _digest(story: Story) -> Piece:
    return Piece(story.outcome.digest[:16], "dim")
