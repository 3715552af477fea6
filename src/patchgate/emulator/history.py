"""The recorded history of a run: what happened in the cloud, in order, as plain JSON values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

Record = dict[str, Any]


def iso(when: datetime) -> str:
    """An instant as histories write it: UTC, milliseconds, ``Z``."""
    return when.isoformat(timespec="milliseconds")[:23] + "Z"


class History:
    """An append-only list of records. The same run appends the same records."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._instant: datetime | None = None
        self._text = ""

    def append(self, at: datetime, account: str, region: str, event: str, **facts: Any) -> None:
        """Record one event. ``facts`` are JSON values; an aware datetime is written as ``iso`` writes it."""
        records = self._records
        if at is not self._instant:
            self._instant, self._text = at, iso(at)
        for key, value in facts.items():
            if type(value) not in _PLAIN:
                facts[key] = _plain(value)
        place = {"seq": len(records), "at": self._text, "account": account, "region": region, "event": event}
        records.append(place | facts)

    def begin_with(self, records: Iterable[Record]) -> None:
        """Start from the records of another history; they are shared, and never changed."""
        self._records = list(records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def since(self, number: int) -> list[Record]:
        """The records from that one on, in order; they are shared, and never changed."""
        return self._records[number:]

    def __len__(self) -> int:
        return len(self._records)

    def of(self, *events: str) -> Iterator[Record]:
        """The records of the named events, in order."""
        return (record for record in self._records if record["event"] in events)

    def to_json_lines(self) -> str:
        """One record a line, keys sorted, ASCII: the same history is the same bytes."""
        records = self._records
        if not records:
            return ""
        parted: list[Any] = [_MARK] * (2 * len(records) - 1)
        parted[::2] = records
        lines = _TO_TEXT(parted)[1:-1].split(_BREAK)  # one call of the encoder instead of one for every record
        if len(lines) != len(records):  # a record holds the mark itself
            lines = [_TO_TEXT(record) for record in records]
        return "\n".join(lines) + "\n"


_MARK = "\0"
_BREAK = ', "\\u0000", '
"""How a mark between two records is written."""
_TO_TEXT = json.JSONEncoder(sort_keys=True, check_circular=False).encode
_PLAIN = frozenset({str, int, bool, float, type(None)})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): item if type(item) in _PLAIN else _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [item if type(item) in _PLAIN else _plain(item) for item in value]
    if isinstance(value, datetime):
        return iso(value)
    return value
