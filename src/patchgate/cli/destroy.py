"""``patchgate destroy``: the opposite of deploy; what holds backups and logs is kept."""

from __future__ import annotations

from pathlib import Path

import click

from patchgate.cli.installed import require_sdk
from patchgate.cli.rollout_options import (
    journal_option,
    member_role_option,
    output_option,
    profile_option,
    prune_option,
    take_over_option,
    yes_option,
)


@click.command()
@click.argument("fleet", type=click.Path(path_type=Path), default="fleet.yaml")
@yes_option
@prune_option
@journal_option
@take_over_option
@profile_option
@member_role_option
@output_option
def destroy(
    *,
    fleet: Path,
    yes: bool,
    prune: bool,
    journal: Path | None,
    take_over: bool,
    profile: str | None,
    member_role: str | None,
    output: str,
) -> int:
    """Remove every stack and stack set of the fleet file FLEET: nothing is patched there any more.

    The last environment goes first. Backup vaults with their recovery points, backup roles, and log buckets with what
    is in them are kept; a later deployment uses the vaults and roles again. Without --yes and without a terminal it
    only says what would go, and exits with 1.
    """
    require_sdk()
    from patchgate.cli.clock import read_exact_clock
    from patchgate.cli.rollout import (
        Conduct,
        carry_out,
        home_region,
        reach_aws,
        read_fleet_file,
        show_plan,
        survey_with_progress,
    )
    from patchgate.operations.rollout.removal import plan_removal

    config = read_fleet_file(fleet, member_role)
    reach = reach_aws(config.deployment.member_role, home_region(config), profile)
    made = plan_removal(survey_with_progress(config, reach), read_exact_clock(), prune=prune)
    if output == "text":
        show_plan(made, output)
    return carry_out(made, reach, Conduct(yes, output, 0, take_over, journal))
