"""The JSON of a rehearsal: its keys are a contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from patchgate.judge.violation import Violation
from patchgate.rehearsal.outcome import RehearsalResult
from patchgate.report.rehearsal_json import render_rehearsal_json


def test_the_whole(sample: RehearsalResult, compare: Callable[[str, str], None]) -> None:
    compare("rehearsal.json", render_rehearsal_json(sample))


def test_the_promised_keys(sample: RehearsalResult) -> None:
    value = json.loads(render_rehearsal_json(sample))
    assert (value["schema"], value["seed"], value["lanes"], value["cycles"], value["events"]) == (1, 7, 6, 6, 4182)
    assert value["violations"] == []
    assert value["windows_left_open"] == 0
    assert {"lane", "instance", "reason"} <= value["denied"][0].keys()
    assert {"lane", "instance", "reason"} <= value["failed"][0].keys()


def test_every_instance_is_named_once(sample: RehearsalResult) -> None:
    value = json.loads(render_rehearsal_json(sample))
    named = [entry["instance"] for key in ("patched", "denied", "failed", "skipped") for entry in value[key]]
    assert len(named) == len(set(named)) == 41


def test_it_is_ascii_and_sorted_and_knows_no_real_time(sample: RehearsalResult) -> None:
    text = render_rehearsal_json(sample)
    assert text.isascii()
    assert text.endswith("}\n")
    value = json.loads(text)
    assert list(value) == sorted(value)
    assert render_rehearsal_json(replace(sample, elapsed_seconds=99.0)) == text


def test_violations_carry_their_witness(sample: RehearsalResult) -> None:
    violation = Violation("proof", datetime(2026, 7, 4, tzinfo=UTC), "1", "r", "i-1", "what", (3, 5))
    value = json.loads(render_rehearsal_json(replace(sample, violations=(violation,), contrast=None)))
    assert value["violations"][0]["witness"] == [3, 5]
    assert value["contrast"] is None
