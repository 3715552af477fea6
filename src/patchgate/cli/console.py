"""What the terminal can show, and text made safe for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TextIO

PIPE_WIDTH = 100
SMALLEST_WIDTH = 40
_DRAWING = "─│░▒█·✓✗→…"


@dataclass(frozen=True, slots=True)
class Terminal:
    """What one output stream can show. ``width`` is in columns; ``interactive`` means that a person watches it."""

    color: bool
    width: int
    ascii_only: bool
    interactive: bool


def describe_terminal(stream: TextIO, environment: Mapping[str, str]) -> Terminal:
    """What ``stream`` can show, by itself and by what the environment asks for.

    ``NO_COLOR`` (https://no-color.org) beats ``FORCE_COLOR`` (https://force-color.org), which beats ``TERM=dumb`` and
    the lack of a terminal. ``COLUMNS`` beats the terminal's own width.
    """
    watched = stream.isatty()
    return Terminal(
        color=_shows_color(environment, watched=watched),
        width=max(SMALLEST_WIDTH, _width_of(stream, environment, watched=watched)),
        ascii_only=not _can_encode(stream.encoding, _DRAWING),
        interactive=watched and environment.get("TERM") != "dumb",
    )


def sanitise(text: str) -> str:
    """``text`` with every character spelled out that could command a terminal or forge a line: escapes as ``\\x1b``.

    Line feeds stay. For everything that comes from outside: names, tags, messages, files.
    """
    from patchgate.report.screen import one_line

    return "\n".join(one_line(line) for line in text.expandtabs().split("\n"))


def prepare_streams(platform: str = os.name) -> None:
    """Let standard output and error write any text: unknown characters are escaped; on Windows pipes are UTF-8 too."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:  # replaced by something that is not a text file
            continue
        if platform == "nt":
            reconfigure(encoding="utf-8", errors="backslashreplace")
        else:
            reconfigure(errors="backslashreplace")


class Progress:
    """What the program is doing right now: one line that is overwritten, or a line each where nobody watches.

    Used as a context: the line is gone when it ends, also after an error.
    """

    def __init__(self, stream: TextIO, terminal: Terminal) -> None:
        self._stream = stream
        self._terminal = terminal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal.interactive:
            self._write("\r\x1b[K")

    def show(self, what: str) -> None:
        """Say that ``what`` is happening now."""
        line = sanitise(what).replace("\n", " ")
        if self._terminal.interactive:
            self._write(f"\r\x1b[K{line[: self._terminal.width - 1]}")
        else:
            self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _shows_color(environment: Mapping[str, str], *, watched: bool) -> bool:
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return watched and environment.get("TERM") != "dumb"


def _width_of(stream: TextIO, environment: Mapping[str, str], *, watched: bool) -> int:
    columns = environment.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    own = os.get_terminal_size(stream.fileno()).columns if watched else 0
    return own or PIPE_WIDTH  # a terminal that does not know its width says 0


def _can_encode(encoding: str | None, text: str) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
