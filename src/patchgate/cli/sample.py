"""Where the sample fleet and its world are: inside an installed patchgate, or beside the sources of a checkout."""

from __future__ import annotations

from pathlib import Path

from patchgate.errors import PatchgateError

_PACKAGE = Path(__file__).resolve().parents[1]


def sample_directory(candidates: tuple[Path, ...] = (_PACKAGE / "examples", _PACKAGE.parents[1] / "examples")) -> Path:
    """The first of ``candidates`` that holds a ``fleet.yaml``; PatchgateError when the sample was not installed."""
    for directory in candidates:
        if (directory / "fleet.yaml").is_file():
            return directory
    raise PatchgateError("the sample fleet is missing from this installation", remedy="install patchgate again")
