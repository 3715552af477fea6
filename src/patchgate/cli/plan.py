"""``patchgate plan``: what a deployment would change, lane by lane; nothing is touched."""

from __future__ import annotations

from pathlib import Path

import click

from patchgate.cli.capacity import install_minutes_option, instances_option
from patchgate.cli.installed import require_sdk
from patchgate.cli.output import check_writable, replace_file
from patchgate.cli.rollout_options import (
    member_role_option,
    output_option,
    profile_option,
    proof_options,
    prune_option,
)
from patchgate.errors import UnsafeError


@click.command()
@click.argument("fleet", type=click.Path(path_type=Path), default="fleet.yaml")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file for deploy --plan.")
@click.option("--all", "every", is_flag=True, help="Also list the stacks that stay as they are.")
@click.option(
    "--detect-drift", is_flag=True, help="Have CloudFormation look for drift first; otherwise its last word is shown."
)
@prune_option
@proof_options
@instances_option
@install_minutes_option
@profile_option
@member_role_option
@output_option
def plan(  # noqa: PLR0913 - one argument an option
    *,
    fleet: Path,
    save: Path | None,
    every: bool,
    detect_drift: bool,
    prune: bool,
    years: int,
    allow_idle: bool,
    instances: tuple[tuple[str, int], ...],
    install_minutes: int,
    profile: str | None,
    member_role: str | None,
    output: str,
) -> int:
    """Show what a deployment of the fleet file FLEET would create, update, leave and remove.

    Reads accounts, organizational units, stacks and stack sets, and changes nothing. The order of every lane's
    schedules is proved, and AWS's quotas, lengths and sizes are checked.

    Exits with 3 when the order is broken, and with 1 when AWS would refuse the deployment.
    """
    require_sdk()
    from patchgate.cli.clock import read_exact_clock
    from patchgate.cli.rollout import (
        home_region,
        reach_aws,
        read_capacity,
        read_fleet_file,
        show_plan,
        survey_with_progress,
    )
    from patchgate.operations.rollout.plan_file import render_plan_file
    from patchgate.operations.rollout.planning import PlanRequest, plan_deployment

    if save is not None:
        check_writable(save)
    config = read_fleet_file(fleet, member_role)
    reach = reach_aws(config.deployment.member_role, home_region(config), profile)
    found = survey_with_progress(config, reach, detect_drift=detect_drift)
    capacity = read_capacity(found, instances, install_minutes)
    made = plan_deployment(found, PlanRequest(read_exact_clock(), years, allow_idle, prune, capacity))
    show_plan(made, output, every=every)
    if save is not None:
        replace_file(save, render_plan_file(made))
    if made.proof is not None and made.proof.findings:
        return UnsafeError.exit_code
    return 1 if made.problems else 0
