"""An engine that is only an endpoint: whatever speaks the engine protocol at a URL plays AWS for a rehearsal.

``docs/reference/engine-protocol.md`` says what such an engine must answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from patchgate.aws.stacks import CloudFormationStacks
from patchgate.emulator.endpoint.client import EngineClient, EngineError
from patchgate.emulator.endpoint.sessions import EndpointSession
from patchgate.emulator.history import iso
from patchgate.rehearsal.engine import RecordedHistory
from patchgate.rehearsal.history import read_records

if TYPE_CHECKING:
    from patchgate.emulator.protocol import ClockReading
    from patchgate.operations.ports import StackControl
    from patchgate.rehearsal.engine import Beginning

STRIDE = timedelta(hours=6)
"""How far one request moves the clock, so that each ends within a client's patience."""


class EndpointEngine:
    """engine.Engine at a URL. A beginning takes the whole engine: what it held is forgotten, whoever it belonged to.

    ``greet`` makes sure that an engine is there; ``begin`` does so too, and raises InputError where none is.
    """

    def __init__(self, url: str) -> None:
        self._client = EngineClient(url)

    def greet(self) -> frozenset[str]:
        """The names of the assumptions that the engine can be set to. Raises InputError where there is no engine."""
        return self._client.greet()

    @contextmanager
    def begin(self, beginning: Beginning) -> Iterator[EndpointAws]:
        """An AWS that begins so. It stays as it is when the context ends, to be looked at with other tools."""
        known = self.greet()
        assumptions = {name: value for name, value in asdict(beginning.assumptions).items() if name in known}
        asked = {
            "start": iso(beginning.start),
            "seed": beginning.seed,
            "organization": beginning.organization_id,
            "assumptions": assumptions,
            "world": beginning.world.to_json(),
        }
        yield EndpointAws(self._client, self._client.begin(asked))


class EndpointAws:
    """engine.RehearsedAws behind a URL. EngineError when somebody else lets the engine begin anew meanwhile."""

    def __init__(self, client: EngineClient, begun: ClockReading) -> None:
        self._client = client
        self._reading = begun
        self._sessions: dict[tuple[str, str], EndpointSession] = {}
        self.stacks: StackControl = CloudFormationStacks(self._cloudformation, self._pause)

    @property
    def now(self) -> datetime:
        """The clock as it was last read or moved."""
        return self._reading.now

    def session(self, account: str, region: str) -> EndpointSession:
        """The SDK, as an operator of that account; the same arguments give the same session."""
        key = account, region
        if key not in self._sessions:
            self._sessions[key] = EndpointSession(self._client.url, account, region)
        return self._sessions[key]

    def run_until(self, when: datetime) -> None:
        """Let everything happen that is due until ``when``, in strides."""
        self._settle(self._client.read_clock)
        while self.now < when:
            until = min(when, self.now + STRIDE)
            self._settle(partial(self._client.advance_to, until))
            if self.now < until:
                raise EngineError(f"{self._client.url}: told to be at {iso(until)}, the clock is at {iso(self.now)}")

    def read_history(self) -> RecordedHistory:
        """The whole history. Raises InputError for one that is not as ``rehearsal.history`` says."""
        text = self._client.read_history()
        records = read_records(text, self._client.url)
        self._settle(self._client.read_clock)
        if len(records) != self._reading.recorded:
            counted = f"{len(records)} records were read, {self._reading.recorded} were recorded"
            raise EngineError(f"{self._client.url}: {counted}", remedy="is somebody else using this engine?")
        return RecordedHistory(records, text)

    def _cloudformation(self, account: str, region: str) -> Any:
        return self.session(account, region).client("cloudformation")

    def _pause(self, seconds: float) -> None:
        """A stack is not settled yet: there, time passes only when the clock is moved."""
        self._settle(partial(self._client.advance_by, seconds))

    def _settle(self, ask: Callable[[], ClockReading]) -> None:
        reading = ask()
        if reading.run != self._reading.run:
            raise EngineError(
                f"{self._client.url} was begun anew by somebody else in the middle of this rehearsal",
                remedy="give every rehearsal an engine of its own",
            )
        self._reading = reading
