"""Files that commands write: complete, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from patchgate.errors import InputError


def check_writable(path: Path) -> None:
    """Raise InputError when a file cannot be written at ``path``; asked before the work that fills it."""
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a directory")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no directory {path.parent}", remedy="make it first")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"cannot write {path}: {path.parent} is read-only for you")


def replace_file(path: Path, text: str) -> None:
    """Write UTF-8 ``text`` beside ``path``, then put it in place in one step: a reader sees the old file or the new.

    Line ends are written as they are. When anything fails, ``path`` is as it was.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        partial.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
