"""The endpoints under ``/_patchgate/``: the virtual clock, the history, worlds, beginnings. JSON in and out.

``docs/reference/engine-protocol.md`` says what each takes and answers; ``emulator.protocol`` has what both sides share.
A request that cannot be carried out is answered with 400 and ``{"error": ..., "remedy": ...}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from patchgate._version import __version__
from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.protocol import CONTROL, HISTORY_TYPE, PROTOCOL, parse_instant
from patchgate.emulator.server.durations import parse_duration
from patchgate.emulator.server.host import Beginning
from patchgate.errors import InputError

if TYPE_CHECKING:
    from patchgate.emulator.protocol import ClockReading
    from patchgate.emulator.server.host import CloudHost, Response

_JSON = {"Content-Type": "application/json"}
_ASSUMPTIONS = tuple(field.name for field in fields(Assumptions))


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
    engine = f"patchgate {__version__}"
    return _json({"status": "ok", "protocol": PROTOCOL, "engine": engine, "assumptions": list(_ASSUMPTIONS)})


def _read_clock(host: CloudHost, _query: str, _body: bytes) -> Response:
    return _clock(host.read_clock())


def _move_clock(host: CloudHost, _query: str, body: bytes) -> Response:
    asked = _read_object(body)
    if set(asked) == {"until"}:
        return _clock(host.advance_to(parse_instant(asked["until"])))
    if set(asked) == {"advance"}:
        return _clock(host.advance_by(parse_duration(asked["advance"])))
    raise InputError("the clock is moved with one of: until, advance", remedy='for example {"advance": "PT2H30M"}')


def _history(host: CloudHost, query: str, _body: bytes) -> Response:
    given = parse_qs(query, keep_blank_values=True).get("from", ["0"])[-1]
    if not given.isdecimal():
        raise InputError(f"from={given} is no number of a record", remedy="give the seq of the first record wanted")
    lines = (json.dumps(record, sort_keys=True) + "\n" for record in host.read_history(int(given)))
    return 200, {"Content-Type": HISTORY_TYPE}, "".join(lines).encode()


def _load_world(host: CloudHost, _query: str, body: bytes) -> Response:
    return _json({"instances": host.load_world(body)})


def _reset(host: CloudHost, _query: str, body: bytes) -> Response:
    asked = _read_object(body) if body else {}
    return _clock(host.reset(_read_beginning(asked) if asked else None))


_Handler = Callable[["CloudHost", str, bytes], "Response"]
_HANDLERS: dict[str, dict[str, _Handler]] = {
    "health": {"GET": _health},
    "clock": {"GET": _read_clock, "POST": _move_clock},
    "history": {"GET": _history},
    "world": {"POST": _load_world},
    "reset": {"POST": _reset},
}


def _clock(reading: ClockReading) -> Response:
    return _json(reading.to_json())


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


def _read_beginning(asked: dict[str, Any]) -> Beginning:
    """What a reset asks for; InputError for what is unknown, missing or of another kind."""
    known = ("start", "seed", "organization", "assumptions", "world")
    unknown = sorted(set(asked) - set(known))
    if unknown or "start" not in asked:
        wrong = f"a beginning has no {unknown[0]}" if unknown else "a beginning needs a start"
        raise InputError(wrong, remedy=f"it has {', '.join(known)}; all but start may be left out")
    seed, organization = asked.get("seed", 0), asked.get("organization", "")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"seed: {seed!r} is no whole number from 0")
    if not isinstance(organization, str) or not re.fullmatch(r"(o-[a-z0-9]{10,32})?", organization):
        raise InputError(f"organization: {organization!r} is no id such as o-a1b2c3d4e5")
    assumptions = _read_assumptions(asked.get("assumptions", {}))
    return Beginning(parse_instant(asked["start"]), seed, organization, assumptions, asked.get("world"))


def _read_assumptions(asked: object) -> Assumptions:
    if not isinstance(asked, dict):
        raise InputError("assumptions: give an object of names and readings")
    known = Assumptions.variants()
    unknown = sorted(set(asked) - set(known))
    if unknown:
        raise InputError(f"assumptions: there is no {unknown[0]}", remedy=f"there are {', '.join(known)}")
    for name, reading in asked.items():
        if not any(reading is each or (isinstance(each, str) and reading == each) for each in known[name]):
            readings = ", ".join(json.dumps(each) for each in known[name])
            raise InputError(f"assumptions: {name} has no reading {reading!r}", remedy=f"it has {readings}")
    return Assumptions(**asked)
