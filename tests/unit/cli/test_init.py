"""``patchgate init``: options, questions, refusals, and what it leaves behind when it is stopped."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from patchgate.cli.init import write_new
from patchgate.cli.root import run
from patchgate.config import read_fleet
from patchgate.errors import InputError

OPTIONS = [
    *("--organization-id", "o-a1b2c3d4e5"),
    *("--account", "web=111111111111"),
    *("--region", "eu-central-1"),
    *("--os", "ubuntu"),
    *("--environment", "dev"),
    *("--environment", "prd"),
]


def test_options_alone_make_a_valid_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fleet.yaml"
    assert run(["init", str(path), *OPTIONS, "--email", "a@b.example", "--at", "01:30", "--weekday", "SUN"]) == 0
    output = capsys.readouterr()
    assert output.out == f"{path}\n"
    assert f"patchgate config show {path}" in output.err
    fleet = read_fleet(path)
    assert [wave.environment for wave in fleet.waves()] == ["dev", "prd"]
    assert fleet.log_account == "111111111111"
    assert fleet.lanes()[0].parameters["NotificationEmail"] == "a@b.example"
    assert [entry.name for entry in tmp_path.iterdir()] == ["fleet.yaml"]


def test_a_file_that_exists_stays_unless_it_is_forced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text("mine", encoding="utf-8")
    assert run(["init", str(path), *OPTIONS]) == 2
    assert "fleet.yaml exists\n  -> name another file, or replace it with --force" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine"
    assert run(["init", str(path), *OPTIONS, "--force"]) == 0
    assert read_fleet(path).lanes()


def test_a_file_that_comes_into_being_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text("theirs", encoding="utf-8")
    with pytest.raises(InputError, match="exists"):
        write_new(path, "mine", force=False)
    assert path.read_text(encoding="utf-8") == "theirs"


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    with pytest.raises(UnicodeEncodeError):
        write_new(path, "\ud800", force=False)
    assert not list(tmp_path.iterdir())


def test_without_a_terminal_everything_that_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", str(tmp_path / "fleet.yaml"), "--os", "ubuntu"]) == 2
    message = capsys.readouterr().err
    assert "there is no terminal to ask at: give --organization-id, --account, --region, --environment." in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--organization-id", "o-A", "'o-A' is not an organization id"),
        ("--account", "web", "'web' is not an account id (12 digits)"),
        ("--account", "a b=111111111111", "'a b' is not an account name"),
        ("--region", "eu-centrl-1", "unknown Region 'eu-centrl-1' (did you mean 'eu-central-1'?)"),
        ("--os", "ubunut", "unknown operating system 'ubunut' (did you mean 'ubuntu'?)"),
        ("--environment", "production", "unknown environment 'production'"),
        ("--weekday", "Saturday", "'Saturday' is not a weekday"),
        ("--at", "24:00", "'24:00' is not a time of day"),
        ("--email", "nobody", "'nobody' is not an e-mail address"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(
    option: str, value: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", str(tmp_path / "fleet.yaml"), *OPTIONS, option, value]) == 2
    message = capsys.readouterr().err
    assert f"Invalid value for '{option}': {said}" in message
    assert len(message.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_answers_that_make_no_fleet_are_told_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", str(tmp_path / "fleet.yaml"), *OPTIONS, "--log-account", "absent"]) == 2
    assert "unknown account 'absent'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["absent/fleet.yaml", "."])
def test_a_place_that_cannot_be_written_is_told(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / path), *OPTIONS]) == 2
    assert "cannot write" in capsys.readouterr().err


_AT_A_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the terminal that Ctrl-C is pressed at
from patchgate.cli.main import main
sys.exit(main())
"""


class Person:
    """Somebody at a terminal, who reads questions and types answers."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        pty = pytest.importorskip("pty", reason="this system has no such terminals")
        self.master, terminal = pty.openpty()
        self.program = subprocess.Popen(
            [sys.executable, "-c", _AT_A_TERMINAL, "init", *arguments],
            cwd=directory,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=terminal,
            env={**os.environ, "TERM": "dumb"},
            start_new_session=True,
        )
        os.close(terminal)
        self.seen = ""

    def waits_for(self, text: str) -> None:
        """Read until the text has been shown; what comes after it is read next."""
        assert self.shows(text, seconds=60), f"no {text!r} in {self.seen!r}"
        self.seen = self.seen.partition(text)[2]

    def shows(self, text: str, seconds: float) -> bool:
        """Whether the text is shown within that time."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            if not ready:
                return False
            self.seen += os.read(self.master, 4096).decode()
        return True

    def types(self, text: str) -> None:
        os.write(self.master, text.encode())

    def presses(self, key: str, until: str) -> None:
        """Press a key, again where nothing comes of it: between two system calls the interpreter misses a Ctrl-C."""
        for _ in range(9):
            self.types(key)
            if self.shows(until, seconds=3):
                return
        self.types(key)
        self.waits_for(until)

    def ends(self) -> tuple[int, str]:
        """(exit code, standard output)"""
        output, _ = self.program.communicate(timeout=60)
        os.close(self.master)
        return self.program.returncode, output.decode()


def test_at_a_terminal_it_asks_for_what_no_option_says_and_asks_again(tmp_path: Path) -> None:
    person = Person(tmp_path, "--os", "ubuntu")
    for question, answer in (
        ("Organization id", "o-A"),
        ("is not an organization id", "o-a1b2c3d4e5"),
        ("Accounts, as NAME=ID", "web=111111111111, pay=222222222222"),
        ("Regions", "eu-centrl-1"),
        ("did you mean 'eu-central-1'", "eu-central-1 us-east-1"),
        ("Environments, in the order of promotion", ""),
        ("Weekday of the windows", "SUN"),
        ("Their local time", ""),
        ("Who is told", ""),
    ):
        person.waits_for(question)
        person.types(f"{answer}\n")
    assert person.ends() == (0, "fleet.yaml\n")
    fleet = read_fleet(tmp_path / "fleet.yaml")
    assert len(fleet.lanes()) == 8
    (statement,) = {lane.patch.statement.expression for lane in fleet.lanes() if lane.patch}
    assert statement == "cron(0 23 ? * SUN *)"
    assert fleet.promotion == ("dev", "prd")


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["ctrl-c", "end of input"])
def test_stopped_in_the_middle_it_leaves_nothing(key: str, tmp_path: Path) -> None:
    person = Person(tmp_path)
    person.waits_for("Organization id")
    person.types("o-a1b2c3d4e5\n")
    person.waits_for("separated by spaces: ")
    person.presses(key, until="patchgate: stopped")
    assert person.ends() == (130, "")
    assert not list(tmp_path.iterdir())
