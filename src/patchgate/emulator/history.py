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

    def append(self, at: datetime, account: str, region: str, event: str, **facts: Any) -> None:
        """Record one event. ``facts`` are JSON values; an aware datetime is written as ``iso`` writes it."""
        self._records.append(
            {"seq": len(self._records), "at": iso(at), "account": account, "region": region, "event": event}
            | {key: _plain(value) for key, value in facts.items()}
        )

    def begin_with(self, records: Iterable[Record]) -> None:
        """Start from the records of another history; they are shared, and never changed."""
        self._records = list(records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def of(self, *events: str) -> Iterator[Record]:
        """The records of the named events, in order."""
        return (record for record in self._records if record["event"] in events)

    def to_json_lines(self) -> str:
        """One record a line, keys sorted, ASCII: the same history is the same bytes."""
        return "".join(json.dumps(record, sort_keys=True) + "\n" for record in self._records)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
