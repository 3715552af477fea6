"""The table of commands, and how little is loaded to read it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from patchgate import __version__
from patchgate.cli.lazy import CommandEntry
from patchgate.cli.root import COMMANDS, patchgate, run, wants_traceback

HEAVY = ("boto3", "botocore", "moto", "pydantic", "rich", "yaml", "greenlet", "cfnlint")
SHOW_LOADED = "import sys, json, atexit; atexit.register(lambda: sys.stderr.write(json.dumps(sorted(sys.modules))));"


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a run of the program has loaded when it ends."""
    code = (
        f"{SHOW_LOADED} sys.argv = ['patchgate', *{arguments!r}]; from patchgate.cli.main import main; sys.exit(main())"
    )
    program = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(program.stderr))


def test_the_version_is_answered_before_anything_is_loaded() -> None:
    loaded = loaded_by("--version")
    assert not loaded.intersection((*HEAVY, "click", "dataclasses", "inspect"))


@pytest.mark.parametrize("arguments", [(), ("--help",), ("completion", "--help"), ("completion", "fish")])
def test_help_loads_neither_the_sdk_nor_the_models_nor_other_commands(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(*arguments)
    commands = {entry.target.partition(":")[0] for name, entry in COMMANDS.items() if name not in arguments}
    assert not loaded.intersection((*HEAVY, *commands))


@pytest.mark.parametrize("command", ["rehearse", "demo", "init", "config", "config show", "config schema"])
def test_a_command_s_help_loads_no_heavy_package(command: str) -> None:
    assert not loaded_by(*command.split(), "--help").intersection((*HEAVY, "holidays", "icalendar", "dateutil"))


def test_a_fleet_file_without_holidays_and_calendar_files_loads_no_library_for_them() -> None:
    loaded = loaded_by("config", "show", str(Path(__file__).parents[3] / "examples" / "fleet.yaml"))
    assert "pydantic" in loaded
    assert not loaded.intersection(("holidays", "icalendar", "dateutil", "boto3", "moto", "rich"))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--debug", "--version"]) == 0
    assert capsys.readouterr().out == f"patchgate {__version__}\n"


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    output = capsys.readouterr().out
    for name, entry in COMMANDS.items():
        assert f"{name} " in output
        assert entry.short_help in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["synht"], "patchgate: No such command 'synht'. Did you mean 'synth'? See 'patchgate --help'.\n"),
        (["--verson"], "patchgate: No such option '--verson'. Did you mean '--version'? See 'patchgate --help'.\n"),
        (
            ["completion", "tcsh"],
            (
                "patchgate: Invalid value for '{bash|zsh|fish}': 'tcsh' is not one of 'bash', 'zsh', 'fish'. "
                "See 'patchgate completion --help'.\n"
            ),
        ),
    ],
)
def test_a_wrong_word_is_one_clear_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_entry_of_the_table_is_a_command_of_that_name(name: str) -> None:
    command = patchgate.load(name)
    assert command.name == name
    assert command.help
    assert not command.hidden


def test_an_entry_that_is_no_command_is_refused() -> None:
    with pytest.raises(TypeError, match="not a click command"):
        CommandEntry("patchgate.cli.root:run", "").load()


@pytest.mark.parametrize(
    ("shell", "sign"), [("bash", "complete -o"), ("zsh", "#compdef patchgate"), ("fish", "complete")]
)
def test_completion_scripts(shell: str, sign: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert sign in script
    assert "_PATCHGATE_COMPLETE" in script


def test_the_shell_is_told_the_commands_and_their_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_PATCHGATE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "patchgate rehearse --se")
    monkeypatch.setenv("COMP_CWORD", "2")
    with pytest.raises(SystemExit) as leaving:
        run([])
    assert leaving.value.code == 0
    assert "--seed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["--debug", "demo"], "", True),
        (["demo", "--debug"], "", False),
        (["demo"], "1", True),
        (["demo"], "0", False),
    ],
)
def test_debug_is_asked_for_before_the_command_or_by_the_environment(
    arguments: list[str], environment: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATCHGATE_DEBUG", environment)
    assert wants_traceback(arguments) is expected
