"""Every reason has a fault that the documents know, a meaning and a remedy."""

from __future__ import annotations

import re

import pytest

from patchgate.domain.reasons import REASONS, Reason, reason_of
from patchgate.gate.rules import REASONS as GATE_REASONS


@pytest.mark.parametrize("reason", REASONS.values(), ids=lambda reason: reason.code)
def test_a_reason_is_complete_and_short(reason: Reason) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", reason.code)
    assert re.fullmatch(r"F\d\d", reason.fault)
    assert 0 < len(reason.meaning) <= 60
    assert 0 < len(reason.remedy) <= 80
    assert not reason.meaning.endswith(".")
    assert not reason.remedy.endswith(".")


def test_the_gate_s_codes_and_faults_are_the_gate_s() -> None:
    assert {code: REASONS[code].fault for code in GATE_REASONS} == GATE_REASONS


def test_an_unknown_code_is_named_and_not_hidden() -> None:
    assert reason_of("moon-phase").code == "moon-phase"
    assert reason_of("moon-phase").remedy == "upgrade patchgate"
    assert reason_of("disk-full") is REASONS["disk-full"]
