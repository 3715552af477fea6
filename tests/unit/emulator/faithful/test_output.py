"""What a child printed: text and frames, in order."""

from __future__ import annotations

from patchgate.emulator.faithful.output import ADVICE, read_lines
from patchgate.emulator.functions_outcomes import describe_error

LOG, WARNING, ERROR = (bytes((0xA5, 0x5A, 0x00, kind)) for kind in (0x03, 0x13, 0x17))


def frame(kind: bytes, text: str) -> bytes:
    content = text.encode()
    return kind + len(content).to_bytes(4, "big") + (1).to_bytes(8, "big") + content


def lines(content: bytes, **named: object) -> list[str]:
    return read_lines(content, lambda raw: raw.replace(b"/tmp/x/task", b"/var/task"), **named)  # type: ignore[arg-type]


def test_text_and_frames_keep_their_order() -> None:
    content = "¥Z first\nunfinished".encode() + frame(LOG, "logged\ntwice\n") + b"last" + frame(LOG, "end")
    assert lines(content) == ["¥Z first", "unfinished", "logged", "twice", "last", "end"]


def test_places_are_renamed_after_frames_were_read() -> None:
    said = lines(frame(LOG, "at /tmp/x/task/index.py") + b"and /tmp/x/task")
    assert said == ["at /var/task/index.py", "and /var/task"]


def test_the_report_of_an_error_is_the_error_as_it_is_told() -> None:
    error = describe_error("ValueError", "no", ['  File "/var/task/index.py", line 3, in handler\n    raise\n'])
    said = lines(frame(ERROR, "[ERROR] ValueError: no\nTraceback\n  File /usr/lib"), error=error)
    assert said == [
        "[ERROR] ValueError: no",
        "Traceback (most recent call last):",
        '\u00a0\u00a0File "/var/task/index.py", line 3, in handler',
        "\u00a0\u00a0\u00a0\u00a0raise",
    ]


def test_the_runtimes_advice_is_left_out() -> None:
    assert lines(frame(WARNING, f"[WARNING] {ADVICE} The most likely cause") + b"kept") == ["kept"]


def test_a_frame_that_was_cut_short_is_read_as_far_as_it_goes() -> None:
    assert lines(frame(LOG, "cut short")[:-6]) == ["cut"]
    assert lines(LOG) == []
