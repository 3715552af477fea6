"""What was done of a plan, as JSON lines: a record that is complete up to its last line, whatever ends the program."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from patchgate.errors import InputError

_AWAY = "move that file away, and plan anew"
_BEGINNING = b'{"at": "'


@dataclass(frozen=True, slots=True)
class Progress:
    """What a journal says of one plan: the keys of the stacks that were begun, and of those that are done."""

    begun: frozenset[str] = field(default_factory=frozenset)
    done: frozenset[str] = field(default_factory=frozenset)


class Journal:
    """An append-only file. ``now`` tells the time; the directory is made when it is not there."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._now = now
        self._mended = False

    def record(self, event: str, plan: str, **facts: Any) -> None:
        """Append one line, and have it on the disk before this returns. InputError when it cannot be written."""
        line = json.dumps({"at": self._now().isoformat(), "event": event, "plan": plan} | facts) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
            try:
                if not self._mended:
                    _drop_torn_line(handle, self.path)
                    self._mended = True
                os.write(handle, line.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise InputError(
                f"cannot write the journal {self.path}: {error.strerror or error}",
                remedy="name another file with --journal",
            ) from error

    def read(self, plan: str) -> Progress:
        """What it says of the plan with that fingerprint; nothing when there is no journal.

        A last line without its end is one that was being written when the program ended: it says nothing.
        """
        if not self.path.is_file():
            return Progress()
        begun, done = set[str](), set[str]()
        try:
            text = self.path.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read the journal {self.path}: {error}", remedy=_AWAY) from error
        for number, line in enumerate(text[: text.rfind("\n") + 1].splitlines(), 1):
            try:
                entry = json.loads(line)
                if entry["plan"] != plan:
                    continue
                if entry["event"] in ("begun", "done"):
                    (begun if entry["event"] == "begun" else done).add(entry["stack"])
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f"{self.path}:{number}: not a line of a journal", remedy=_AWAY) from error
        return Progress(frozenset(begun), frozenset(done))


def _drop_torn_line(handle: int, path: Path) -> None:
    """Cut off a last line without its end: what is appended to it would be no line of a journal either.

    Raises InputError for a file that is no journal: nothing is written to that.
    """
    size = os.lseek(handle, 0, os.SEEK_END)
    os.lseek(handle, 0, os.SEEK_SET)
    content = b""
    while len(content) < size and (piece := os.read(handle, size - len(content))):
        content += piece
    whole = content.rfind(b"\n") + 1
    torn = content[whole:]
    if not all(_BEGINNING.startswith(each[: len(_BEGINNING)]) for each in (content, torn)):
        raise InputError(f"{path} is there, and is no journal", remedy="name another file with --journal")
    if torn:
        os.ftruncate(handle, whole)
