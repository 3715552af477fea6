"""The rooms and their order: what imports what, and that every room says what it is for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "patchgate"
PACKAGES = sorted(path.parent.relative_to(SOURCE) for path in SOURCE.rglob("__init__.py"))
LONGEST_FILE = 500


def test_every_import_contract_is_kept() -> None:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    linter = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert linter.returncode == 0, linter.stdout + linter.stderr


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_every_room_says_what_it_is_for(package: Path) -> None:
    text = (SOURCE / package / "__init__.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring is not None
    assert len(docstring.split()) >= 4, f"'{docstring}' says no more than the name"


def test_no_file_has_become_two_ideas() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCE.rglob("*.py")}
    assert not {str(path.relative_to(SOURCE)): lines for path, lines in lengths.items() if lines > LONGEST_FILE}
