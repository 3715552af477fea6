"""Options that plan, deploy and destroy share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

profile_option = click.option("--profile", metavar="NAME", help="The SDK's profile. [default: the SDK's own]")
member_role_option = click.option(
    "--member-role",
    metavar="NAME",
    help="Role in every other account. [default: deployment.member_role of FLEET]",
)
prune_option = click.option("--prune", is_flag=True, help="Also remove patchgate's stacks that no lane of FLEET has.")
output_option = click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A screen for people, or one JSON object.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask. Without it, and without a terminal, it only plans.")
take_over_option = click.option(
    "--take-over", is_flag=True, help="Take the place of a deployment that is not running any more."
)
journal_option = click.option(
    "--journal",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to record what was done. [default: in your state directory; with --plan, beside it]",
)


def proof_options(command: _Command) -> _Command:
    """How far ahead the order of the lanes is proved."""
    command = click.option(
        "--allow-idle", is_flag=True, help="Accept gates, backups and closes that belong to no window."
    )(command)
    return click.option(
        "--years",
        type=click.IntRange(1, 100),
        default=3,
        show_default=True,
        help="How far ahead the order of every lane is proved.",
    )(command)
