"""Asks an engine's control endpoints over HTTP."""

from __future__ import annotations

import http.client
import ipaddress
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from patchgate.emulator.history import iso
from patchgate.emulator.protocol import CONTROL, PROTOCOL, ClockReading
from patchgate.errors import InputError, PatchgateError

PATIENCE = 600.0
"""Seconds that one request may take."""

_Answer = TypeVar("_Answer")
_START_ONE = "start one with: patchgate emulator"


class EngineError(PatchgateError):
    """An engine that could not do what it was asked for, or that answered what the protocol does not know."""


class EngineClient:
    """The control endpoints of the engine at ``url``.

    What the engine refuses as wrong input is raised as InputError, everything else as EngineError. ``url`` is that of
    its root, such as ``http://127.0.0.1:4566``; InputError for anything else.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        self.url = check_url(url)
        self._patience = patience
        no_proxies = [urllib.request.ProxyHandler({})] if is_loopback(urlsplit(self.url).hostname or "") else []
        self._opener = urllib.request.build_opener(*no_proxies)

    def greet(self) -> frozenset[str]:
        """Make sure that an engine is there which speaks this protocol; the names of the assumptions it can be set to.

        Raises InputError for anything else that may answer at the URL.
        """
        try:
            answer = self._ask("health", self._json)
        except EngineError as error:
            raise InputError(f"there is no engine at {self.url}: {error}", remedy=_START_ONE) from error
        spoken = answer.get("protocol") if isinstance(answer, dict) else None
        if spoken != PROTOCOL:
            says = f"speaks {spoken}" if isinstance(spoken, str) else "does not say that it is an engine"
            raise InputError(f"{self.url} {says}; a rehearsal needs {PROTOCOL}", remedy=_START_ONE)
        names = answer.get("assumptions", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise EngineError(f"{self.url}: assumptions is no list of names: {names!r}")
        return frozenset(names)

    def begin(self, beginning: dict[str, Any] | None = None) -> ClockReading:
        """Forget everything and begin anew: as ``beginning`` says, or as the engine was started."""
        body = b"" if beginning is None else json.dumps(beginning).encode()
        return self._ask("reset", self._reading, body)

    def read_clock(self) -> ClockReading:
        """What time it is there."""
        return self._ask("clock", self._reading)

    def advance_to(self, when: datetime) -> ClockReading:
        """Let everything happen that is due until ``when``."""
        return self._move({"until": iso(when)})

    def advance_by(self, duration: str | float) -> ClockReading:
        """Let everything happen that is due within an ISO 8601 duration, or a number of seconds."""
        return self._move({"advance": duration})

    def read_history(self, start: int = 0) -> str:
        """The records from the number ``start`` on, as JSON lines."""
        return self._ask(f"history?from={start}", lambda body: body.decode("utf-8"))

    def load_world(self, text: bytes) -> int:
        """Put the machines of a world file's text there, beginning now, and return how many they are."""
        return self._ask("world", lambda body: int(self._json(body)["instances"]), text)

    def _move(self, asked: dict[str, Any]) -> ClockReading:
        return self._ask("clock", self._reading, json.dumps(asked).encode())

    def _ask(self, endpoint: str, read: Callable[[bytes], _Answer], body: bytes | None = None) -> _Answer:
        """A POST with a body, a GET without; ``read`` makes an answer of what comes back."""
        request = urllib.request.Request(f"{self.url}{CONTROL}{endpoint}", body)  # noqa: S310 - check_url was here
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=self._patience) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(endpoint, error.code, error.read()) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise EngineError(f"{self.url}{CONTROL}{endpoint}: {reason}", remedy="is the engine running?") from error
        try:
            return read(content)
        except (ValueError, KeyError, TypeError) as error:
            said = content[:80].decode("utf-8", "replace")
            raise EngineError(f"{self.url}{CONTROL}{endpoint} answered what no engine answers: {said!r}") from error

    def _refusal(self, endpoint: str, status: int, content: bytes) -> PatchgateError:
        try:
            said = json.loads(content)
            error, remedy = str(said.get("error") or said["message"]), str(said.get("remedy", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            return EngineError(f"{self.url}{CONTROL}{endpoint} answered with status {status}")
        kind = InputError if status == http.client.BAD_REQUEST else EngineError
        return kind(f"{self.url}: {error}", remedy=remedy)

    @staticmethod
    def _json(content: bytes) -> Any:
        return json.loads(content)

    @staticmethod
    def _reading(content: bytes) -> ClockReading:
        return ClockReading.from_json(json.loads(content))


def check_url(url: str) -> str:
    """A URL without the slash at its end; InputError unless it is the root of an HTTP server."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError(f"'{url}' is no URL: {error}") from error
    named = parts.scheme in ("http", "https") and parts.hostname and port != 0
    if not named or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise InputError(
            f"'{url}' is not the URL of an engine", remedy="give scheme, host and port: http://127.0.0.1:4566"
        )
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
