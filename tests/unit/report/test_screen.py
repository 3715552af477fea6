"""Styled lines: widths, wrapping, colours, and text made safe."""

from __future__ import annotations

import pytest

from patchgate.report.screen import Piece, columns, draw, fit, one_line, shorten, wrap


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain, with ünïcode and 日本", "plain, with ünïcode and 日本"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\r", "a\\x0ab\\x09c\\x0d"),
        ("\x9b1m", "\\x9b1m"),
        ("\u202egpj", "\\u202egpj"),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_text_from_outside_is_spelled_out(text: str, safe: str) -> None:
    assert one_line(text) == safe


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_columns(text: str, width: int) -> None:
    assert columns(text) == width


@pytest.mark.parametrize(
    ("text", "width", "fitted"),
    [("abc", 5, "abc  "), ("abcdef", 4, "abc…"), ("日本語", 4, "日… "), ("abc", 3, "abc"), ("abc", 0, "")],
)
def test_fit(text: str, width: int, fitted: str) -> None:
    assert fit(text, width) == fitted


def drawn(*pieces: Piece, width: int, indent: int = 2) -> list[str]:
    return draw(wrap(pieces, width=width, indent=indent), color=False, ascii_only=False).splitlines()


def test_wrap_breaks_at_spaces_and_indents() -> None:
    assert drawn(Piece("one two "), Piece("three", "bad"), width=8) == ["one two", "  three"]


def test_wrap_breaks_what_is_longer_than_a_line() -> None:
    assert drawn(Piece("abcdefghij"), width=6) == ["abcd", "  efgh", "  ij"]
    assert all(columns(line) <= 6 for line in drawn(Piece("日本語日本語"), width=6))


def test_wrap_of_nothing_is_nothing() -> None:
    assert wrap((), width=10, indent=2) == []


def test_colours_end_where_they_begin() -> None:
    text = draw(
        [(Piece("a", "good"), Piece(" "), Piece("b", "plain"), Piece("  ", "bad"))], color=True, ascii_only=False
    )
    assert text == "\x1b[32ma\x1b[0m b\n"


def test_ascii_has_a_word_for_every_sign() -> None:
    text = draw([(Piece("a → b · c… ✓ ü"),)], color=False, ascii_only=True)
    assert text == "a -> b * c... + \\xfc\n"


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("free space or grow", 18, "free space or grow"),
        ("free space or grow", 17, "free space or…"),
        ("widen it; then wait", 14, "widen it…"),
        ("unpronounceable", 6, "unpro…"),
        ("a verylongwordindeed", 12, "a verylongw…"),
        ("x", 0, ""),
    ],
)
def test_a_text_is_shortened_after_a_word_where_little_is_lost(text: str, width: int, short: str) -> None:
    assert shorten(text, width) == short
