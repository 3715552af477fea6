"""In the child: puts the virtual clock in place of the machine's, shuts the machine off, and runs awslambdaric.

The order matters. What must keep real time (threads, queues, sockets) is imported before the shims are in place;
everything else finds them, from ``logging`` to botocore, awslambdaric and the function.

    python -c "..." PORT TASK SCRATCH SEED HANDLER
"""

from __future__ import annotations

import errno
import importlib.abc
import linecache
import os
import queue  # noqa: F401 - keeps real time
import runpy
import selectors  # noqa: F401 - keeps real time
import shutil
import socket  # noqa: F401 - keeps real time
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from types import ModuleType
from typing import TYPE_CHECKING, Any

from patchgate.emulator.faithful.private import settle_botocore
from patchgate.emulator.faithful.remote import RemoteClock
from patchgate.emulator.functions_outcomes import dying_words
from patchgate.emulator.runtime_clock import make_datetime, make_time

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES: dict[str, tuple[tuple[int, int], ...]] = {
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.link": ((1, 3),),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, -1),),
}
"""Which arguments of an event are paths that change, each with the descriptor of the folder that it counts from."""
_STARTS = frozenset(
    {
        "subprocess.Popen",
        *(f"os.{name}" for name in ("exec", "fork", "forkpty", "kill", "killpg", "posix_spawn", "spawn", "system")),
    }
)


def main() -> None:
    """Run the handler that the command line names until the parent has had enough."""
    port, task, scratch, seed, handler = sys.argv[1:6]
    fence = Fence(int(port), scratch)
    follow_parent(Path(task).parent, fence)
    clock = RemoteClock(int(port))
    sys.modules["time"] = make_time(clock)
    sys.modules["datetime"] = make_datetime(clock)
    settle_chance(seed)
    settle_logging()
    sys.meta_path.insert(0, AtImport("botocore.session", lambda: settle_botocore(clock)))
    sys.addaudithook(fence)
    sys.path.insert(0, task)
    os.environ["_LAMBDA_TELEMETRY_LOG_FD"] = str(os.dup(1))
    sys.argv = ["awslambdaric", handler]
    settle_last_words(task)
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


def settle_last_words(task: str) -> None:
    """What Python says of an exception that ends the child names the function's own files, as the fast mode does."""

    def tell(_: type[BaseException], error: BaseException, __: object) -> None:
        words = dying_words(error, lambda name, number: linecache.getline(name, number).strip(), task.rstrip("/"))
        sys.stderr.write("".join(f"{word}\n" for word in words))

    sys.excepthook = tell


def follow_parent(folder: Path, fence: Fence) -> None:
    """End when the parent does, and remove the child's folder, for there is nobody else left to do it.

    The parent holds the other end of standard input; the function gets an empty one.
    """
    lifeline = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def watch() -> None:
        os.read(lifeline, 1)
        fence.is_open = True
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def settle_chance(seed: str) -> None:
    """``random``, ``uuid`` and ``secrets`` draw from a seed, so that a run can be replayed."""
    import random  # noqa: PLC0415 - the machine's randomness is read when it is imported

    source = Random(seed)  # noqa: S311 - replayable by design
    os.urandom = source.randbytes
    random._urandom = source.randbytes  # type: ignore[attr-defined]  # noqa: SLF001 - what SystemRandom reads
    random.seed(f"{seed} of the function")


def settle_logging() -> None:
    """Log records have the clock's milliseconds: older Pythons cut them off a float, and so lose one now and then.

    The SDK's own notes are left out below a warning: where it found endpoint and credentials is different on AWS.
    """
    import logging  # noqa: PLC0415 - not before the clock is in place

    original = logging.getLogRecordFactory()

    def make(*args: Any, **named: Any) -> logging.LogRecord:
        record = original(*args, **named)
        record.msecs = float(round(record.created * 1000) % 1000)
        return record

    logging.setLogRecordFactory(make)
    for name in ("boto3", "botocore", "s3transfer", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)


class AtImport(importlib.abc.MetaPathFinder):
    """Does something once, just before a module is imported for the first time."""

    def __init__(self, name: str, action: Callable[[], None]) -> None:
        self._name = name
        self._action = action

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - as importlib calls it
        target: ModuleType | None = None,  # noqa: ARG002 - as importlib calls it
    ) -> ModuleSpec | None:
        if fullname == self._name:
            sys.meta_path.remove(self)
            self._action()
        return None


class Fence:
    """An audit hook that keeps a function from the network, from other programs and from the machine's files.

    It may connect to the parent's port, and write into its own scratch folder. It stops mistakes, not malice: code
    that must not run on this machine must not be run here.
    """

    def __init__(self, port: int, scratch: str) -> None:
        self.is_open = False
        self._own = ("127.0.0.1", port)
        self._scratch = os.path.realpath(scratch)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.is_open:
            return
        if event in ("socket.connect", "socket.sendto"):
            if tuple(args[1][:2]) != self._own:
                raise PermissionError(errno.EPERM, f"the embedded AWS reaches no network: {args[1]}")
        elif event == "socket.getaddrinfo":
            if args[0] not in ("127.0.0.1", "localhost", None):
                raise PermissionError(errno.EPERM, f"the embedded AWS reaches no network: {args[0]}")
        elif event == "open":
            if args[2] & _WRITES and not isinstance(args[0], int):
                self._check_writable(args[0])
        elif event in _CHANGES:
            for path, folder in _CHANGES[event]:
                if not isinstance(args[path], int):
                    self._check_writable(args[path], args[folder] if folder > 0 else -1)
        elif event in _STARTS:
            raise PermissionError(errno.EPERM, "the embedded AWS lets functions start and end no programs")

    def _check_writable(self, path: Any, folder: int = -1) -> None:
        name = os.fsdecode(path)
        if folder >= 0 and not name.startswith("/"):
            name = f"/proc/self/fd/{folder}/{name}"  # awslambdaric is for Linux only
        place = os.path.realpath(name)
        if name != os.devnull and place != self._scratch and not place.startswith(self._scratch + os.sep):
            raise OSError(errno.EROFS, "Read-only file system: functions write below tempfile.gettempdir()", name)
