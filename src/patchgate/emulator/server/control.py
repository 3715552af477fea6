"""The endpoints under ``/_patchgate/``: the virtual clock, the history, worlds. JSON in and out.

    GET  /_patchgate/health     {"status": "ok"}
    GET  /_patchgate/clock      {"now": instant, "next_event": instant or null, "recorded": number of records}
    POST /_patchgate/clock      {"until": instant} or {"advance": seconds or ISO 8601 duration}; answers as GET
    GET  /_patchgate/history    the recorded history as JSON lines; ?from=SEQ leaves out those before that number
    POST /_patchgate/world      the text of a world file (YAML); {"instances": how many were put there}
    POST /_patchgate/reset      everything as at the start; answers as GET clock

A request that cannot be carried out is answered with 400 and ``{"error": ..., "remedy": ...}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from patchgate.emulator.history import iso
from patchgate.emulator.server.durations import parse_duration
from patchgate.errors import InputError

if TYPE_CHECKING:
    from patchgate.emulator.server.host import ClockReading, CloudHost, Response

CONTROL = "/_patchgate/"
_JSON = {"Content-Type": "application/json"}


def answer_control(host: CloudHost, method: str, target: str, body: bytes) -> Response:
    """Answer a request whose path begins with ``CONTROL``."""
    parts = urlsplit(target)
    handlers = _HANDLERS.get(parts.path.removeprefix(CONTROL).rstrip("/"))
    if handlers is None:
        known = ", ".join(CONTROL + name for name in _HANDLERS)
        return _json({"error": f"there is no {parts.path}", "remedy": f"there are {known}"}, status=404)
    handler = handlers.get(method)
    if handler is None:
        allowed = ", ".join(handlers)
        status, headers, text = _json({"error": f"{parts.path} takes no {method}", "remedy": allowed}, status=405)
        return status, {**headers, "Allow": allowed}, text
    try:
        return handler(host, parts.query, body)
    except InputError as error:
        return _json({"error": str(error), "remedy": error.remedy}, status=400)


def _health(_host: CloudHost, _query: str, _body: bytes) -> Response:
    return _json({"status": "ok"})


def _read_clock(host: CloudHost, _query: str, _body: bytes) -> Response:
    return _clock(host.read_clock())


def _move_clock(host: CloudHost, _query: str, body: bytes) -> Response:
    asked = _read_object(body)
    if set(asked) == {"until"}:
        return _clock(host.advance_to(_parse_instant(asked["until"])))
    if set(asked) == {"advance"}:
        return _clock(host.advance_by(parse_duration(asked["advance"])))
    raise InputError("the clock is moved with one of: until, advance", remedy='for example {"advance": "PT2H30M"}')


def _history(host: CloudHost, query: str, _body: bytes) -> Response:
    given = parse_qs(query, keep_blank_values=True).get("from", ["0"])[-1]
    if not given.isdecimal():
        raise InputError(f"from={given} is no number of a record", remedy="give the seq of the first record wanted")
    lines = (json.dumps(record, sort_keys=True) + "\n" for record in host.read_history(int(given)))
    return 200, {"Content-Type": "application/x-ndjson"}, "".join(lines).encode()


def _load_world(host: CloudHost, _query: str, body: bytes) -> Response:
    return _json({"instances": host.load_world(body)})


def _reset(host: CloudHost, _query: str, _body: bytes) -> Response:
    return _clock(host.reset())


_Handler = Callable[["CloudHost", str, bytes], "Response"]
_HANDLERS: dict[str, dict[str, _Handler]] = {
    "health": {"GET": _health},
    "clock": {"GET": _read_clock, "POST": _move_clock},
    "history": {"GET": _history},
    "world": {"POST": _load_world},
    "reset": {"POST": _reset},
}


def _clock(reading: ClockReading) -> Response:
    upcoming = None if reading.next_event is None else iso(reading.next_event)
    return _json({"now": iso(reading.now), "next_event": upcoming, "recorded": reading.recorded})


def _json(answer: dict[str, Any], *, status: int = 200) -> Response:
    return status, _JSON, (json.dumps(answer) + "\n").encode()


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError as error:
        raise InputError(f"the request is no JSON: {error}") from error
    if not isinstance(asked, dict):
        raise InputError("the request is no JSON object")
    return asked


def _parse_instant(value: object) -> datetime:
    """An instant; UTC where it names no offset."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise InputError(f"{value!r} is no instant", remedy="give one such as 2026-07-11T22:30:00Z")
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
