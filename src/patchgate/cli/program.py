"""How a person starts this program again, for the commands that it suggests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def describe_program(invoked_as: str, directory: Path, search_path: str | None = None) -> str:
    """How a person standing in ``directory`` starts this program: by its name where the shell finds it, else its path.

    ``search_path`` is the shell's, that of the environment when None.
    """
    program = Path(invoked_as)
    if program.name == "__main__.py":
        return "python -m patchgate"
    if shutil.which("patchgate", path=search_path):
        return "patchgate"
    if program.is_absolute() and program.is_relative_to(directory):
        program = program.relative_to(directory)
    path = str(program) if os.sep in str(program) else f"{os.curdir}{os.sep}{program}"
    return f'"{path}"' if " " in path else path
