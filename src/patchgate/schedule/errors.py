"""What is wrong with a schedule expression, and where."""

from __future__ import annotations

from dataclasses import dataclass

from patchgate.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that AWS refuses. ``column`` counts from 1 in the expression; 0 is the expression as a whole."""

    field: str
    text: str
    column: int
    message: str
    rule: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that AWS may accept but documents nowhere. ``rule`` says how this engine reads it."""

    field: str
    text: str
    column: int
    rule: str


class ScheduleError(InputError):
    """An expression, zone or offset that AWS refuses. ``faults`` holds every one, each with field, column and rule."""

    def __init__(self, expression: str, *faults: Fault, remedy: str = "") -> None:
        self.expression = expression
        self.faults = faults
        message = "\n".join(["not a valid schedule:", f"  {expression}", *_pointers(faults)])
        problems = tuple(
            Problem(f"{fault.field}: {fault.message}", column=fault.column, remedy=fault.rule) for fault in faults
        )
        super().__init__(message, problems=problems, remedy=remedy)


def _pointers(faults: tuple[Fault, ...]) -> list[str]:
    """A line of carets under the places that the faults name, if any names one."""
    marks: list[str] = []
    for fault in faults:
        if fault.column:
            end = fault.column - 1 + max(len(fault.text), 1)
            marks.extend(" " * (end - len(marks)))
            marks[fault.column - 1 : end] = "^" * (end - fault.column + 1)
    return ["  " + "".join(marks)] if marks else []
