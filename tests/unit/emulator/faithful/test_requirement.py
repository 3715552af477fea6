"""The faithful mode where it cannot be."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime

import pytest

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.faithful.runtime import require_runtime_client
from patchgate.errors import MissingExtraError
from patchgate.rehearsal.stage import open_runtime


def test_a_missing_client_is_one_error_that_says_what_to_install_and_where_it_runs() -> None:
    with pytest.raises(MissingExtraError) as missing:
        require_runtime_client(lambda name: None if name == "awslambdaric" else name)
    assert "pip install 'patchgate[emulator,faithful]'" in str(missing.value)
    assert "Linux" in str(missing.value)
    assert "--runtime fast" in missing.value.remedy
    require_runtime_client(lambda name: name)


@pytest.mark.skipif(
    (sys.platform, sys.implementation.name, platform.machine() in ("x86_64", "aarch64")) != ("linux", "cpython", True),
    reason="awslambdaric has no wheels for this machine",
)
def test_where_the_client_can_be_it_is_and_no_test_of_the_mode_is_left_out() -> None:
    require_runtime_client()


def test_the_direct_door_has_no_children() -> None:
    door = DirectDoor(Cloud((), start=datetime(2026, 7, 4, tzinfo=UTC)))
    with pytest.raises(TypeError, match="wire door"):
        open_runtime(door, "faithful")
