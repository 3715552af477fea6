"""``patchgate deploy``: a fleet file, or a plan that was saved, carried out."""

from __future__ import annotations

from pathlib import Path

import click

from patchgate.cli.capacity import install_minutes_option, instances_option
from patchgate.cli.installed import require_sdk
from patchgate.cli.options import is_given
from patchgate.cli.rollout_options import (
    journal_option,
    member_role_option,
    output_option,
    profile_option,
    proof_options,
    prune_option,
    take_over_option,
    yes_option,
)
from patchgate.errors import InputError


@click.command()
@click.argument("fleet", type=click.Path(path_type=Path), required=False)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Do exactly what patchgate plan --save wrote, or nothing when AWS has changed since.",
)
@yes_option
@click.option(
    "--bake",
    type=click.FloatRange(min=0),
    default=0,
    metavar="MINUTES",
    help="Wait so long between waves, and go on when the stacks still are as they should be.",
)
@prune_option
@journal_option
@take_over_option
@proof_options
@instances_option
@install_minutes_option
@profile_option
@member_role_option
@output_option
def deploy(  # noqa: PLR0913 - one argument an option
    *,
    fleet: Path | None,
    plan_file: Path | None,
    yes: bool,
    bake: float,
    prune: bool,
    journal: Path | None,
    take_over: bool,
    years: int,
    allow_idle: bool,
    instances: tuple[tuple[str, int], ...],
    install_minutes: int,
    profile: str | None,
    member_role: str | None,
    output: str,
) -> int:
    """Deploy the fleet file FLEET, or a saved plan: log buckets, backups and windows, then gates.

    Environments are waves, in the order of promotion; the first that fails is the last. Run it again to go on: what is
    as it should be stays untouched. Without --yes and without a terminal it only plans, and exits with 1.

    Exits with 3 when the order of a lane is broken.
    """
    require_sdk()
    from patchgate.cli.clock import read_exact_clock
    from patchgate.cli.rollout import (
        Conduct,
        carry_out,
        home_region,
        reach_aws,
        read_capacity,
        read_fleet_file,
        show_plan,
        survey_with_progress,
    )
    from patchgate.operations.rollout.plan_file import parse_plan_file
    from patchgate.operations.rollout.planning import PlanRequest, plan_deployment

    if plan_file is not None:
        for option in ("prune", "years", "allow_idle", "instances", "install_minutes"):
            if is_given(option):
                name = f"--{option.replace('_', '-')}"
                raise click.UsageError(f"{name} belongs to the plan: give it to patchgate plan.")
        if fleet is not None:
            raise click.UsageError("give a fleet file or --plan, not both.")
        made = parse_plan_file(_read(plan_file), str(plan_file))
        if made.purpose != "deploy":
            raise InputError(f"{plan_file} is a plan to destroy", remedy="patchgate destroy FLEET does that")
        reach = reach_aws(member_role or made.member_role, made.lock_region, profile)
        journal = journal or plan_file.with_name(f"{plan_file.name}.journal.jsonl")
    else:
        config = read_fleet_file(fleet or Path("fleet.yaml"), member_role)
        reach = reach_aws(config.deployment.member_role, home_region(config), profile)
        found = survey_with_progress(config, reach)
        capacity = read_capacity(found, instances, install_minutes)
        made = plan_deployment(found, PlanRequest(read_exact_clock(), years, allow_idle, prune, capacity))
    if output == "text":
        show_plan(made, output)
    return carry_out(made, reach, Conduct(yes, output, bake, take_over, journal, resume=plan_file is not None))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}", remedy="make it with: patchgate plan FLEET --save FILE"
        ) from error
