"""The pieces of fleet files that pages show are right where a fleet file has them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from patchgate.config import parse_fleet

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "write-a-fleet-file.md"
COMPLETE = {
    "version": 1,
    "organization": {"id": "o-a1b2c3d4e5", "log_account": "999999999999"},
    "accounts": [{"id": "111111111111", "name": "web"}],
    "targets": [
        {
            "accounts": ["web"],
            "regions": ["eu-central-1"],
            "operating_systems": ["windows"],
            "environments": ["prd"],
        }
    ],
}
PIECES = [block.partition("```")[0] for block in PAGE.read_text(encoding="utf-8").split("```yaml\n")[1:]]


@pytest.mark.parametrize("piece", PIECES, ids=[piece.splitlines()[0] for piece in PIECES])
def test_every_piece_makes_a_fleet_file_with_what_it_leaves_out(piece: str) -> None:
    left_out = {key: value for key, value in COMPLETE.items() if f"\n{key}:" not in f"\n{piece}"}
    text = f"{piece}{yaml.safe_dump(left_out)}" if left_out else piece
    fleet = parse_fleet(text.encode(), PAGE.name, directory=ROOT / "examples")
    assert fleet.lanes({unit.id: ["111111111111"] for unit in fleet.unresolved()})
