"""The contract of histories: what breaks it, and that judge and summary need nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from patchgate.errors import InputError
from patchgate.judge.facts import Facts
from patchgate.judge.reading_estate import EstateReader
from patchgate.judge.reading_lanes import LaneReader
from patchgate.judge.reading_work import WorkReader
from patchgate.rehearsal.history import EVENTS, read_records

PUT: dict[str, Any] = {
    "seq": 0,
    "at": "2026-07-11T00:00:00.000Z",
    "account": "111122223333",
    "region": "eu-west-1",
    "event": "ParameterPut",
    "name": "/a",
    "value": "1",
}


def lines(*records: object) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_records_are_read_in_order() -> None:
    other = PUT | {"seq": 1, "event": "SomethingElse", "name": "a\u2028b\x85c"}
    text = lines(PUT) + json.dumps(other, ensure_ascii=False) + "\n"
    assert read_records(text, "here") == [PUT, other]
    assert read_records("", "here") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "record 0 .* does not end with a line feed|record 0"),
        (lines(PUT)[:-1], "record 0 of the history of here does not end with a line feed"),
        (lines(PUT) + "x\n", "record 1 of the history of here "),
        (lines([]), "is no JSON object"),
        (lines({"seq": 0}), r"\(of no event\) lacks at, account, region, event"),
        (lines({name: said for name, said in PUT.items() if name != "value"}), r"\(ParameterPut\) lacks value"),
        (lines(PUT | {"seq": 1}), "has seq 1"),
        (lines(PUT | {"at": "2026-07-11"}), "which is no instant with an offset"),
        (lines(PUT | {"at": 7}), "which is no instant with an offset"),
        (lines(PUT, PUT | {"seq": 1, "at": "2026-07-10T00:00:00Z"}), "record 1 .* before the record that it follows"),
    ],
)
def test_a_history_that_breaks_the_contract_is_refused_with_its_record(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_records(text, "here")


def test_every_fact_of_the_contract_has_a_meaning() -> None:
    for name, contract in EVENTS.items():
        assert contract.says, name
        assert all({**contract.facts, **contract.also}.values()), name
        assert not set(contract.facts) & set(contract.also), name


@pytest.mark.parametrize("reader", [EstateReader, LaneReader, WorkReader])
def test_every_event_that_the_judge_reads_is_in_the_contract(reader: Any) -> None:
    assert set(reader(Facts()).handlers()) <= set(EVENTS)
