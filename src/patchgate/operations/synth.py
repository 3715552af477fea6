"""Write the three templates as files, or say which of the written ones differ from a fresh build."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from patchgate.errors import InputError
from patchgate.templates import build_templates


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


def _texts(directory: Path) -> dict[Path, bytes]:
    return {directory / template.file_name: template.text().encode() for template in build_templates().values()}


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _replace(path: Path, text: bytes) -> None:
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
