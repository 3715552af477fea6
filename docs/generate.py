"""Write the reference pages that are made from the code: commands, fleet file, templates, embedded AWS.

``python docs/generate.py`` writes them; with ``--check`` it only says which are out of date, and exits with 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from patchgate.cli.root import COMMANDS, EPILOG, patchgate
from patchgate.config import FleetConfig
from patchgate.emulator.coverage import build_page as build_embedded_aws_page
from patchgate.templates.reference import build_templates_page

REFERENCE = Path(__file__).parent / "reference"
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


ENVIRONMENT_VARIABLES = """\
## Environment variables

| variable | effect |
|---|---|
| `NO_COLOR` | set and not empty: no colours ([no-color.org](https://no-color.org)) |
| `FORCE_COLOR` | set and not empty: colours also where no terminal is ([force-color.org](https://force-color.org)) |
| `TERM=dumb` | no colours, no line that is overwritten |
| `COLUMNS` | the width to draw for |
| `PATCHGATE_DEBUG=1` | the traceback of an unexpected error, as `--debug` |
"""


def build_fleet_page() -> str:
    """The reference of the fleet file: every key of every model."""
    parts = [NOTICE, "# Fleet file", FLEET_INTRODUCTION]
    for path, model in _models(FleetConfig, ""):
        title = f"`{path}`" if path else "The file"
        rows = [_row(name, field) for name, field in model.model_fields.items()]
        table = "\n".join(["| key | value | |", "|---|---|---|", *rows])
        parts += [f"## {title}", (model.__doc__ or "").strip(), table]
    return "\n\n".join(parts) + "\n"


FLEET_INTRODUCTION = """\
A fleet file is YAML: what is patched, where, and with which settings. `examples/fleet.yaml` is a complete one.

- Every problem is reported at once, as `file:line:column`, with the nearest valid word. Unknown keys are refused.
- Scalars follow YAML 1.2: `no` and `on` are words. Tags, anchors, aliases and duplicate keys are refused.
- A lane's parameters are merged from `defaults`, then its target; the later one wins. They are the parameters of the
  three templates, and `patchgate rehearse --parameter` wins over both."""


def _help_block(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```"


def _models(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        inner, is_list = _model_of(field.annotation)
        if inner is not None:
            yield from _models(inner, f"{path}.{name}".lstrip(".") + ("[]" if is_list else ""))


def _model_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if get_origin(annotation) is list:
        return _model_of(get_args(annotation)[0])[0], True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    return None, False


def _row(name: str, field: FieldInfo) -> str:
    described = field.description or _first_line_of(field.annotation)
    needed = "required" if field.is_required() else "optional"
    return f"| `{name}` | {_kind(field.annotation)}, {needed} | {described} |"


def _first_line_of(annotation: Any) -> str:
    model, _ = _model_of(annotation)
    return (model.__doc__ or "").splitlines()[0] if model else ""


def _kind(annotation: Any) -> str:
    model, is_list = _model_of(annotation)
    if model is not None:
        return "list of mappings" if is_list else "mapping"
    if get_origin(annotation) is list:
        return "list of words"
    if get_origin(annotation) is dict:
        return "mapping of names to text, numbers or booleans"
    return "number" if get_args(annotation) == (1,) else "text"


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": build_cli_page,
    "fleet.md": build_fleet_page,
    "templates.md": lambda: build_templates_page(NOTICE),
    "embedded-aws.md": lambda: build_embedded_aws_page(NOTICE),
}


def main() -> int:
    """Write the pages, or with ``--check`` compare them; the exit code is 1 when one is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which pages are out of date")
    checking = parser.parse_args().check
    outdated = []
    for name, build in PAGES.items():
        path, text = REFERENCE / name, build()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        outdated.append(f"docs/reference/{name}")
        if not checking:
            path.write_text(text, encoding="utf-8", newline="\n")
    verb = "out of date, run make generate:" if checking else "written:"
    print(verb, *outdated) if outdated else print("reference pages are up to date")
    return 1 if checking and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
