"""`patchgate synth`: the three CloudFormation templates as files."""

from __future__ import annotations

from pathlib import Path

import click

from patchgate.errors import PatchgateError


@click.command("synth")
@click.option(
    "-o",
    "--output-dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("templates"),
    show_default=True,
    help="Directory of the templates.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file differs from a fresh build.")
def synth(directory: Path, *, check: bool) -> None:
    """Write the three CloudFormation templates, byte for byte the same for the same version."""
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
