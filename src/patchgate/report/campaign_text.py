"""A campaign on a screen: what came of all runs, of each fault, and the story of one run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.faults import FAULTS
from patchgate.rehearsal.campaign.mixes import read_mix
from patchgate.rehearsal.campaign.series import FaultTally, SeriesResult, Tally
from patchgate.rehearsal.campaign.shrinking import Counterexample
from patchgate.rehearsal.campaign.story import Kind, Story
from patchgate.report.screen import Line, Piece, Role, draw, fit, one_line, wrap
from patchgate.report.time_axis import local

_BAR = 24
_ROLES: dict[Kind, Role] = {"fault": "warn", "lane": "plain", "machine": "plain", "violation": "bad"}


def describe_progress(tally: Tally, runs: int, elapsed: float, *, before: int = 0) -> str:
    """One line for a progress bar: how far, how fast, and whether something was found.

    ``before`` runs were done when the clock of ``elapsed`` began.
    """
    done = tally.runs / runs if runs else 1.0
    bar = "#" * round(_BAR * done)
    rate = (tally.runs - before) / elapsed if elapsed else 0.0
    found = f", {tally.failed_runs} broke a promise" if tally.failed_runs else ""
    return f"[{bar:.<{_BAR}}] {tally.runs:,} of {runs:,} runs, {rate:,.0f} a second{found}"


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
    lines = [*_heading(result, elapsed, jobs), (), *_faults(result, width), ()]
    lines += _verdict(result, width)
    if counterexample is not None and story is not None:
        lines += [(), *_shrunk(counterexample, width), (), *_story(story, width)]
        if command:
            lines += [(), (Piece("again: ", "dim"), Piece(command, "command"))]
    return draw(lines, color=color, ascii_only=ascii_only)


def render_story_text(story: Story, *, width: int, color: bool, ascii_only: bool) -> str:
    """One run: its plan, and what happened."""
    plan = story.plan
    lines: list[Line] = [(Piece(f"seed {plan.seed}", "title"), Piece(f"  lane {plan.shape}  history "), _digest(story))]
    lines += [*_plan(story), (), *_story(story, width), ()]
    broken = story.outcome.violations
    if broken:
        lines.append((Piece(f"{len(broken)} violations", "bad"),))
    else:
        lines.append((Piece("every promise was kept", "good"),))
    return draw(lines, color=color, ascii_only=ascii_only)


def _heading(result: SeriesResult, elapsed: float, jobs: int) -> Iterator[Line]:
    series, tally = result.series, result.tally
    last = series.first + series.runs - 1
    yield (
        Piece(f"{tally.runs:,} rehearsals", "title"),
        Piece(f"  faults {series.mix}, seeds {series.first} to {last}, {series.door} door"),
    )
    rate = f"{(tally.runs - result.before) / elapsed:,.0f} a second" if elapsed else ""
    rate += f"; {result.before:,} runs were done before" if result.before else ""
    yield (Piece(f"  {elapsed:,.1f} s with {jobs} {'process' if jobs == 1 else 'processes'}, {rate}", "dim"),)
    lanes = ", ".join(f"{name} {count:,}" for name, count in sorted(tally.shapes.items()))
    yield (Piece(f"  lanes: {lanes}", "dim"),)
    yield (
        Piece(
            f"  {tally.events:,} events; {tally.installs:,} installs, {tally.patched:,} machines patched, "
            f"{tally.denied:,} denials, {tally.holds:,} holds"
        ),
    )
    repeated = f"; {tally.repeated:,} runs were repeated, with the same history" if tally.repeated else ""
    yield (Piece(f"  sum of all histories' SHA-256: {tally.digest:064x}{repeated}", "dim"),)


def _faults(result: SeriesResult, width: int) -> Iterator[Line]:
    tallies, nowhere = result.tally.faults, result.tally.applies_nowhere()
    if not tallies and not result.tally.not_applicable:
        return
    says = max(20, width - 38)
    yield (Piece(f"  {'fault':6} {fit('what goes wrong', says)} {'runs':>8} {'struck':>8} {'broken':>7}", "dim"),)
    for number in sorted(tallies.keys() | nowhere):
        tally = tallies.get(number, FaultTally())
        role: Role = "bad" if tally.violated else "plain"
        meaning = fit(FAULTS[number].says if number in FAULTS else "", says)
        counts = f"{tally.planned:>8,} {tally.struck:>8,} {tally.violated:>7,}"
        if number in nowhere:
            counts = f"{'not applicable':>25}"
        yield (Piece(f"  {number:6} {meaning} "), Piece(counts, role))
    yield from _not_applicable(result.tally, width)
    count = len(read_mix(result.series.mix).faults) - len(nowhere)
    possible = count * (count - 1) // 2
    met = sum(1 for one, other in result.tally.pairs if one != other)
    yield (Piece(f"  {met:,} of {possible:,} pairs of faults met in a run", "dim"),)


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
    runs = "1 run" if tally.failed_runs == 1 else f"{tally.failed_runs:,} runs"
    yield (Piece(f"{runs} broke a promise", "bad"), Piece(f"; the first is seed {result.first_failing_seed}"))
    for promise, count in sorted(tally.promises.items()):
        yield (Piece(f"  {promise:16} {count:>8,} runs"),)
    for failure in tally.failures[:5]:
        text = f"seed {failure.seed}, lane {failure.shape}, {' '.join(failure.faults)}: {one_line(failure.what)}"
        yield from wrap((Piece("  " + text),), width=width, indent=6)


def _shrunk(counterexample: Counterexample, width: int) -> Iterator[Line]:
    plan = counterexample.plan
    yield (
        Piece(f"seed {plan.seed} shrunk to {len(plan.injections)} injections", "title"),
        Piece(f" in {counterexample.runs} runs", "dim"),
    )
    yield from _assumed(plan.assumptions, width)


def _plan(story: Story) -> Iterator[Line]:
    for injection in story.plan.injections:
        given = ", ".join(f"{key} {value}" for key, value in injection.given.items())
        yield (Piece(f"  {injection.fault:6}"), Piece(f" {injection.act} {one_line(given)}", "dim"))
    for number, why in sorted(story.plan.left_out.items()):
        yield (Piece(f"  {number:6}"), Piece(f" not applicable: {one_line(why)}", "dim"))
    yield from _assumed(story.plan.assumptions, 100)


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
