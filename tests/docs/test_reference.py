"""The documentation is of this program: pages are current, links lead somewhere, commands can be given as written."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from patchgate.cli.root import COMMANDS, patchgate
from patchgate.config import parse_fleet
from patchgate.emulator.runtime import REFUSED

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
COMMAND_REFERENCE = ROOT / "docs" / "reference" / "cli.md"
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def blocks(page: Path, language: str) -> Iterator[str]:
    """The code blocks of a page in one language, without their indentation."""
    for indent, found, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if found == language:
            yield "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def shell_lines() -> Iterator[tuple[str, str]]:
    """(page, command) of every line that a page tells its reader to type."""
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in block.splitlines():
                if line.startswith("$ "):
                    yield str(page.relative_to(ROOT)), line.removeprefix("$ ")


def test_the_generated_pages_are_current() -> None:
    generator = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert generator.returncode == 0, generator.stdout + generator.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_each_of_its_options_is_documented(name: str) -> None:
    text = COMMAND_REFERENCE.read_text(encoding="utf-8")
    assert f"## patchgate {name}\n" in text
    section = text.split(f"## patchgate {name}\n")[1].split("\n## ")[0]
    for parameter in patchgate.load(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts[0]} has no help"
            assert parameter.opts[0] in section


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    targets = [target.partition("#")[0] for target in _LINK.findall(page.read_text(encoding="utf-8"))]
    local = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    assert not [target for target in local if not (page.parent / target).exists()]


@pytest.mark.parametrize(("page", "line"), [each for each in shell_lines() if each[1].startswith("patchgate ")])
def test_every_command_of_the_pages_can_be_given_as_written(page: str, line: str) -> None:
    words = shlex.split(line.partition(" > ")[0])[1:]
    context = click.Context(patchgate, info_name="patchgate")
    _, command, rest = patchgate.resolve_command(context, words)
    assert command is not None, page
    command.make_context(words[0], rest)


@pytest.mark.parametrize(("page", "line"), [each for each in shell_lines() if each[1].startswith("make ")])
def test_every_make_target_of_the_pages_exists(page: str, line: str) -> None:
    targets = [word for word in shlex.split(line)[1:] if "=" not in word]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets, page
    assert not [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_fleet_file_of_the_pages_is_valid(page: Path) -> None:
    for block in blocks(page, "yaml"):
        if block.startswith("version:"):
            assert parse_fleet(block.encode(), page.name).lanes()


def test_every_module_that_the_fast_mode_refuses_is_named() -> None:
    page = (ROOT / "docs/explanation/how-functions-run.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^- the modules (.*?)with what needs them", page, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", listed)) == REFUSED


def test_the_contributors_guide_names_every_room() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "src" / "patchgate").glob("*/__init__.py")}
    assert not [room for room in rooms if f"`{room}`" not in guide]
