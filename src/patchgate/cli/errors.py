"""What a person sees when something goes wrong: one message, in one piece, on standard error, and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from patchgate.cli.console import sanitise
from patchgate.errors import PatchgateError

INTERRUPTED = 130  # as shells report a program that SIGINT ended
FAILED = 1
_NO_ROOM = {getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EFBIG")} - {None}  # not all are everywhere


def report_errors(call: Callable[[], int], *, debug: bool) -> int:
    """Return the exit code of ``call``; what it raises becomes a message on standard error and an exit code.

    With ``debug`` an unexpected exception is raised again, with its traceback.
    """
    try:
        return call()
    except PatchgateError as error:
        _complain(describe_error(error))
        return error.exit_code
    except click.exceptions.ClickException as error:
        _complain(describe_usage_error(error))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _complain("stopped")
        return INTERRUPTED
    except Exception as error:  # the one place: a person must not meet a bare traceback
        if isinstance(error, BrokenPipeError) or (isinstance(error, OSError) and error.errno in _NO_ROOM):
            return report_unwritable(error)
        if debug:
            raise
        _complain(describe_unexpected(error))
        return FAILED


def describe_error(error: PatchgateError) -> str:
    """The error's message, and its remedy on a line of its own when it has one."""
    return f"{error}\n  -> {error.remedy}" if error.remedy else str(error)


def describe_usage_error(error: click.exceptions.ClickException) -> str:
    """Click's message in one line, with where to read on."""
    message = error.format_message().rstrip()
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{message} See '{context.command_path} --help'." if context else message


def describe_unexpected(error: Exception) -> str:
    """One line for what should not have happened, with the way to its traceback."""
    detail = " ".join(str(error).split())
    what = f"{type(error).__name__}: {detail}" if detail else type(error).__name__
    return f"unexpected {what} (a defect; for the traceback: patchgate --debug ..., or PATCHGATE_DEBUG=1)"


def _complain(message: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"patchgate: {sanitise(message)}\n")
        sys.stderr.flush()


def report_unwritable(error: OSError) -> int:
    """The exit code after something could not be written: silently where nobody reads any more."""
    if isinstance(error, BrokenPipeError):
        silence_output()
        return FAILED
    try:
        sys.stdout.flush()
    except OSError:  # it was standard output: nothing more of it can be written
        silence_output()
    where = f" {error.filename}" if error.filename else ""
    _complain(f"cannot write{where}: {error.strerror}\n  -> make room, or write elsewhere, and run it again")
    return FAILED


def refuse_closed_output() -> int:
    """The exit code for a program whose standard output was closed when it started; 0 when it was not.

    Python has None in the place of such a stream. Messages go nowhere when that is standard error.
    """
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the program ends
    if sys.stdout is not None:
        return 0
    remedy = f"send it to a file, or to {os.devnull}, and run it again"
    _complain(f"standard output is closed: there is nowhere to print the result\n  -> {remedy}")
    return FAILED


def silence_output() -> None:
    """Nobody reads any more: let the interpreter's last flush of standard output go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
