"""A run as data: where it takes place, how AWS behaves, and what goes wrong when. Drawn from the run's seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from patchgate.emulator.assumptions import Assumptions

Value = str | int | bool | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Injection:
    """One thing that goes wrong. ``fault`` is its F-number, ``act`` what is done (a name of ``acts.ACTS``).

    It begins ``begins`` seconds after the run's start and is undone at ``ends``, where it can be; None: at the calm.
    """

    fault: str
    act: str
    begins: int
    ends: int | None = None
    given: dict[str, Value] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Everything that a run is made of. ``calm`` is when the storm is over, in seconds since the run's start.

    Runs whose storm lasts to the end have no calm (None): nothing is expected to be patched in them. ``left_out`` are
    the faults of the mix that can do nothing on the shape, each with the reason.
    """

    seed: int
    shape: str
    assumptions: Assumptions
    injections: tuple[Injection, ...]
    calm: int | None
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> tuple[str, ...]:
        """The F-numbers of the plan, sorted, each once."""
        return tuple(sorted({injection.fault for injection in self.injections}))

    def with_injections(self, injections: Iterable[Injection]) -> RunPlan:
        """The same run with other injections."""
        return replace(self, injections=tuple(injections))

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)
