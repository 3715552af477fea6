"""The ``patchgate`` command: the table of its commands, and the run of one of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from patchgate._version import __version__
from patchgate.cli.console import prepare_streams
from patchgate.cli.errors import report_errors
from patchgate.cli.lazy import CommandEntry, LazyGroup

COMMANDS = {
    "demo": CommandEntry("patchgate.cli.demo:demo", "Rehearse the sample fleet and say what to try next."),
    "rehearse": CommandEntry("patchgate.cli.rehearse:rehearse", "Run a patch cycle on the embedded AWS."),
    "emulator": CommandEntry("patchgate.cli.emulator:emulator", "Serve the embedded AWS to other tools."),
    "init": CommandEntry("patchgate.cli.init:init", "Write a first fleet file, from options or by asking."),
    "config": CommandEntry("patchgate.cli.config:config", "Show what a fleet file comes to, and its JSON Schema."),
    "check": CommandEntry("patchgate.cli.check:check", "Prove that all schedules line up, years ahead."),
    "calendar": CommandEntry("patchgate.cli.calendar:calendar", "Show what runs when in every lane."),
    "plan": CommandEntry("patchgate.cli.plan:plan", "Show what a deployment of the fleet would change."),
    "deploy": CommandEntry("patchgate.cli.deploy:deploy", "Deploy the fleet, environment by environment."),
    "destroy": CommandEntry("patchgate.cli.destroy:destroy", "Remove what was deployed; backups and logs are kept."),
    "status": CommandEntry("patchgate.cli.status:status", "Show how every lane is, and what needs a person."),
    "schedule": CommandEntry("patchgate.cli.schedule:schedule", "Compute, explain and derive schedule expressions."),
    "synth": CommandEntry("patchgate.cli.synth:synth", "Write the CloudFormation templates."),
    "completion": CommandEntry("patchgate.cli.completion:completion", "Print the shell completion script."),
}

EPILOG = "Exit codes: 0 done, 1 failed, 2 wrong input, 3 a promise was broken, 130 stopped with Ctrl-C."


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error. [env: PATCHGATE_DEBUG=1]")
@click.pass_context
def patchgate(context: click.Context, *, debug: bool) -> None:  # noqa: ARG001 - read by wants_traceback
    """Fleet OS patching on AWS, hands off and safe: no backup, no patch."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run the command that ``arguments`` name, report its errors, and return the exit code."""
    prepare_streams()

    def call() -> int:
        result = patchgate.main(args=list(arguments), prog_name="patchgate", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0

    return report_errors(call, debug=wants_traceback(arguments))


def wants_traceback(arguments: Sequence[str]) -> bool:
    """Whether ``--debug`` stands before the command, or ``PATCHGATE_DEBUG`` is set and not 0."""
    before_command = []
    for argument in arguments:
        if not argument.startswith("-"):
            break
        before_command.append(argument)
    return "--debug" in before_command or os.environ.get("PATCHGATE_DEBUG", "0") not in {"", "0"}
