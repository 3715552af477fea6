"""Where the program keeps what it must remember between two runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def state_directory(environment: Mapping[str, str], home: Path, platform: str = sys.platform) -> Path:
    """The user's directory for patchgate's journals; ``PATCHGATE_STATE_DIR`` names another one.

    As the platforms have it: https://specifications.freedesktop.org/basedir-spec/latest/ on Linux,
    ``~/Library/Application Support`` on macOS, ``%LOCALAPPDATA%`` on Windows.
    """
    if given := environment.get("PATCHGATE_STATE_DIR"):
        return Path(given)
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "patchgate"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "patchgate"
    return Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state") / "patchgate"
