"""Write the three templates and exports as files, or say which of the written templates differ from a fresh build."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from patchgate.errors import InputError
from patchgate.templates import build_templates

if TYPE_CHECKING:
    from patchgate.operations.export.files import ExportedFile


@dataclass(frozen=True, slots=True)
class SynthResult:
    """The files of a build, in order, and those among them that were missing or different before."""

    files: tuple[Path, ...]
    stale: tuple[Path, ...]


def compare_templates(directory: Path) -> SynthResult:
    """Build all templates and compare them with the files in the directory, which stays as it is."""
    texts = _texts(directory)
    return SynthResult(tuple(texts), tuple(path for path, text in texts.items() if _read(path) != text))


def write_templates(directory: Path) -> SynthResult:
    """Build all templates and write those that differ; InputError when the directory cannot be written.

    Each is written beside its place and renamed into it: whoever reads never sees half a template.
    """
    result = compare_templates(directory)
    texts = _texts(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in result.stale:
            _replace(path, texts[path])
    except OSError as error:
        raise InputError(
            f"cannot write the templates to {directory}: {error.strerror or error}",
            remedy="name a directory that you may write, with -o",
        ) from error
    return result


def write_files(directory: Path, files: Iterable[ExportedFile]) -> None:
    """Write every file of an export below the directory, which may hold other files.

    Raises InputError when it cannot be written, and for files that an earlier export left and this one has not: a
    script that is run must not meet them.
    """
    wanted = {directory / each.path: each for each in files}
    owned = {path.relative_to(directory).parts[0] for path in wanted if len(path.relative_to(directory).parts) > 1}
    present = {path for name in owned for path in (directory / name).rglob("*") if path.is_file()}
    if foreign := sorted(present - wanted.keys()):
        raise InputError(
            f"{foreign[0]} is not of this export" + (f", nor are {len(foreign) - 1} others" if foreign[1:] else ""),
            remedy=f"name another directory with -o, or remove what is in {directory}",
        )
    try:
        for path, each in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, each.text.encode(), 0o755 if each.program else 0o644)
    except OSError as error:
        raise InputError(
            f"cannot write to {directory}: {error.strerror or error}",
            remedy="name a directory that you may write, with -o",
        ) from error


def _texts(directory: Path) -> dict[Path, bytes]:
    return {directory / template.file_name: template.text().encode() for template in build_templates().values()}


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _replace(path: Path, text: bytes, mode: int = 0o644) -> None:
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        Path(beside).chmod(mode)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
