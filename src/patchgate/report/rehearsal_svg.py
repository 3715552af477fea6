"""A rehearsal as a picture: the terminal's screen as SVG, drawn from the same lines, with the fonts of the reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from patchgate.rehearsal.outcome import RehearsalResult
from patchgate.report.rehearsal_text import rehearsal_lines
from patchgate.report.screen import Line, Piece, Role, columns

COLUMN = 8.4
ROW = 20.0
_MARGIN = 24.0
_TITLE_BAR = 36.0
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

_COLORS: dict[Role, str] = {
    "plain": "#d7dde6",
    "title": "#ffffff",
    "dim": "#8391a5",
    "good": "#5fd38d",
    "bad": "#ff7b72",
    "warn": "#f0b849",
    "command": "#7cc7ff",
    "backup": "#4c8dff",
    "scan": "#5ad1d1",
    "install": "#3fb968",
    "window": "#33506b",
    "open": "#5fd38d",
    "hold": "#ff7b72",
    "close": "#8391a5",
}
_BOLD: tuple[Role, ...] = ("title", "open", "hold")
_BARS: dict[Role, tuple[float, float]] = {
    "backup": (4.0, 12.0),
    "scan": (4.0, 12.0),
    "install": (4.0, 12.0),
    "window": (9.0, 2.0),
    "close": (2.0, 16.0),
}
"""Roles that are drawn as bars where they are glyphs of the time axis: distance from the row's top, and height."""
_BAR_GLYPHS = frozenset("▒░█─│")


def render_rehearsal_svg(result: RehearsalResult, *, width: int = 100, command: str = "patchgate rehearse") -> str:
    """The screen as an SVG document, ``width`` columns wide, under a prompt that shows ``command``."""
    prompt: Line = (Piece("$ ", "dim"), Piece(command, "title"))
    lines = [prompt, (), *rehearsal_lines(result, width=width, ascii_only=False, command=command)]
    across = 2 * _MARGIN + width * COLUMN
    down = _TITLE_BAR + len(lines) * ROW + 1.5 * _MARGIN
    body = "\n".join(drawn for number, line in enumerate(lines) for drawn in _line(line, number))
    summary = f"{sum(lane.patched for lane in result.lanes)} of {len(result.instances())} instances patched"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:.0f} {down:.0f}" width="{across:.0f}" '
        f'height="{down:.0f}" role="img" aria-label={quoteattr("patchgate rehearsal: " + summary)}>\n'
        f'<rect width="100%" height="100%" rx="10" fill="#0f1722"/>\n'
        f'<circle cx="24" cy="20" r="6" fill="#ff5f57"/><circle cx="44" cy="20" r="6" fill="#febc2e"/>'
        f'<circle cx="64" cy="20" r="6" fill="#28c840"/>\n'
        f'<g font-family="{_FONT}" font-size="14">\n{body}\n</g>\n</svg>\n'
    )


def _line(line: Line, number: int) -> Iterator[str]:
    column = 0
    top = _TITLE_BAR + _MARGIN / 2 + number * ROW
    for piece in line:
        if piece.role in _BARS and set(piece.text.rstrip()) <= _BAR_GLYPHS and piece.text.strip():
            yield _bar(piece, column, top)
        elif piece.text.strip():
            yield from _text(piece, column, top)
        column += columns(piece.text)


def _bar(piece: Piece, column: int, top: float) -> str:
    offset, height = _BARS[piece.role]
    x, across = _MARGIN + column * COLUMN, columns(piece.text.rstrip()) * COLUMN
    if piece.role == "close":
        x, across = x + COLUMN / 2 - 1, 2.0
    return (
        f'<rect x="{x:.1f}" y="{top + offset:.1f}" width="{across:.1f}" height="{height:.0f}" '
        f'fill="{_COLORS[piece.role]}"/>'
    )


def _text(piece: Piece, column: int, top: float) -> Iterator[str]:
    """One element for each run of words: renderers differ in what they do with spaces that follow each other."""
    bold = ' font-weight="bold"' if piece.role in _BOLD else ""
    for run in re.finditer(r"\S+( \S+)*", piece.text):
        x = _MARGIN + (column + columns(piece.text[: run.start()])) * COLUMN
        yield (
            f'<text x="{x:.1f}" y="{top + 14.5:.1f}" fill="{_COLORS[piece.role]}"{bold} '
            f'textLength="{columns(run[0]) * COLUMN:.1f}" lengthAdjust="spacingAndGlyphs">{escape(run[0])}</text>'
        )
