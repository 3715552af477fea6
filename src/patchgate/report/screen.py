"""Styled lines of text, and what they become: plain text, text with terminal colours.

A line is a tuple of pieces, each with a role instead of a colour, so that terminals and pictures are drawn from the
same lines. Widths are in terminal columns.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "plain",
    "title",
    "dim",
    "good",
    "bad",
    "warn",
    "command",
    "backup",
    "scan",
    "install",
    "window",
    "open",
    "hold",
    "close",
]

_ANSI: dict[Role, str] = {
    "title": "1",
    "dim": "2",
    "good": "32",
    "bad": "31",
    "warn": "33",
    "command": "36",
    "backup": "34",
    "scan": "36",
    "install": "32",
    "window": "2",
    "open": "1;32",
    "hold": "1;31",
    "close": "2",
}

_ASCII = str.maketrans({"·": "*", "→": "->", "…": "...", "✓": "+", "✗": "x"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text in one role."""

    text: str
    role: Role = "plain"


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What a time axis is drawn with."""

    backup: str
    scan: str
    install: str
    window: str
    open: str
    hold: str
    silent: str
    close: str
    arrow: str
    dot: str
    ellipsis: str


UNICODE_GLYPHS = Glyphs("▒", "░", "█", "─", "✓", "✗", "?", "│", "→", "·", "…")
ASCII_GLYPHS = Glyphs("=", "s", "#", "-", "O", "X", "?", "|", "->", "*", "...")


def one_line(text: str) -> str:
    """Text from outside, safe on one line of a terminal: controls, line ends, turners of direction are spelled out."""
    return "".join(_spell(character) if _is_unsafe(character) else character for character in text)


def many(count: int, noun: str) -> str:
    """A count and what is counted, whose plural ends in s: ``1 run``, ``2,000 runs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def columns(text: str) -> int:
    """How many terminal columns a text takes: wide characters take two, combining ones none."""
    return sum(_columns_of(character) for character in text)


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """Text cut or filled to exactly ``width`` columns; a cut shows as an ellipsis, where there is room for it."""
    ellipsis = ellipsis[:width]
    if columns(text) > width:
        kept = ""
        for character in text:
            if columns(kept) + _columns_of(character) > width - len(ellipsis):
                break
            kept += character
        text = kept + ellipsis
    return text + " " * (width - columns(text))


def shorten(text: str, width: int, ellipsis: str = "…") -> str:
    """Text of at most ``width`` columns; it is cut after a word where one ends in its second half, with an ellipsis."""
    if columns(text) <= width:
        return text
    cut = fit(text, width, ellipsis)
    words = cut.rpartition(" ")[0].rstrip(" ,;:(")
    return words + ellipsis if columns(words) >= width // 2 > 0 else cut


def wrap(pieces: Iterable[Piece], *, width: int, indent: int) -> list[Line]:
    """Pieces broken into lines at spaces; every line but the first begins with ``indent`` spaces.

    A word that is longer than a line is broken.
    """
    lines: list[Line] = []
    line: list[Piece] = []
    used = 0
    for word, role in _words(pieces):
        for part in _parts(word, width - indent):
            if used and used + columns(part.rstrip()) > width:
                lines.append(_stripped(line))
                line, used = [Piece(" " * indent)], indent
            line.append(Piece(part, role))
            used += columns(part)
    return [*lines, _stripped(line)] if line else lines


def draw(lines: Iterable[Line], *, color: bool, ascii_only: bool) -> str:
    """The lines as text, each ended by a line feed, with ANSI colours or without."""
    return "".join(_drawn(line, color=color, ascii_only=ascii_only) + "\n" for line in lines)


def _drawn(line: Line, *, color: bool, ascii_only: bool) -> str:
    drawn = ""
    for piece in line:
        text = _to_ascii(piece.text) if ascii_only else piece.text
        code = _ANSI.get(piece.role) if color and text.strip() else None
        drawn += f"\x1b[{code}m{text}\x1b[0m" if code else text
    return drawn.rstrip(" ")


def _to_ascii(text: str) -> str:
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _spell(character: str) -> str:
    return (
        character.encode("ascii", "backslashreplace").decode("ascii")
        if character > "\x7f"
        else f"\\x{ord(character):02x}"
    )


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _words(pieces: Iterable[Piece]) -> Iterable[tuple[str, Role]]:
    """The words of the pieces, each with the space that follows it."""
    for piece in pieces:
        start = 0
        while start < len(piece.text):
            end = piece.text.find(" ", start)
            end = len(piece.text) if end < 0 else end + 1
            yield piece.text[start:end], piece.role
            start = end


def _parts(word: str, width: int) -> Iterable[str]:
    while columns(word.rstrip()) > width:
        cut = len(word)
        while columns(word[:cut]) > width:
            cut -= 1
        yield word[:cut]
        word = word[cut:]
    yield word


def _stripped(line: list[Piece]) -> Line:
    if line and line[-1].text.endswith(" "):
        line = [*line[:-1], Piece(line[-1].text.rstrip(" "), line[-1].role)]
    return tuple(piece for piece in line if piece.text)
