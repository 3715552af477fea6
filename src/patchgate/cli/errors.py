"""What a person sees when something goes wrong: one message, in one piece, on standard error, and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable

import click

from patchgate.cli.console import sanitise
from patchgate.errors import PatchgateError

INTERRUPTED = 130  # as shells report a program that SIGINT ended
FAILED = 1


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
    except BrokenPipeError:
        silence_output()
        return FAILED
    except Exception as error:  # the one place: a person must not meet a bare traceback
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


def silence_output() -> None:
    """Nobody reads any more: let the interpreter's last flush of standard output go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
