"""Every error that patchgate raises on purpose.

    PatchgateError              something the operator can act on; the CLI prints it in one piece
    +-- InputError              a file, an option or an expression is wrong (exit 2)
    +-- MissingExtraError       a part of patchgate that is not installed (exit 2)
    +-- UnsafeError             a promise was broken or an order cannot be proved (exit 3)

Each carries what was tried, on what, and what to do next, in its message and its ``remedy``.
"""

from __future__ import annotations

from dataclasses import dataclass


class PatchgateError(Exception):
    """The base of all expected errors.

    ``str(error)`` says what happened and where; ``remedy`` says what to do next, or is empty.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in an input, with its place; ``line`` and ``column`` count from 1, 0 is unknown."""

    message: str
    source: str = ""
    line: int = 0
    column: int = 0
    remedy: str = ""

    def __str__(self) -> str:
        place = self.source
        if self.line:
            place += f":{self.line}:{self.column}" if self.column else f":{self.line}"
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} ({self.remedy})" if self.remedy else text


class InputError(PatchgateError):
    """What the operator gave is wrong. Reports every problem at once, each with its place."""

    exit_code = 2

    def __init__(self, message: str = "", *, problems: tuple[Problem, ...] = (), remedy: str = "") -> None:
        super().__init__("\n".join([message] * bool(message) + [str(p) for p in problems]), remedy=remedy)
        self.problems = problems


class MissingExtraError(PatchgateError):
    """An optional part is not installed."""

    exit_code = 2


class UnsafeError(PatchgateError):
    """A promise was broken, or could not be proved to hold."""

    exit_code = 3
