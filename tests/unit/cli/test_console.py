"""What a terminal can show, and text made safe for it."""

from __future__ import annotations

import io

import pytest

from patchgate.cli.console import PIPE_WIDTH, SMALLEST_WIDTH, Progress, Terminal, describe_terminal, sanitise


class FakeStream(io.TextIOWrapper):
    """A text stream that says whether a person watches it."""

    def __init__(self, *, watched: bool = False, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.watched = watched

    def isatty(self) -> bool:
        return self.watched

    @property
    def text(self) -> str:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


@pytest.mark.parametrize(
    ("environment", "watched", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_colour_follows_the_environment_then_the_terminal(
    environment: dict[str, str], watched: bool, expected: bool
) -> None:
    terminal = describe_terminal(FakeStream(watched=watched), {"COLUMNS": "80", **environment})
    assert terminal.color is expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [("72", 72), ("5", SMALLEST_WIDTH), ("0", PIPE_WIDTH), ("wide", PIPE_WIDTH), ("", PIPE_WIDTH)],
)
def test_width_of_a_pipe_is_what_columns_says_or_the_default(columns: str, expected: int) -> None:
    assert describe_terminal(FakeStream(), {"COLUMNS": columns}).width == expected


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", False), ("ascii", True), ("latin-1", True), ("cp1252", True)]
)
def test_drawing_falls_back_to_ascii_where_the_encoding_lacks_it(encoding: str, expected: bool) -> None:
    assert describe_terminal(FakeStream(encoding=encoding), {}).ascii_only is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain ümläut", "plain ümläut"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("title\x1b]0;owned\x07", "title\\x1b]0;owned\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("over\rwritten", "over\\x0dwritten"),
        ("two\nlines", "two\nlines"),
        ("right\u202eleft", "right\\u202eleft"),
        ("line\u2028separator", "line\\u2028separator"),
    ],
)
def test_text_from_outside_cannot_command_the_terminal(text: str, expected: str) -> None:
    assert sanitise(text) == expected


def test_progress_overwrites_its_line_where_a_person_watches_and_leaves_nothing_behind() -> None:
    stream = FakeStream(watched=True)
    with Progress(stream, Terminal(color=True, width=12, ascii_only=False, interactive=True)) as progress:
        progress.show("deploying the log bucket")
    assert stream.text == "\r\x1b[Kdeploying t\r\x1b[K"


def test_progress_is_a_line_each_in_a_log() -> None:
    stream = FakeStream()
    with Progress(stream, Terminal(color=False, width=12, ascii_only=False, interactive=False)) as progress:
        progress.show("deploying the log bucket")
        progress.show("running\nthe \x1b[2Jclock")
    assert stream.text == "deploying the log bucket\nrunning the \\x1b[2Jclock\n"
