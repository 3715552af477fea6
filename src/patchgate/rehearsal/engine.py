"""What a rehearsal needs of an engine: an AWS with a clock that can be moved and a history that can be read.

    engine.begin(beginning)     an AWS as the beginning says, with nothing deployed yet
    aws.session, aws.stacks     the SDK as the operator of an account in a Region, and stacks through it
    aws.now, aws.run_until      the virtual clock
    aws.read_history            what happened so far, as ``rehearsal.history`` says: all that judge and summary see

``stage.EmbeddedEngine`` is the engine of this process, ``endpoint.EndpointEngine`` any that is only a URL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from patchgate.emulator.assumptions import Assumptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from patchgate.emulator.door import SdkSession
    from patchgate.operations.ports import StackControl
    from patchgate.rehearsal.observation import Record
    from patchgate.rehearsal.worlds import World


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an AWS starts as. The same beginning, calls and moves of the clock give the same history.

    ``world``'s hours count from ``start``. ``organization_id`` is that of the organization of which every account is
    a member, "" for none.
    """

    world: World
    start: datetime
    seed: int = 0
    assumptions: Assumptions = field(default_factory=Assumptions)
    organization_id: str = ""


@dataclass(frozen=True, slots=True)
class RecordedHistory:
    """A history twice: its records in order, and the same as JSON lines."""

    records: Sequence[Record]
    text: str


class RehearsedAws(Protocol):
    """An AWS that has begun. ``stacks`` deploys to it as to AWS; each call ends when the stack is settled."""

    @property
    def stacks(self) -> StackControl:
        """CloudFormation, in every account and Region."""

    @property
    def now(self) -> datetime:
        """The present instant of the virtual clock, aware, UTC."""

    def session(self, account: str, region: str) -> SdkSession:
        """The SDK, as an operator of that account."""

    def run_until(self, when: datetime) -> None:
        """Let everything happen that is due up to and including ``when``, and end there."""

    def read_history(self) -> RecordedHistory:
        """Everything that was recorded since the beginning."""


class Engine(Protocol):
    """Something that can play AWS. One beginning at a time: the next one forgets the one before."""

    def begin(self, beginning: Beginning) -> AbstractContextManager[RehearsedAws]:
        """An AWS for as long as the context lasts. Raises InputError for what the engine cannot begin with."""
