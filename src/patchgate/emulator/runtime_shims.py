"""Modules that a program sees in place of the real ones: the virtual clock behind ``time`` and ``datetime``, its own
environment behind ``os``, its own output behind ``sys`` and ``logging``.

Each is a new module object with the real one's other contents; the real modules are not touched. Local time is UTC, as
it is in Lambda and in Automation's scripts.
"""

from __future__ import annotations

import builtins
import calendar
import dataclasses as real_dataclasses
import datetime as real_datetime  # noqa: ICN001 - beside the shim of that name
import errno
import linecache as real_linecache
import os as real_os
import sys as real_sys
import time as real_time
import traceback as real_traceback
import weakref
from collections import ChainMap
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn, Protocol

UTC = real_datetime.UTC


class Clock(Protocol):
    """What the shims read and wait with: the kernel, or whatever leads to it."""

    @property
    def now(self) -> real_datetime.datetime:
        """The present instant, aware, UTC."""

    @property
    def now_millis(self) -> int:
        """The present instant in milliseconds since the Unix epoch."""

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""


def _never() -> bool:
    return False


class Output:
    """Text that a program prints, as lines. Takes the place of its ``sys.stdout`` and ``sys.stderr``."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self._text: list[str] = []
        self.request_id: str | None = None
        """What a line of a logger names beside its instant, in Lambda: the request, "" while there is none."""
        self.format_exception: Callable[[], str] = real_traceback.format_exc
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


def copy_of(module: ModuleType, **changes: Any) -> ModuleType:
    """A module like ``module`` with some of its contents replaced."""
    shim = ModuleType(module.__name__, module.__doc__)
    shim.__dict__.update(_contents_of(module))
    shim.__dict__.update(changes)
    return shim


@cache
def _contents_of(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name != "__builtins__"}


class _VirtualTime:
    """The functions of ``time`` that read the clock. Bound methods stay what they are as attributes of a class."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def seconds(self) -> float:
        return self._clock.now_millis / 1000

    def nanoseconds(self) -> int:
        return self._clock.now_millis * 1_000_000

    def struct(self, when: float | None = None) -> real_time.struct_time:
        return real_time.gmtime(self.seconds() if when is None else when)

    def text(self, layout: str, when: Any = None) -> str:
        return real_time.strftime(layout, self.struct() if when is None else when)

    def asctime(self, when: Any = None) -> str:
        return real_time.asctime(self.struct() if when is None else when)

    def ctime(self, when: float | None = None) -> str:
        return real_time.asctime(self.struct(when))

    def mktime(self, when: Any) -> float:
        return float(calendar.timegm(when))


def make_time(clock: Clock) -> ModuleType:
    """``time`` on the virtual clock; ``sleep`` lets virtual time pass for the running process."""
    virtual = _VirtualTime(clock)
    readers = ("time", "monotonic", "perf_counter", "process_time", "thread_time")
    return copy_of(
        real_time,
        **dict.fromkeys(readers, virtual.seconds),
        **{f"{name}_ns": virtual.nanoseconds for name in readers},
        sleep=clock.sleep,
        gmtime=virtual.struct,
        localtime=virtual.struct,
        mktime=virtual.mktime,
        strftime=virtual.text,
        asctime=virtual.asctime,
        ctime=virtual.ctime,
        timezone=0,
        altzone=0,
        daylight=0,
        tzname=("UTC", "UTC"),
    )


def make_datetime(clock: Clock) -> ModuleType:
    """``datetime`` whose ``now`` and ``today`` are the virtual clock's.

    Its classes construct real datetimes and dates, and count the real ones as their instances. What a real naive
    datetime asks of the machine's time zone (``timestamp``, ``astimezone``) cannot be replaced. All programs of a clock
    share them: like the real ones they cannot be changed.
    """
    classes = _CLASSES.get(clock)
    if classes is None:
        classes = _CLASSES[clock] = _datetime_classes(weakref.proxy(clock))
    return copy_of(real_datetime, **classes)


_CLASSES: weakref.WeakKeyDictionary[Clock, dict[str, type]] = weakref.WeakKeyDictionary()


