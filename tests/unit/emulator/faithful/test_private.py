"""What the faithful mode touches of botocore and awslambdaric is still there, and of the shape that it relies on."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import botocore.client
import botocore.handlers
import botocore.httpsession
import botocore.retries.adaptive
import botocore.retries.standard
import botocore.retryhandler
import botocore.utils
import pytest

from patchgate.emulator.faithful import private
from patchgate.emulator.faithful.private import settle_botocore


class Dice:
    def draw_token(self) -> str:
        return "token"

    def random(self) -> float:
        return 0.5


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore as a child has it; what it was comes back afterwards."""
    for holder, name in (
        (botocore.handlers, "BUILTIN_HANDLERS"),
        (botocore.retries.standard, "ExponentialBackoff"),
        (botocore.retryhandler, "random"),
        (botocore.retries.adaptive, "register_retry_handler"),
        (botocore.utils, "get_tzinfo_options"),
        (botocore.httpsession.URLLib3Session, "__init__"),
    ):
        value = getattr(holder, name)
        monkeypatch.setattr(holder, name, list(value) if isinstance(value, list) else value)
    settle_botocore(Dice())


@pytest.mark.usefixtures("settled")
def test_client_tokens_and_jitter_are_drawn_from_the_dice() -> None:
    fills = [entry[1] for entry in botocore.handlers.BUILTIN_HANDLERS if entry[0] == "before-parameter-build"]
    params: dict[str, Any] = {"given": "kept"}
    fills[0](params, SimpleNamespace(idempotent_members=["given", "ClientToken"]), context={})
    assert params == {"given": "kept", "ClientToken": "token"}
    assert botocore.handlers.generate_idempotent_uuid not in fills
    backoff = botocore.retries.standard.ExponentialBackoff()
    assert backoff._random() == 0.5
    assert botocore.retryhandler.random.random() == 0.5
    assert "random" in inspect.signature(botocore.retries.standard.ExponentialBackoff.func).parameters
    assert "random.random()" in inspect.getsource(botocore.retryhandler)


@pytest.mark.usefixtures("settled")
def test_instants_are_in_utc_and_answers_are_waited_for() -> None:
    assert botocore.utils.get_tzinfo_options() == (botocore.utils.tzutc,)
    session = botocore.httpsession.URLLib3Session(timeout=(1, 1))
    assert (session._timeout.connect_timeout, session._timeout.read_timeout) == (60, None)


@pytest.mark.usefixtures("settled")
def test_adaptive_retries_are_refused_by_name() -> None:
    assert "adaptive.register_retry_handler(" in inspect.getsource(botocore.client)
    with pytest.raises(NotImplementedError, match="adaptive"):
        botocore.retries.adaptive.register_retry_handler(None)


def test_every_name_is_told() -> None:
    documented = private.__doc__ or ""
    for name in ("BUILTIN_HANDLERS", "ExponentialBackoff", "retryhandler.random", "adaptive", "get_tzinfo_options"):
        assert name in documented


def test_the_runtime_client_is_what_the_mode_relies_on() -> None:
    bootstrap = pytest.importorskip("awslambdaric.bootstrap", reason="awslambdaric is for Linux only")
    source = inspect.getsource(bootstrap)
    assert "_LAMBDA_TELEMETRY_LOG_FD" in source
    assert bytes((0xA5, 0x5A, 0x00, 0x17)) == bootstrap._ERROR_FRAME_TYPE
    literals = pytest.importorskip("awslambdaric.lambda_literals", reason="awslambdaric is for Linux only")
    assert literals.lambda_unhandled_exception_warning_message.startswith("LAMBDA_WARNING: Unhandled exception.")
