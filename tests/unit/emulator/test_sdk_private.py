"""One test for each undocumented name of botocore that both doors use; see emulator/sdk_private.py."""

from __future__ import annotations

import inspect
import subprocess
import sys

import botocore.configprovider
import botocore.retryhandler
import botocore.session
import botocore.waiter
import pytest

from patchgate.emulator import sdk_private


class Clock:
    """sdk_private.Waiting that only counts."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def time(self) -> float:
        return 1000.0

    def random(self) -> float:
        return 0.25


def test_waiters_sleep_and_legacy_retries_throw_dice_where_they_did() -> None:
    clock, sleep, dice = Clock(), botocore.waiter.time, botocore.retryhandler.random
    assert "time.sleep(" in inspect.getsource(botocore.waiter)
    with sdk_private.virtual_time(clock):
        botocore.waiter.time.sleep(5)
        assert botocore.retryhandler.random.random() == 0.25
        assert botocore.retryhandler.delay_exponential(base="rand", growth_factor=2, attempts=3) == 0.25 * 2**2
    assert clock.slept == [5]
    assert (botocore.waiter.time, botocore.retryhandler.random) == (sleep, dice)


def test_sessions_read_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = botocore.configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES
    assert all(len(entry) == 4 for entry in variables.values())
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "99")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-2")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    session = botocore.session.Session(session_vars=sdk_private.isolated_session_variables())
    assert session.profile is None
    assert session.get_config_variable("max_attempts") is None
    assert session.get_config_variable("region") is None
    assert session.get_config_variable("retry_mode") != "adaptive"
    assert session.get_scoped_config() == {}


def test_a_name_that_is_gone_is_an_error_and_not_made() -> None:
    with pytest.raises(AttributeError), sdk_private.replaced(botocore.waiter, "hourglass", None):
        pass
    assert not hasattr(botocore.waiter, "hourglass")


def test_the_direct_door_loads_no_moto() -> None:
    code = "import sys, patchgate.emulator.direct; sys.exit('moto' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