def _datetime_classes(clock: Clock) -> dict[str, type]:  # noqa: C901 - two classes of small methods
    class Kind(type):
        real: type

        def __setattr__(cls, name: str, _value: object) -> None:
            raise TypeError(f"cannot set {name!r} attribute of immutable type 'datetime.{cls.__name__}'")

        def __delattr__(cls, name: str) -> None:
            raise TypeError(f"cannot set {name!r} attribute of immutable type 'datetime.{cls.__name__}'")

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, cls.real)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, cls.real)

        def __eq__(cls, other: object) -> bool:
            return other is cls or other is cls.real

        def __hash__(cls) -> int:
            return hash(cls.real)

    class Date(real_datetime.date, metaclass=Kind):
        real = real_datetime.date

        def __new__(cls, *args: Any, **named: Any) -> Any:
            return real_datetime.date(*args, **named)

        @classmethod
        def today(cls) -> Any:
            return clock.now.date()

        @classmethod
        def fromtimestamp(cls, when: float) -> Any:
            return real_datetime.datetime.fromtimestamp(when, UTC).date()

    class DateTime(real_datetime.datetime, metaclass=Kind):
        real = real_datetime.datetime

        def __new__(cls, *args: Any, **named: Any) -> Any:
            return real_datetime.datetime(*args, **named)  # noqa: DTZ001 - the caller's arguments

        @classmethod
        def now(cls, tz: real_datetime.tzinfo | None = None) -> Any:
            return clock.now.replace(tzinfo=None) if tz is None else clock.now.astimezone(tz)

        @classmethod
        def utcnow(cls) -> Any:
            return clock.now.replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            return clock.now.replace(tzinfo=None)

        @classmethod
        def fromtimestamp(cls, when: float, tz: real_datetime.tzinfo | None = None) -> Any:
            instant = real_datetime.datetime.fromtimestamp(when, tz or UTC)
            return instant if tz else instant.replace(tzinfo=None)

    for shim, name in ((Date, "date"), (DateTime, "datetime")):
        for attribute, value in (("__name__", name), ("__qualname__", name), ("__module__", "datetime")):
            type.__setattr__(shim, attribute, value)
    return {"datetime": DateTime, "date": Date}


_PROGRAMS = tuple(
    name
    for name in dir(real_os)
    if name.startswith(("abort", "exec", "fork", "kill", "popen", "posix_spawn", "spawn", "startfile", "system"))
)


def _refuse_program(*_: object, **__: object) -> NoReturn:
    raise PermissionError(errno.EPERM, "the embedded AWS lets functions start and end no programs")


def make_os(variables: dict[str, str]) -> ModuleType:
    """``os`` with its own environment variables, ``variables`` itself, and without other programs.

    Leaving is leaving the program, not this process.
    """
    return copy_of(
        real_os,
        **dict.fromkeys(_PROGRAMS, _refuse_program),
        _exit=real_sys.exit,
        environ=variables,
        environb={name.encode(): value.encode() for name, value in variables.items()},
        getenv=variables.get,
        putenv=variables.__setitem__,
        unsetenv=variables.pop,
    )


def make_sys(output: Output, modules: Mapping[str, ModuleType]) -> ModuleType:
    """``sys`` whose standard streams are the program's output, and whose ``modules`` are first of all its own."""
    own = ChainMap(modules, real_sys.modules)  # type: ignore[arg-type]
    return copy_of(real_sys, stdout=output, stderr=output, __stdout__=output, __stderr__=output, modules=own, argv=[""])


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


@lru_cache(maxsize=8)
def _code_of(path: str) -> CodeType:
    """A module of the standard library, compiled to be run once more."""
    return compile(Path(path).read_text(encoding="utf-8"), path, "exec", dont_inherit=True)


def _run_again(module: ModuleType, own_builtins: dict[str, Any]) -> ModuleType:
    """A second instance of a module of the standard library."""
    again = ModuleType(module.__name__)
    again.__dict__["__builtins__"] = own_builtins
    exec(_code_of(str(module.__file__)), again.__dict__)  # noqa: S102 - the standard library's text
    return again


def make_dataclasses(own_builtins: dict[str, Any]) -> ModuleType:
    """``dataclasses`` that looks modules up where the program's own module is to be found."""
    return _run_again(real_dataclasses, own_builtins)


def make_linecache(sources: Mapping[str, list[str]]) -> ModuleType:
    """``linecache`` that knows the lines of the program's files, which are no files of this machine."""
    module = _run_again(real_linecache, vars(builtins))
    for name, lines in sources.items():
        kept = [f"{line}\n" for line in lines]
        module.cache[name] = (sum(map(len, kept)), None, kept, name)
    return module


def make_traceback(own_builtins: dict[str, Any]) -> ModuleType:
    """``traceback`` that reads lines and prints where the program's own ``linecache`` and ``sys`` say."""
    return _run_again(real_traceback, own_builtins)
