"""Campaigns: ``patchgate rehearse --runs``, ``--faults`` and ``--replay``."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from patchgate.cli.console import Progress, describe_terminal
from patchgate.cli.errors import INTERRUPTED
from patchgate.cli.installed import require_emulator
from patchgate.cli.options import GivenPath, is_given
from patchgate.cli.output import check_writable, replace_file
from patchgate.cli.program import describe_program
from patchgate.errors import PatchgateError, UnsafeError

if TYPE_CHECKING:
    from patchgate.config import ParameterOverride
    from patchgate.rehearsal.campaign.checkpoint import Checkpoint
    from patchgate.rehearsal.campaign.series import Series, SeriesResult
    from patchgate.rehearsal.campaign.shrinking import Counterexample
    from patchgate.rehearsal.campaign.story import Story
    from patchgate.rehearsal.stage import DoorName

DEFAULT_REGION = "us-east-1"
_BETWEEN_SHOWS = 0.5
_BETWEEN_CHECKPOINTS = 10.0
_OPTIONS = ("runs", "faults", "jobs", "replay", "templates", "checkpoint")
_NOT_BESIDE_REPLAY = ("runs", "seed", "checkpoint")
_NOT_BESIDE = ("world", "start", "cycles", "lane", "history", "endpoint_url", "runtime")


class InterruptedCampaignError(PatchgateError):
    """Ctrl-C ended a campaign with a checkpoint."""

    exit_code = INTERRUPTED


@dataclass(frozen=True, slots=True)
class CampaignRequest:
    """What to run and what to show. ``replay`` tells one seed's story instead.

    The lanes are those of ``fleet``, what ``templates`` deploy in ``region``, or without both the standard ones.
    """

    runs: int = 1
    seed: int = 0
    faults: str = "default"
    jobs: int | None = None
    replay: int | None = None
    checkpoint: Path | None = None
    templates: Path | None = None
    region: str | None = None
    fleet: Path | None = None
    overrides: tuple[ParameterOverride, ...] = ()
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    output: str = "text"
    door: DoorName = "direct"


def _read_region(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A Region of the catalogue; click.BadParameter names the nearest one to any other."""
    from patchgate.domain.regions import regions

    known = [each.name for each in regions()] if value else []
    if value and value not in known:
        from difflib import get_close_matches

        nearest = get_close_matches(value, known, n=1)
        raise click.BadParameter(f"unknown Region '{value}'" + (f"; did you mean '{nearest[0]}'?" if nearest else "."))
    return value


