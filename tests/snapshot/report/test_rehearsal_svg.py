"""The picture of a rehearsal: well-formed, self-contained, and as it was last looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

from patchgate.rehearsal.outcome import RehearsalResult
from patchgate.report.rehearsal_svg import render_rehearsal_svg

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture(sample: RehearsalResult, compare: Callable[[str, str], None]) -> None:
    compare("rehearsal.svg", render_rehearsal_svg(sample))


def test_it_is_well_formed_and_loads_nothing(sample: RehearsalResult) -> None:
    hostile = replace(sample, fleet='<script>&"</script>')
    text = render_rehearsal_svg(hostile, command="a < b & c")
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert {element.tag for element in root.iter()} == {f"{SVG}{tag}" for tag in ("svg", "g", "rect", "circle", "text")}
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert "a < b & c" in words


def test_bars_are_drawn_and_not_written(sample: RehearsalResult) -> None:
    assert not set("▒░█─│") & set(render_rehearsal_svg(sample))
