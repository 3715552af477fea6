"""What is told of a seed that gave two histories: the first record that differs, and whose words those are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from patchgate.errors import InputError
from patchgate.rehearsal.campaign.ground import Grounds, open_grounds
from patchgate.rehearsal.campaign.mixes import read_mix
from patchgate.rehearsal.campaign.repeating import UnrepeatableError, parting, unrepeatable
from patchgate.rehearsal.campaign.series import Series, Tally, run_seed

from .others import function, schedule, shapes, task, window, write


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps({"seq": seq} | record) + "\n" for seq, record in enumerate(records))


STARTED = {"event": "WindowExecutionStarted", "execution": "e"}


def said(*log: str, **facts: Any) -> dict[str, Any]:
    return {"event": "FunctionEnded", "function": "gate", "log": list(log), "result": None} | facts


@pytest.mark.parametrize(
    ("one", "other", "told", "whose"),
    [
        (
            lines(STARTED, said("same", "a")),
            lines(STARTED, said("same", "b")),
            'record 1, FunctionEnded of gate, differs in log: "a" and "b"',
            "gate",
        ),
        (
            lines(said(result={"a": 1})),
            lines(said(result=None)),
            'record 0, FunctionEnded of gate, differs in result: {"a": 1} and null',
            "gate",
        ),
        (lines(said(), STARTED), lines(said()), "one has 2 records, the other 1", ""),
        (lines(STARTED), lines(said()), "record 0, WindowExecutionStarted, is FunctionEnded in the other", ""),
        (
            lines(STARTED),
            lines(STARTED | {"execution": "f"}),
            'record 0, WindowExecutionStarted, differs in execution: "e" and "f"',
            "",
        ),
        (
            lines(said("a")),
            lines(said("a", "b")),
            'FunctionEnded of gate, differs in log: ["a"] and ["a", "b"]',
            "gate",
        ),
    ],
)
def test_the_first_record_that_differs_is_named(one: str, other: str, told: str, whose: str) -> None:
    words, function = parting(one, other)
    assert words.endswith(told)
    assert function == whose


def test_long_words_are_cut() -> None:
    words, _ = parting(lines(said("a" * 500)), lines(said("b" * 500)))
    assert len(words) < 400


def test_only_functions_of_others_are_to_blame() -> None:
    one, other = lines(said("a")), lines(said("b"))
    ours = unrepeatable(3, one, other, of_others=False)
    assert isinstance(ours, UnrepeatableError)
    assert "please report it" in ours.remedy
    theirs = unrepeatable(3, one, other, of_others=True)
    assert isinstance(theirs, InputError)
    assert theirs.remedy.startswith("what gate prints and answers must follow from its event")
    assert isinstance(unrepeatable(3, lines(STARTED), one, of_others=True), UnrepeatableError)


def run_twice(directory: Path, code: str) -> Tally:
    """Seed 0, which is repeated, of templates whose gate has that code."""
    found = window("nightly", task()) | function("Gate", f"import os\ndef handler(event, context):\n    {code}\n")
    found |= schedule("gate", "Gate", "cron(0 20 * * ? *)")
    lanes, tally = shapes(write(directory, patching=found)), Tally()
    series = Series(runs=1, mix="none", shapes=lanes)
    grounds: Grounds
    with open_grounds() as grounds:
        run_seed(series, read_mix("none"), 0, grounds, tally)
    return tally


def test_a_function_that_prints_chance_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"seed 0 gave two histories: record .*, FunctionEnded of Gate, differs in log"
    ):
        run_twice(tmp_path, "print(os.urandom(8).hex())")


def test_a_function_that_prints_its_context_and_its_objects_is_repeatable(tmp_path: Path) -> None:
    assert run_twice(tmp_path, "print(event, context, object(), handler)").repeated == 1
