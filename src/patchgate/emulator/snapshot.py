"""A quiet cloud as bytes: what a run deploys once, others restore.

Everything that the cloud holds is copied, its agenda with the timers of components included. Shared are what nobody can
change (long texts, instants, frozen values of such) and the records of its history, which nobody changes. Quiet means
that no process is running or asleep; what is outside of the cloud (the door, moto's state) is not part of it. As on a
copy of Lambda, functions begin with cold starts.
"""

from __future__ import annotations

import gc
import io
import pickle
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from patchgate.emulator.errors import NotEmulatedError

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud

_CLOUD = 0
"""The cloud's place among what a state refers to; behind it is what its snapshot shares."""
_SHORT = 64
"""Texts up to here are read from a state faster than they are looked up."""
_PLAIN = frozenset({int, float, bool, type(None)})
_INSTANTS = frozenset({datetime, timedelta, date})
_OUTSIDE = ("sdk", "authority", "meddler", "_answers", "_handlers", "history")
"""What of a cloud is not its state: the open door, what is remembered of IAM, who meddles, and what follows from its
components. The history is kept apart."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A cloud's state at one instant. ``records`` are the history up to there, ``shared`` the values that the clouds
    that take it have in common.
    """

    state: bytes
    records: tuple[dict[str, Any], ...]
    shared: tuple[Any, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the state."""
        return len(self.state)


class _Pickler(pickle.Pickler):
    """Writes the cloud itself as a number, so that what is restored belongs to the cloud that it is restored into, and
    so what can be shared.
    """

    def __init__(self, file: io.BytesIO, cloud: Cloud) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self.shared: list[Any] = []
        self._cloud = cloud
        self._places: dict[int, int] = {}

    def persistent_id(self, value: Any) -> int | None:
        if value is self._cloud:
            return _CLOUD
        place = self._places.get(id(value))
        if place is None and _is_worth_sharing(value):
            self.shared.append(value)
            place = self._places[id(value)] = len(self.shared)
        return place


class _Unpickler(pickle.Unpickler):
    """A subclass, so that its instances have attributes in every version of Python."""


def _is_worth_sharing(value: Any) -> bool:
    """Whether nobody can change a value, and to look it up is less than to read it."""
    kind = type(value)
    if kind is str or kind is bytes:
        return len(value) > _SHORT
    return kind not in _PLAIN and _is_constant(value)


def _is_constant(value: Any) -> bool:
    kind = type(value)
    if kind in _PLAIN or kind in _INSTANTS or kind is str or kind is bytes:
        return True
    if kind is tuple or kind is frozenset:
        return bool(value) and all(map(_is_constant, value))
    settings = getattr(kind, "__dataclass_params__", None)
    if settings is None or not settings.frozen:
        return False
    return all(_is_constant(getattr(value, field.name)) for field in fields(value))


def take(cloud: Cloud) -> Snapshot:
    """The state of a quiet cloud.

    Raises RuntimeError while a process runs or sleeps, NotEmulatedError when the neighbour's state is not the cloud's
    own: moto keeps its state for the whole interpreter.
    """
    busy = cloud.kernel.processes()
    if busy:
        raise RuntimeError(f"only a quiet cloud has a snapshot; running: {', '.join(sorted(busy))}")
    if not getattr(cloud.neighbour, "is_restorable", True):
        raise NotEmulatedError("a snapshot of moto's state: use the direct door")
    state = {name: value for name, value in vars(cloud).items() if name not in _OUTSIDE}
    file = io.BytesIO()
    pickler = _Pickler(file, cloud)
    pickler.dump(state)
    return Snapshot(file.getvalue(), tuple(cloud.history), tuple(pickler.shared))


def restore(cloud: Cloud, snapshot: Snapshot) -> None:
    """Give a cloud the state of a snapshot, its own or another's; whatever it held is gone.

    Components are new objects afterwards: ask ``cloud.component`` again. An open door stays open; its clients start
    anew. Raises RuntimeError inside of a process.
    """
    if cloud.kernel.current is not None:
        raise RuntimeError("a cloud cannot be restored by a process that runs on it")
    collecting = gc.isenabled()
    gc.disable()  # nothing that is read becomes garbage: the collector would only walk it again and again
    try:
        reader = _Unpickler(io.BytesIO(snapshot.state))
        reader.persistent_load = (cloud, *snapshot.shared).__getitem__  # type: ignore[method-assign]
        state = reader.load()
    finally:
        if collecting:
            gc.enable()
    if state["iam_version"] != cloud.iam_version:
        cloud.authority.forget()
    vars(cloud).update(state)
    cloud.history.begin_with(snapshot.records)
    cloud.bind_handlers()
    forget = getattr(cloud.sdk, "forget_clients", None)
    if forget is not None:
        forget()
