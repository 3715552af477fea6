"""What a program prints, and its ``logging``, which prints as well."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from patchgate.emulator.runtime_clock import Clock


def _never() -> bool:
    return False


class Output:
    """Text that a program prints, as lines. Takes the place of its ``sys.stdout`` and ``sys.stderr``."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self._text: list[str] = []
        self.request_id: str | None = None
        """What a line of a logger names beside its instant, in Lambda: the request, "" while there is none."""
        self.format_exception: Callable[[], str] = traceback.format_exc
        """How the exception that is being handled is written."""
        self.is_over: Callable[[], bool] = _never
        """Whether the program has been ended, so that nothing it still does has an effect."""

    def write(self, text: str) -> int:
        if text and not self.is_over():
            self._text.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def begin_line(self) -> None:
        """End the line that was begun, if one was."""
        if self._text and not self._text[-1].endswith("\n"):
            self.write("\n")

    def isatty(self) -> bool:
        return False

    @property
    def lines(self) -> list[str]:
        """What was printed, line by line; the last may be unfinished."""
        return "".join(self._text).splitlines()

    def clear(self) -> None:
        self._text.clear()


LEVELS = {"NOTSET": 0, "DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
_LEVEL_NAMES = {number: name for name, number in LEVELS.items()}


class Logger:
    """A program's logger. A record becomes a line of its output: level, instant and message, between tabs."""

    def __init__(self, name: str, clock: Clock, output: Output, root: Logger | None) -> None:
        self.name = name
        self.level = 0 if root else LEVELS["WARNING"]
        self._clock, self._output, self._root = clock, output, root

    def setLevel(self, level: int | str) -> None:  # noqa: N802 - logging's name
        self.level = LEVELS[level] if isinstance(level, str) else level

    def getEffectiveLevel(self) -> int:  # noqa: N802 - logging's name
        return self.level or (self._root.level if self._root else 0)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - logging's name
        return level >= self.getEffectiveLevel()

    def log(self, level: int, message: object, *args: object, exc_info: Any = None, **_: object) -> None:
        if not self.isEnabledFor(level):
            return
        instant = self._clock.now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self._clock.now_millis % 1000:03d}Z"
        text = str(message) % args if args else str(message)
        request = ""
        if self._output.request_id is not None:
            self._output.begin_line()
            request = f"{self._output.request_id}\t"
        self._output.write(f"[{_LEVEL_NAMES.get(level, level)}]\t{instant}\t{request}{text}\n")
        if exc_info:
            self._output.write(self._output.format_exception())

    def debug(self, message: object, *args: object, **named: Any) -> None:
        self.log(LEVELS["DEBUG"], message, *args, **named)

    def info(self, message: object, *args: object, **named: Any) -> None:
        self.log(LEVELS["INFO"], message, *args, **named)

    def warning(self, message: object, *args: object, **named: Any) -> None:
        self.log(LEVELS["WARNING"], message, *args, **named)

    def error(self, message: object, *args: object, **named: Any) -> None:
        self.log(LEVELS["ERROR"], message, *args, **named)

    def critical(self, message: object, *args: object, **named: Any) -> None:
        self.log(LEVELS["CRITICAL"], message, *args, **named)

    def exception(self, message: object, *args: object, **named: Any) -> None:
        self.log(LEVELS["ERROR"], message, *args, **({"exc_info": True} | named))


def make_logging(clock: Clock, output: Output) -> ModuleType:
    """The everyday part of ``logging``: loggers by name, levels. Handlers and formatters are not there.

    In Lambda the root has a handler from the start, so that ``basicConfig`` does nothing unless it is forced to.
    """
    root = Logger("root", clock, output, None)
    loggers = {"root": root}

    def get_logger(name: str | None = None) -> Logger:
        name = name or "root"
        if name not in loggers:
            loggers[name] = Logger(name, clock, output, root)
        return loggers[name]

    def basic_config(*, level: int | str | None = None, force: bool = False, **_: object) -> None:
        if level is not None and (force or output.request_id is None):
            root.setLevel(level)

    module = ModuleType("logging")
    module.__dict__.update(LEVELS, Logger=Logger, getLogger=get_logger, basicConfig=basic_config, root=root)
    for name in ("debug", "info", "warning", "error", "critical", "exception", "log"):
        module.__dict__[name] = getattr(root, name)
    return module
