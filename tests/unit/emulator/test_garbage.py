"""How often Python looks for garbage is put back, whatever happens."""

from __future__ import annotations

import gc

import pytest

from patchgate.emulator.garbage import THRESHOLD, rare_collections


def test_it_is_rare_within_and_as_before_after() -> None:
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold() == (THRESHOLD, *before[1:])
        with rare_collections():
            pass
        assert gc.get_threshold()[0] == THRESHOLD
    assert gc.get_threshold() == before


def test_it_is_put_back_after_an_error() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError), rare_collections():
        raise KeyError
    assert gc.get_threshold() == before
