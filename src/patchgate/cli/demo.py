"""``patchgate demo``: the sample rehearsal, and what to try next."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from patchgate.cli.rehearse import RehearsalRequest, carry_out

CLOSING_WORDS = """
The templates and the gate were the real ones, the AWS was inside this program: no account, no network. Then:
  {program} rehearse --parameter '*:GateMode=threshold'    the same night, with gates that count completed jobs
  {program} synth -o DIR                                   the templates, to read or to deploy
"""


@click.command()
def demo() -> int:
    """Rehearse the sample fleet on the embedded AWS, and say what to try next."""
    code = carry_out(RehearsalRequest())
    sys.stdout.write(CLOSING_WORDS.format(program=describe_program(sys.argv[0], Path.cwd())))
    return code


def describe_program(invoked_as: str, directory: Path, search_path: str | None = None) -> str:
    """How a person standing in ``directory`` starts this program: by its name where the shell finds it, else its path.

    ``search_path`` is the shell's, that of the environment when None.
    """
    program = Path(invoked_as)
    if program.name == "__main__.py":
        return "python -m patchgate"
    if shutil.which("patchgate", path=search_path):
        return "patchgate"
    if program.is_absolute() and program.is_relative_to(directory):
        program = program.relative_to(directory)
    return str(program) if os.sep in str(program) else f"{os.curdir}{os.sep}{program}"