def campaign_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that make a rehearsal a campaign."""
    for option in reversed(
        (
            click.option("--runs", type=click.IntRange(min=1), default=1, help="A campaign of so many short runs."),
            click.option(
                "--faults",
                metavar="MIX",
                default="default",
                show_default=True,
                help="What goes wrong in a campaign: none, default, all, or numbers such as F16,F28.",
            ),
            click.option(
                "--jobs", type=click.IntRange(min=1), help="Processes of a campaign. [default: one per processor]"
            ),
            click.option(
                "--templates",
                type=GivenPath(),
                metavar="DIR",
                help="A campaign on the CloudFormation templates of others in DIR, instead of patchgate's.",
            ),
            click.option(
                "--region",
                metavar="REGION",
                callback=_read_region,
                help=f"Where --templates are deployed. [default: {DEFAULT_REGION}]",
            ),
            click.option(
                "--checkpoint",
                type=GivenPath(),
                metavar="FILE",
                help="Keep what is done in FILE, and go on from there; with --runs in steps of 20.",
            ),
            click.option("--replay", type=click.IntRange(min=0), metavar="SEED", help="Tell one run of a campaign."),
        )
    ):
        command = option(command)
    return command


def is_campaign() -> bool:
    """Whether the command line asks for a campaign."""
    return any(map(is_given, _OPTIONS))


def refuse_beside_campaign() -> None:
    """Raise UsageError for what a campaign, or the replay of one seed of it, has no use for."""
    for parameter in _NOT_BESIDE:
        if is_given(parameter):
            option = parameter.replace("_", "-")
            raise click.UsageError(f"--{option} is not for campaigns ({', '.join(f'--{name}' for name in _OPTIONS)}).")
    for option in _NOT_BESIDE_REPLAY if is_given("replay") else ():
        if is_given(option):
            raise click.UsageError(f"--replay SEED tells one run of a campaign: leave --{option} out.")


def refuse_region_alone() -> None:
    """Raise UsageError for a Region in which nothing is deployed."""
    if is_given("region") and not is_given("templates"):
        raise click.UsageError("--region is for --templates: lanes have their own.")


def carry_out_campaign(request: CampaignRequest) -> int:
    """Run what was asked for, print it, and return the exit code: 0, or 3 for a broken promise."""
    if request.output == "svg":
        raise click.UsageError("a campaign is written as text or json.")
    if request.overrides and request.fleet is None:
        raise click.UsageError("--parameter needs a fleet file in a campaign: the standard lanes have theirs.")
    if request.units and request.fleet is None:
        raise click.UsageError("--unit needs a fleet file.")
    if request.templates is not None and request.fleet is not None:
        raise click.UsageError("give FLEET or --templates, not both.")
    require_emulator()
    series = _series(request)
    if request.replay is not None:
        return _replay(series, request.replay, request)
    jobs = request.jobs or max(1, min(os.cpu_count() or 1, series.runs // 200))
    began = time.monotonic()
    result = _run(series, jobs, began, request.checkpoint)
    elapsed = time.monotonic() - began
    counterexample, story = (None, None) if result.held else _shrink(series, result)
    sys.stdout.write(_render(result, request, elapsed, jobs, counterexample, story))
    return 0 if result.held else UnsafeError.exit_code


def _series(request: CampaignRequest) -> Series:
    from patchgate.rehearsal.campaign.series import Series
    from patchgate.rehearsal.campaign.shapes import SHAPES

    shapes = SHAPES
    if request.fleet is not None:
        from patchgate.config import read_fleet
        from patchgate.rehearsal.campaign.shapes import shapes_of

        shapes = shapes_of(read_fleet(request.fleet).with_units(request.units).with_parameters(request.overrides))
    if request.templates is not None:
        from patchgate.rehearsal.campaign.foreign import read_foreign_shapes

        shapes = read_foreign_shapes(request.templates, request.region or DEFAULT_REGION)
    return Series(request.runs, request.seed, request.faults, shapes, request.door)


def _run(series: Series, jobs: int, began: float, path: Path | None) -> SeriesResult:
    """Run what is not done yet; with a path, what is done is kept there, also when this is interrupted."""
    from patchgate.rehearsal.campaign.checkpoint import Checkpoint, read_checkpoint
    from patchgate.rehearsal.campaign.series import SeriesResult, run_chunks
    from patchgate.rehearsal.campaign.workers import WorkerDiedError
    from patchgate.report.campaign_text import describe_progress

    if path is not None:
        check_writable(path)
    checkpoint = Checkpoint(series) if path is None else read_checkpoint(path, series)
    before = checkpoint.tally.runs
    terminal = describe_terminal(sys.stderr, os.environ)
    shown = kept = began
    try:
        with (
            Progress(sys.stderr, terminal) as progress,
            _kept(checkpoint, path),
            closing(run_chunks(series, checkpoint.rest(), jobs=jobs)) as parts,
        ):
            if before:
                progress.show(f"{path} has {before:,} of {series.runs:,} runs already")
            for first, part in parts:
                checkpoint.add(first, part)
                now = time.monotonic()
                if now - shown >= (_BETWEEN_SHOWS if terminal.interactive else 60 * _BETWEEN_SHOWS):
                    shown = now
                    done = describe_progress(checkpoint.tally, series.runs, now - began, before=before)
                    progress.show(done)
                if path is not None and now - kept >= _BETWEEN_CHECKPOINTS:
                    kept = now
                    _keep(path, checkpoint)
    except WorkerDiedError as error:
        way_on = _way_on(checkpoint) if path is not None else "with --checkpoint FILE what is done is kept"
        raise WorkerDiedError(
            f"{error}; {_describe_done(checkpoint, path)}", remedy=f"{way_on}; {error.remedy}"
        ) from error
    except KeyboardInterrupt:
        if path is None:
            raise
        said = f"stopped; {_describe_done(checkpoint, path)}"
        raise InterruptedCampaignError(said, remedy=_way_on(checkpoint)) from None
    return SeriesResult(series, checkpoint.tally, before)


@contextmanager
def _kept(checkpoint: Checkpoint, path: Path | None) -> Iterator[None]:
    """Whatever happens: what is done is in the file at the end."""
    try:
        yield
    finally:
        if path is not None:
            _keep(path, checkpoint)


def _describe_done(checkpoint: Checkpoint, path: Path | None) -> str:
    """How far a series came that was not ended, and where that is kept."""
    from patchgate.rehearsal.campaign.series import describe_seeds

    done, runs = checkpoint.tally.runs, checkpoint.series.runs
    if not done:
        return f"none of {runs:,} runs was done"
    text = f"done: {done:,} of {runs:,} runs, {describe_seeds(checkpoint.done_spans())}"
    return f"{text}, kept in {path}" if path is not None else text


def _way_on(checkpoint: Checkpoint) -> str:
    return f"the same command {'goes on from there' if checkpoint.done else 'begins it again'}"


def _keep(path: Path, checkpoint: Checkpoint) -> None:
    from patchgate.rehearsal.campaign.checkpoint import write_checkpoint

    replace_file(path, write_checkpoint(checkpoint))


def _shrink(series: Series, result: SeriesResult) -> tuple[Counterexample, Story]:
    from patchgate.rehearsal.campaign.ground import open_grounds
    from patchgate.rehearsal.campaign.mixes import shape_of
    from patchgate.rehearsal.campaign.run import carry_out
    from patchgate.rehearsal.campaign.series import plan_of
    from patchgate.rehearsal.campaign.shrinking import shrink
    from patchgate.rehearsal.campaign.story import tell

    seed = result.tally.failures[0].seed
    with Progress(sys.stderr, describe_terminal(sys.stderr, os.environ)) as progress, open_grounds() as grounds:
        progress.show(f"shrinking seed {seed}")
        ground, plan = grounds.of(shape_of(seed, series.shapes)), plan_of(series, seed, grounds)
        found = shrink(grounds, ground, plan, carry_out(grounds, ground, plan))
        return found, tell(ground, found.plan, found.outcome, grounds.stage.cloud.history)


def _replay(series: Series, seed: int, request: CampaignRequest) -> int:
    from patchgate.rehearsal.campaign.ground import open_grounds
    from patchgate.rehearsal.campaign.mixes import shape_of
    from patchgate.rehearsal.campaign.run import carry_out
    from patchgate.rehearsal.campaign.series import plan_of
    from patchgate.rehearsal.campaign.story import tell
    from patchgate.report.campaign_json import render_story_json
    from patchgate.report.campaign_text import render_story_text

    with open_grounds(request.door) as grounds:
        plan = plan_of(series, seed, grounds)
        ground = grounds.of(shape_of(seed, series.shapes))
        outcome = carry_out(grounds, ground, plan)
        story = tell(ground, plan, outcome, grounds.stage.cloud.history)
    if request.output == "json":
        sys.stdout.write(render_story_json(story))
    else:
        terminal = describe_terminal(sys.stdout, os.environ)
        look = {"width": terminal.width, "color": terminal.color, "ascii_only": terminal.ascii_only}
        sys.stdout.write(render_story_text(story, **look))  # type: ignore[arg-type]
    return UnsafeError.exit_code if outcome.violations else 0


def _render(
    result: SeriesResult,
    request: CampaignRequest,
    elapsed: float,
    jobs: int,
    counterexample: Counterexample | None,
    story: Story | None,
) -> str:
    from patchgate.report.campaign_json import render_series_json
    from patchgate.report.campaign_text import render_series_text

    if request.output == "json":
        return render_series_json(result, counterexample)
    terminal = describe_terminal(sys.stdout, os.environ)
    return render_series_text(
        result,
        elapsed=elapsed,
        jobs=jobs,
        width=terminal.width,
        color=terminal.color,
        ascii_only=terminal.ascii_only,
        counterexample=counterexample,
        story=story,
        command=_replay_command(result, request),
    )


def _replay_command(result: SeriesResult, request: CampaignRequest) -> str:
    words = ["rehearse", *([str(request.fleet)] if request.fleet else [])]
    if request.templates is not None:
        words += ["--templates", str(request.templates), *(["--region", request.region] if request.region else [])]
    for override in request.overrides:
        words += ["--parameter", f"{override.lanes}:{override.name}={override.value}"]
    for unit, accounts in request.units.items():
        words += ["--unit", f"{unit}={','.join(accounts)}"]
    words += ["--faults", request.faults, "--replay", str(result.first_failing_seed)]
    return f"{describe_program(sys.argv[0], Path.cwd())} {shlex.join(words)}"
