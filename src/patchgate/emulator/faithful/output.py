"""What a child printed: plain text, and the frames in which AWS's runtime writes log records.

The child's standard output, standard error and telemetry descriptor are one file, so that the order is the child's. A
frame is a type, a length, a timestamp and a text: awslambdaric, ``bootstrap.py``, FramedTelemetryLogSink.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from patchgate.emulator.functions_outcomes import error_lines
from patchgate.emulator.functions_resources import Shape

_FRAME = re.compile(rb"\xa5\x5a\x00[\x02-\x1b]")
_HEADER = 16
_ERROR = b"\xa5\x5a\x00\x17"
"""The type of a frame in which the runtime logs an error (text format)."""

ADVICE = "LAMBDA_WARNING: Unhandled exception."
"""What the runtime says of every initialisation that fails; it is left out, for it differs by the runtime's version."""


def read_lines(content: bytes, rename: Callable[[bytes], bytes], error: Shape | None = None) -> list[str]:
    """The lines that were printed, as ``rename`` leaves them.

    The runtime's own report of the error reads as ``error``, when one is given.
    """
    lines: list[str] = []
    for kind, raw in _entries(content):
        text = rename(raw).decode("utf-8", "replace")
        if kind == _ERROR and error is not None:
            lines += error_lines(error)
        elif not (kind and ADVICE in text):
            lines += text.splitlines()
    return lines


def _entries(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type of the frame, its text) in order; the type of plain text is empty."""
    position = 0
    while found := _FRAME.search(content, position):
        if found.start() > position:
            yield b"", content[position : found.start()]
        header = content[found.start() : found.start() + _HEADER]
        begin = found.start() + _HEADER
        position = begin + int.from_bytes(header[4:8], "big")
        yield found.group(), content[begin:position]
    if position < len(content):
        yield b"", content[position:]
