"""Write the reference pages that are made from the code: commands, fleet file, templates, embedded AWS.

``python docs/generate.py`` writes them; with ``--check`` it only says which are out of date, and exits with 1.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

from patchgate.cli.root import COMMANDS, EPILOG, patchgate
from patchgate.config.reference import build_fleet_page
from patchgate.config.schema import FILE_NAME, render_schema
from patchgate.emulator.coverage import build_page as build_embedded_aws_page
from patchgate.judge.reference import build_promises_page
from patchgate.rehearsal.campaign.reference import FaultTests, build_campaigns_page
from patchgate.rehearsal.reference import build_history_page, build_world_page
from patchgate.templates.reference import build_templates_page

REPOSITORY = Path(__file__).parents[1]
REFERENCE = Path(__file__).parent / "reference"
SCHEMA = Path(__file__).parents[1] / "examples" / FILE_NAME
NOTICE = "<!-- Made by `make generate` from the code. Edit that, not this. -->"
HELP_WIDTH = 100


def build_cli_page() -> str:
    """The reference of every command: its help, as the program prints it."""
    root = patchgate.make_context("patchgate", [], resilient_parsing=True, terminal_width=HELP_WIDTH)
    parts = [
        NOTICE,
        "# Commands",
        "What `patchgate COMMAND --help` prints.",
        EPILOG,
        _help_block(patchgate, root),
    ]
    for name in sorted(COMMANDS):
        command = patchgate.load(name)
        context = command.make_context(name, [], parent=root, resilient_parsing=True)
        parts += [f"## patchgate {name}", _help_block(command, context)]
        for below in command.commands.values() if isinstance(command, click.Group) else ():
            inner = below.make_context(str(below.name), [], parent=context, resilient_parsing=True)
            parts += [f"### patchgate {name} {below.name}", _help_block(below, inner)]
    return "\n\n".join([*parts, ENVIRONMENT_VARIABLES])


_FAULT_TEST = re.compile(r"^def test_(f[0-9]{2}|clock|crash)_\w+\(", re.MULTILINE)
_OWN = "tests/unit/rehearsal/campaign/"


def find_fault_tests() -> dict[str, FaultTests]:
    """Where each number of the failure modes is tested: by tests that are called after it.

    Its own is the first in the tests of campaigns, in the order of their files; else the first of all.
    """
    files: dict[str, dict[str, str]] = {}
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(REPOSITORY).as_posix()
        for found in _FAULT_TEST.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            files.setdefault(found[1].upper(), {}).setdefault(name, f"{name}#L{line}")
    own = {number: next((n for n in names if n.startswith(_OWN)), min(names)) for number, names in files.items()}
    return {
        number: FaultTests(names[own[number]], tuple(name for name in names if name != own[number]))
        for number, names in files.items()
    }


ENVIRONMENT_VARIABLES = """\
## Environment variables

| variable | effect |
|---|---|
| `NO_COLOR` | set and not empty: no colours ([no-color.org](https://no-color.org)) |
| `FORCE_COLOR` | set and not empty: colours also where no terminal is ([force-color.org](https://force-color.org)) |
| `TERM=dumb` | no colours, no line that is overwritten |
| `COLUMNS` | the width to draw for |
| `PATCHGATE_STATE_DIR` | where the journals of deployments are, instead of your state directory |
| `PATCHGATE_POLL_SECONDS` | how often `deploy` and `destroy` ask AWS whether an operation is over; 5 if not set |
| `AWS_...` | the SDK's own: `AWS_PROFILE`, `AWS_ENDPOINT_URL`, `AWS_CA_BUNDLE` and others |
| `PATCHGATE_DEBUG=1` | the traceback of an unexpected error, as `--debug` |
"""


def _help_block(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```"


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": build_cli_page,
    "fleet.md": lambda: build_fleet_page(NOTICE),
    "templates.md": lambda: build_templates_page(NOTICE),
    "embedded-aws.md": lambda: build_embedded_aws_page(NOTICE),
    "world.md": lambda: build_world_page(NOTICE),
    "history.md": lambda: build_history_page(NOTICE),
    "promises.md": lambda: build_promises_page(NOTICE),
    "campaigns.md": lambda: build_campaigns_page(NOTICE, find_fault_tests()),
}


def main() -> int:
    """Write the pages, or with ``--check`` compare them; the exit code is 1 when one is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which pages are out of date")
    checking = parser.parse_args().check
    outdated = []
    for path, build in {**{REFERENCE / name: build for name, build in PAGES.items()}, SCHEMA: render_schema}.items():
        text = build()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        outdated.append(path.relative_to(SCHEMA.parents[1]).as_posix())
        if not checking:
            path.write_text(text, encoding="utf-8", newline="\n")
    verb = "out of date, run make generate:" if checking else "written:"
    print(verb, *outdated) if outdated else print("reference pages are up to date")
    return 1 if checking and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
