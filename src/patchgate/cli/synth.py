"""`patchgate synth`: the three CloudFormation templates as files, or a whole fleet for other tools to deploy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchgate.cli.options import is_given
from patchgate.cli.units import unit_option
from patchgate.errors import PatchgateError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEMPLATES = Path("templates")


@click.command("synth")
@click.argument("fleet", type=click.Path(path_type=Path), required=False)
@click.option(
    "--for",
    "form",
    type=click.Choice(["cloudformation", "stacksets"]),
    help="Write the stacks of FLEET: each one by itself, or as the stack sets that its deployment.mode says.",
)
@click.option(
    "-o",
    "--output-dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=_TEMPLATES,
    show_default="templates; with FLEET deployment",
    help="Directory of the files.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file differs from a fresh build.")
@unit_option
@click.option(
    "--management-account",
    metavar="ID",
    default="",
    help="The organization's, which service-managed stack sets do not reach: plain stacks there.",
)
@click.option(
    "--template-url",
    metavar="URL",
    default="",
    help="Where in S3 you put templates/: also write links that open the console's form for every stack.",
)
def synth(
    *,
    fleet: Path | None,
    form: str | None,
    directory: Path,
    check: bool,
    units: Mapping[str, tuple[str, ...]],
    management_account: str,
    template_url: str,
) -> None:
    """Write the three CloudFormation templates, byte for byte the same for the same version.

    With FLEET and --for, write what its deployment needs: templates, parameters, stack sets, scripts of AWS CLI
    calls for POSIX shells and PowerShell, a sceptre project. Nothing asks AWS; the stacks are those of deploy.
    """
    if fleet is None:
        for option, name in (("form", "--for"), ("units", "--unit"), ("template_url", "--template-url")):
            if is_given(option):
                raise click.UsageError(f"{name} needs a fleet file: patchgate synth FLEET {name} ...")
        _synth_templates(directory, check=check)
        return
    if form is None:
        raise click.UsageError("say what to write of the fleet file: --for cloudformation or --for stacksets.")
    if check:
        raise click.UsageError("--check compares the three templates alone: leave FLEET out.")
    from patchgate.cli.clock import read_clock
    from patchgate.config import read_fleet
    from patchgate.operations.export.fleet import build_files
    from patchgate.operations.export.stacks import list_stacks
    from patchgate.operations.synth import write_files

    target = directory if is_given("directory") else Path("deployment")
    config = read_fleet(fleet).with_units(units)
    today = read_clock().date()
    exported = list_stacks(config, today, by_sets=form == "stacksets", management_account=management_account)
    files = build_files(exported, template_url)
    write_files(target, files)
    script = target / ("deploy.ps1" if os.name == "nt" else "deploy.sh")
    click.echo(f"{target}: {len(files)} files for {len(list(exported.stacks))} stacks; deploy them with {script}")


def _synth_templates(directory: Path, *, check: bool) -> None:
    from patchgate.operations.synth import compare_templates, write_templates

    if not check:
        result = write_templates(directory)
        for path in result.files:
            click.echo(f"{path}  {'written' if path in result.stale else 'unchanged'}")
        return
    stale = compare_templates(directory).stale
    if stale:
        raise PatchgateError(
            f"not what this version builds: {', '.join(str(path) for path in stale)}",
            remedy=f"run: patchgate synth -o {directory}",
        )
    click.echo(f"{directory}: all templates are what this version builds")
