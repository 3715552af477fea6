"""One function in a process of its own: its folder, its endpoint, its life."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import patchgate
from patchgate.emulator.faithful.messages import Box, Ended, Message
from patchgate.emulator.functions_outcomes import TASK_ROOT
from patchgate.emulator.functions_resources import Function, Package
from patchgate.emulator.server.listener import EmulatorServer

if TYPE_CHECKING:
    from patchgate.emulator.server.host import CloudHost

_START = "import sys; sys.path.append(sys.argv.pop(1)); from patchgate.emulator.faithful.launcher import main; main()"
_OF_THE_MACHINE = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "SYSTEMROOT")
"""What the interpreter itself may need of the environment; a child sees nothing else of it."""


def unpack(package: Package, place: Path) -> None:
    """Write a function's code into a folder."""
    for name, source in package.modules.items():
        (place / f"{name}.py").write_text(source, encoding="utf-8", newline="")
    if package.archive:
        with zipfile.ZipFile(io.BytesIO(package.archive)) as archive:
            archive.extractall(place)


class Child:
    """A child from its start to its end. ``close`` may be called from any thread, and more than once.

    What it says names its folder: ``renamed`` makes of it what it would be in Lambda.
    """

    def __init__(
        self, function: Function, variables: Mapping[str, str], seed: str, read_clock: Callable[[], int]
    ) -> None:
        """Start it. ``variables`` are the environment that Lambda gives; ``seed`` is what its chance comes from."""
        self._closing = threading.Lock()
        self._closed = False
        self._read = 0
        self._folder = Path(tempfile.mkdtemp(prefix="patchgate-lambda-")).resolve()
        self._box = Box(read_clock)
        # A Box answers as a host does; what only a CloudHost has (the control endpoints), no function asks for.
        self._server = EmulatorServer.bind("127.0.0.1", 0, cast("CloudHost", self._box))
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start(function, variables, seed)
        except BaseException:
            self.close()
            raise

    def _start(self, function: Function, variables: Mapping[str, str], seed: str) -> None:
        task, scratch = self._folder / "task", self._folder / "tmp"
        task.mkdir()
        scratch.mkdir()
        unpack(function.package, task)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        package = str(Path(patchgate.__file__).parents[1])
        address = (str(self._server.port), str(task), str(scratch))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with arguments of ours
                [sys.executable, "-B", "-P", "-X", "utf8", "-c", _START, package, *address, seed, function.handler],
                cwd=task,
                env=self._environment(variables, task, scratch),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is the parent's
            )
        threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()

    def _environment(self, variables: Mapping[str, str], task: Path, scratch: Path) -> dict[str, str]:
        ours = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.port}",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.port}",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "LAMBDA_TASK_ROOT": str(task),
            "PYTHONHASHSEED": "0",
            "TMPDIR": str(scratch),
        }
        machine = {name: os.environ[name] for name in _OF_THE_MACHINE if name in os.environ}
        return {"PATH": os.defpath, "HOME": str(scratch)} | machine | dict(variables) | ours

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        self._box.put(Ended(process.wait()))

    def receive(self, patience: float) -> Message | None:
        """What it says next; None when it says nothing for so many real seconds."""
        return self._box.take(patience)

    def read_output(self) -> bytes:
        """What it has printed since it was last asked."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            content = log.read()
        self._read += len(content)
        return content

    def renamed(self, content: bytes) -> bytes:
        """The same with the child's folders under the names that they have in Lambda."""
        for place, name in (("task", TASK_ROOT), ("tmp", "/tmp")):  # noqa: S108 - a name, not a place
            content = content.replace(os.fsencode(self._folder / place), name.encode())
        return content

    def close(self) -> None:
        """End it, and remove everything that it had. Whoever asks for it meanwhile waits until that is done."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._end()

    def _end(self) -> None:
        process = self._process
        if process is not None:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
            self._server.shutdown()
        self._box.close()
        self._server.server_close()
        if self._folder.exists():  # a child that ended without its parent's doing has removed it
            shutil.rmtree(self._folder)
