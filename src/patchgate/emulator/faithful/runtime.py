"""Who has children: a context in which a cloud's functions run faithfully."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from patchgate.emulator.faithful.environment import ChildEnvironment
from patchgate.emulator.functions import Functions
from patchgate.emulator.functions_programs import ProgramEnvironment
from patchgate.emulator.server.host import StoppingError
from patchgate.errors import MissingExtraError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from patchgate.emulator.cloud import Cloud, Scope
    from patchgate.emulator.functions_resources import Function
    from patchgate.emulator.wire import WireDoor

PATIENCE_SECONDS = 60.0


def require_runtime_client(is_installed: Callable[[str], object] = importlib.util.find_spec) -> None:
    """Raise MissingExtraError when AWS's runtime interface client is not installed."""
    if not (is_installed("awslambdaric") and is_installed("runtime_client")):
        raise MissingExtraError(
            "AWS's Lambda runtime interface client (awslambdaric) is not installed; get it, on Linux only, with: "
            "pip install 'patchgate[emulator,faithful]'",
            remedy="--runtime fast, the default, runs everywhere",
        )


class FaithfulRuntime:
    """While open, the functions of the cloud behind an open wire door run in children.

    ``patience_seconds``: for how long, in real time, a child may say nothing. No child and no folder of one outlives
    the context; ``stop`` ends them from another thread, and lets none start any more.
    """

    def __init__(self, door: WireDoor, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._door = door
        self._patience = patience_seconds
        self._environments: list[ChildEnvironment] = []
        self._lock = threading.Lock()
        self._stopped = False

    def __enter__(self) -> Self:
        require_runtime_client()
        functions = self._door.cloud.component(Functions)
        functions.launch, functions.runs_archives = self._launch, True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        functions = self._door.cloud.component(Functions)
        functions.launch, functions.runs_archives = ProgramEnvironment, False
        self.stop()

    def stop(self) -> None:
        """End every child. Whoever waits for one finds it ended."""
        with self._lock:
            self._stopped, ending = True, list(self._environments)
        for environment in ending:
            environment.close()

    def _launch(self, cloud: Cloud, scope: Scope, function: Function) -> ChildEnvironment:
        environment = ChildEnvironment(cloud, scope, function, door=self._door, patience=self._patience)
        with self._lock:
            if self._stopped:
                raise StoppingError("the embedded AWS is stopping")
            expired = [item for item in self._environments if not item.is_running and item.has_expired]
            self._environments = [item for item in self._environments if item not in expired and not item.broken]
            self._environments.append(environment)
        for item in expired:
            item.close()
        return environment
