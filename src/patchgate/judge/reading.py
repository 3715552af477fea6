"""Reads a recorded history into facts, in one pass.

The events and their fields are the contract of the embedded AWS's history; events that no promise asks for
are passed over, and an event that lacks what it must have is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable

from patchgate.errors import InputError
from patchgate.judge.facts import Facts
from patchgate.judge.reading_estate import EstateReader
from patchgate.judge.reading_lanes import LaneReader
from patchgate.judge.reading_work import WorkReader
from patchgate.judge.records import Record, instant
from patchgate.judge.spans import Cut


def read_history(history: Iterable[Record]) -> Facts:
    """The facts of a history. Raises InputError where a record lacks what its event must have."""
    facts = Facts()
    handlers = EstateReader(facts).handlers() | LaneReader(facts).handlers() | WorkReader(facts).handlers()
    text, at = "", None
    for record in history:
        try:
            if at is None or record["at"] != text:
                text, at = record["at"], instant(record["at"])
            cut = Cut(record["seq"], at)
            facts.seqs.append(cut.seq)
            facts.instants.append(at)
            handler = handlers.get(record["event"])
            if handler is not None:
                handler(record, cut, (record["account"], record["region"]))
        except KeyError as missing:
            event, seq = record.get("event", "?"), record.get("seq", "?")
            raise InputError(f"record {seq} of the history ({event}) lacks {missing}") from missing
    return facts
