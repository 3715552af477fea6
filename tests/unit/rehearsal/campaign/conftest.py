"""Grounds that are broken once for all tests of campaigns in a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from patchgate.rehearsal.campaign.ground import Ground, Grounds, open_grounds
from patchgate.rehearsal.campaign.shapes import SHAPES


@pytest.fixture(scope="package")
def grounds() -> Iterator[Grounds]:
    with open_grounds() as opened:
        yield opened


@pytest.fixture(scope="package")
def daily(grounds: Grounds) -> Ground:
    return grounds.of(SHAPES[0])
