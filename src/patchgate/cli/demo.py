"""``patchgate demo``: the sample rehearsal, and what to try next."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from patchgate.cli.program import describe_program
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
