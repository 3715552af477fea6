"""One message and one exit code for whatever a command raises."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from patchgate.cli.errors import report_errors
from patchgate.errors import InputError, MissingExtraError, PatchgateError, Problem, UnsafeError


def raising(error: BaseException) -> Callable[[], int]:
    def call() -> int:
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (PatchgateError("no such stack"), 1, "patchgate: no such stack\n"),
        (PatchgateError("no such stack", remedy="deploy it"), 1, "patchgate: no such stack\n  -> deploy it\n"),
        (MissingExtraError("not installed"), 2, "patchgate: not installed\n"),
        (UnsafeError("patched without proof"), 3, "patchgate: patched without proof\n"),
        (
            InputError(problems=(Problem("empty", "f.yaml", 1, 2), Problem("unknown", "f.yaml", 3))),
            2,
            "patchgate: f.yaml:1:2: empty\nf.yaml:3: unknown\n",
        ),
        (click.UsageError("No such option '--x'."), 2, "patchgate: No such option '--x'.\n"),
        (click.Abort(), 130, "patchgate: stopped\n"),
        (KeyboardInterrupt(), 130, "patchgate: stopped\n"),
    ],
)
def test_expected_errors(error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert report_errors(raising(error), debug=False) == code
    assert capsys.readouterr() == ("", message)


def test_a_message_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report_errors(raising(PatchgateError("stack \x1b[2J")), debug=False)
    assert capsys.readouterr().err == "patchgate: stack \\x1b[2J\n"


def test_an_unexpected_error_is_one_line_with_the_way_to_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_errors(raising(KeyError("two\nlines")), debug=False) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("patchgate: unexpected KeyError: ")
    assert "--debug" in line
    assert "PATCHGATE_DEBUG=1" in line


def test_with_debug_an_unexpected_error_keeps_its_traceback() -> None:
    with pytest.raises(KeyError):
        report_errors(raising(KeyError("x")), debug=True)


def test_the_result_is_the_exit_code() -> None:
    assert report_errors(lambda: 3, debug=False) == 3


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["completion", "bash"]])
def test_a_reader_that_leaves_early_gets_no_traceback(arguments: list[str], unbuffered: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        program = subprocess.run(
            [sys.executable, "-m", "patchgate", *arguments],
            stdout=writer,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    finally:
        os.close(writer)
    assert (program.returncode, program.stderr) == (1, b"")


@pytest.mark.skipif(os.name == "nt", reason="POSIX file descriptors")
@pytest.mark.parametrize(
    ("arguments", "closed", "code", "said"),
    [
        (["--version"], (1,), 1, b"patchgate: standard output is closed"),
        (["rehearse", "--runs", "1"], (1,), 1, b"patchgate: standard output is closed"),
        (["rehearse", "--runs", "1"], (1, 2), 1, b""),
        (["--version"], (2,), 0, b""),
        (["schedule", "no such thing"], (2,), 2, b""),
    ],
)
def test_closed_streams_are_told_before_anything_runs(
    arguments: list[str], closed: tuple[int, ...], code: int, said: bytes
) -> None:
    redirections = " ".join(f"{number}>&-" for number in closed)
    program = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-m", "patchgate", *arguments],  # noqa: S607
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    assert program.returncode == code
    assert program.stderr.startswith(said)
    assert bool(program.stderr) is bool(said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("arguments", [["--version"], ["completion", "bash"]])
def test_a_full_disk_is_no_defect_of_ours(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        program = subprocess.run(
            [sys.executable, "-m", "patchgate", *arguments], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert program.returncode == 1
    assert program.stderr.decode().splitlines() == [
        "patchgate: cannot write: No space left on device",
        "  -> make room, or write elsewhere, and run it again",
    ]


def test_a_file_that_has_no_room_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_errors(raising(OSError(errno.EFBIG, "File too large", "kept.json")), debug=True) == 1
    assert capsys.readouterr().err.startswith("patchgate: cannot write kept.json: File too large\n")


def test_an_error_of_the_system_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_errors(raising(OSError(errno.EIO, "Input/output error")), debug=False) == 1
    assert "unexpected OSError: [Errno 5] Input/output error" in capsys.readouterr().err
