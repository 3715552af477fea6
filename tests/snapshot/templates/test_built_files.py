"""The files under ``templates/`` are what this version builds, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from patchgate.templates import Template, build_templates

BUILT = Path(__file__).parents[3] / "templates"


@pytest.mark.parametrize("template", build_templates().values(), ids=lambda template: template.name)
def test_a_built_file_is_current(template: Template) -> None:
    assert (BUILT / template.file_name).read_bytes() == template.text().encode(), "run: make generate"


def test_nothing_else_lies_beside_them() -> None:
    assert {path.name for path in BUILT.iterdir()} == {t.file_name for t in build_templates().values()}
