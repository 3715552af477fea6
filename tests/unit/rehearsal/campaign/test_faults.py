"""The catalogue of faults: complete, drawn alike from alike coins, and each one does something."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from patchgate.rehearsal.campaign import faults
from patchgate.rehearsal.campaign.acts import ACTS
from patchgate.rehearsal.campaign.adversary import CALL, CAPACITY, DELIVERY, PAGES, REFUSAL
from patchgate.rehearsal.campaign.faults import ELSEWHERE, FAULTS, Draw, Fault, fault
from patchgate.rehearsal.campaign.ground import Ground, Grounds
from patchgate.rehearsal.campaign.shapes import SHAPES


def drawn(entry: Fault, ground: Ground, seed: int) -> list[dict[str, object]]:
    coins = random.Random(seed)  # noqa: S311 - replayable by design
    terrain = ground.terrain
    return [each.as_json() for each in entry.draw(Draw(coins, terrain, terrain.cycles[seed % 3], entry.number))]


def test_every_fault_number_is_injected_or_covered_elsewhere() -> None:
    numbers = {f"F{number:02}" for number in range(1, 61)}
    injected = {number for number in FAULTS if number.startswith("F")}
    assert injected | set(ELSEWHERE) == numbers
    assert injected & set(ELSEWHERE) == set()
    assert set(FAULTS) - injected == {"crash", "clock"}


def test_a_number_is_in_the_catalogue_once() -> None:
    with pytest.raises(ValueError, match="F01"):
        fault("F01", "again")(FAULTS["F02"].draw)
    assert list(FAULTS) == sorted(FAULTS)


@pytest.mark.parametrize("number", FAULTS)
def test_a_drawing_is_the_same_for_the_same_coins_and_fits_every_lane(grounds: Grounds, number: str) -> None:
    entry = FAULTS[number]
    assert entry.says
    for seed, shape in enumerate(SHAPES):
        ground = grounds.of(shape)
        first = drawn(entry, ground, seed)
        assert first
        assert first == drawn(entry, ground, seed)
        assert json.loads(json.dumps(first)) == json.loads(json.dumps(drawn(entry, ground, seed)))
        for injection in first:
            assert injection["act"] in {*ACTS, CALL, CAPACITY, DELIVERY, PAGES, REFUSAL}
            assert injection["fault"] == number
            assert isinstance(injection["begins"], int)
            assert injection["begins"] >= 0


def test_every_act_is_used_by_a_fault() -> None:
    sources = Path(str(faults.__file__)).parent.glob("*.py")
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    assert [name for name in ACTS if f'"{name}"' not in text] == []
