"""A quiet cloud as bytes: what a run deploys once, others restore.

Everything that the cloud holds is copied, its agenda with the timers of components included. The records of its
history are shared: nobody changes a record. Quiet means that no process is running or asleep; what is outside of the
cloud (the door, moto's state) is not part of it. As on a copy of Lambda, functions begin with cold starts.
"""

from __future__ import annotations

import gc
import io
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from patchgate.emulator.errors import NotEmulatedError

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud

_CLOUD = "cloud"
_OUTSIDE = ("sdk", "authority", "meddler", "_handlers", "history")
"""What of a cloud is not its state: the open door, what is remembered of IAM, who meddles, and what follows from its
components. The history is kept apart."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A cloud's state at one instant. ``records`` are the history up to there."""

    state: bytes
    records: tuple[dict[str, Any], ...]

    @property
    def size(self) -> int:
        """Bytes of the state."""
        return len(self.state)


class _Pickler(pickle.Pickler):
    """Writes the cloud itself as a name, so that what is restored belongs to the cloud that it is restored into."""

    def __init__(self, file: io.BytesIO, cloud: Cloud) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._cloud = cloud

    def persistent_id(self, value: Any) -> str | None:
        return _CLOUD if value is self._cloud else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, cloud: Cloud) -> None:
        super().__init__(file)
        self._cloud = cloud

    def persistent_load(self, name: Any) -> Cloud:
        if name != _CLOUD:
            raise pickle.UnpicklingError(f"a snapshot refers to {name!r}")
        return self._cloud


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
    _Pickler(file, cloud).dump(state)
    return Snapshot(file.getvalue(), tuple(cloud.history))


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
        state = _Unpickler(io.BytesIO(snapshot.state), cloud).load()
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
