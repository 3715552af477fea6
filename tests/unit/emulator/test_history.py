"""The history's text: one record a line, whatever the records hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchgate.emulator.history import History

START = datetime(2026, 7, 4, 12, tzinfo=UTC)


def written(*values: Any) -> str:
    history = History()
    for number, value in enumerate(values):
        history.append(START + timedelta(milliseconds=number), "111122223333", "eu-west-1", "Said", value=value)
    return history.to_json_lines()


def test_no_record_is_no_line() -> None:
    assert written() == ""


@pytest.mark.parametrize(
    "values",
    [
        ["a"],
        ["a", "é\n", {"b": 1, "a": [None, True, 1.5]}],
        ["\0", {"\0": "\0", "b": "\0"}],
        [["a", "\0", "b"], "c"],
        [["a", "\0", "b"], ["\0", "\0", "\0"], ', "\\u0000", ', ', "\0", '],
    ],
)
def test_each_record_is_a_line_of_its_own(values: list[Any]) -> None:
    lines = written(*values).splitlines()
    assert [json.loads(line)["value"] for line in lines] == values
    assert lines == [json.dumps(json.loads(line), sort_keys=True) for line in lines]
    assert written(*values).endswith("}\n")


def test_values_become_plain_copies() -> None:
    given = {1: (START, [START]), "at": START}
    assert json.loads(written(given))["value"] == {
        "1": ["2026-07-04T12:00:00.000Z", ["2026-07-04T12:00:00.000Z"]],
        "at": "2026-07-04T12:00:00.000Z",
    }


def test_instants_are_those_of_the_records() -> None:
    at = [json.loads(line)["at"] for line in written("a", "b").splitlines()]
    assert at == ["2026-07-04T12:00:00.000Z", "2026-07-04T12:00:00.001Z"]
