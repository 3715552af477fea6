"""The page about permissions names every role of the templates, and every statement where it belongs."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.permissions import permissions

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "permissions.md"


def test_every_statement_is_explained_and_no_other() -> None:
    page = PAGE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    explained = {
        (resource, sid)
        for resource, text in sections.items()
        for sid in re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    }
    given = {(p.resource, p.label) for p in permissions() if p.label != "trust" and not p.label.startswith("managed")}
    assert explained == given
    assert {p.resource for p in permissions()} <= set(sections)
