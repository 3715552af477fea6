"""``time`` and ``datetime`` on a virtual clock, for programs of this interpreter and in functions' own processes.

Each is a new module object with the real one's other contents; the real modules are not touched. Local time is UTC, as
it is in Lambda and in Automation's scripts.
"""

from __future__ import annotations

import calendar
import datetime as real_datetime  # noqa: ICN001 - beside the shim of that name
import time as real_time
import weakref
from functools import cache
from types import ModuleType
from typing import Any, Protocol

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
