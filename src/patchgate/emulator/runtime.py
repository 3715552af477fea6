"""Runs Python that comes out of templates: Lambda functions and script steps, inside this interpreter.

A program sees the virtual clock, its own environment variables and an SDK that leads to the cloud. Nothing global is
changed for that: its builtins are its own, and their ``__import__`` hands out other modules. What reads this machine's
network, processes or chance is refused; everything else is real.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import PurePosixPath
from types import CodeType, MappingProxyType, ModuleType, SimpleNamespace
from typing import Any, Protocol

import greenlet

from patchgate.emulator.cloud import Scope
from patchgate.emulator.kernel import Kernel, ThrownByKernel
from patchgate.emulator.runtime_clock import make_datetime, make_time
from patchgate.emulator.runtime_output import Output, make_logging
from patchgate.emulator.runtime_shims import (
    make_dataclasses,
    make_linecache,
    make_os,
    make_sys,
    make_traceback,
)

REFUSED = frozenset(
    {
        *("asyncio", "concurrent", "ctypes", "ftplib", "http", "multiprocessing", "random", "requests", "secrets"),
        *("signal", "smtplib", "socket", "socketserver", "ssl", "subprocess", "tempfile", "threading", "urllib3"),
        "uuid",
    }
)
"""Top-level modules that a program cannot import: they reach the network, other processes, threads, chance."""


ProgramInterrupt = type("KeyboardInterrupt", (KeyboardInterrupt,), {"__module__": "builtins"})
"""What a program raises by the name of KeyboardInterrupt: a person's Ctrl-C is never taken for it, nor caught by it."""


def is_of_program(error: BaseException) -> bool:
    """Whether an exception that left a program is its own: not the kernel's, and not a person's Ctrl-C."""
    if isinstance(error, ThrownByKernel | greenlet.GreenletExit):
        return False
    return not isinstance(error, KeyboardInterrupt) or isinstance(error, ProgramInterrupt)


class SdkProvider(Protocol):
    """Where a program's SDK comes from: the door of the cloud."""

    def session(self, scope: Scope, /) -> Any:
        """A boto3 session (or what looks like one) that acts in that scope as its principal."""


class PythonProgram:
    """One loaded program with its module globals, which stay from call to call.

    ``source`` is the text of the module, ``filename`` what tracebacks name; ``modules`` are further modules that it may
    import, by name. ``environment`` is all of its environment variables. API calls go to ``sdk`` as ``scope``.
    """

    def __init__(
        self,
        source: str,
        *,
        filename: str,
        environment: Mapping[str, str],
        clock: Kernel,
        sdk: SdkProvider,
        scope: Scope,
        modules: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._source = source
        self._filename = filename
        self._sources = modules
        self._printed = Output()
        self._variables = dict(environment)
        self._modules: dict[str, ModuleType] = {}
        self._shims: dict[str, Callable[[], ModuleType]] = {
            "time": partial(make_time, clock),
            "datetime": partial(make_datetime, clock),
            "os": partial(make_os, self._variables),
            "logging": partial(make_logging, clock, self._printed),
            "boto3": partial(_make_boto3, sdk, scope),
            "sys": partial(make_sys, self._printed, self._modules),
        }
        """What is still to be made when it is imported, or when ``sys`` is, which shows them all."""
        self._builtins = {**vars(builtins), "__import__": self._import, "print": self._print}
        self._builtins["KeyboardInterrupt"] = ProgramInterrupt
        for name in ("open", "input", "breakpoint"):
            self._builtins[name] = _refusal(name)
        self._printed.format_exception = lambda: str(self._import("traceback").format_exc())
        self._printed.is_over = lambda: clock.current is not None and clock.current.killed is not None
        self._module: ModuleType | None = None

    @property
    def output(self) -> list[str]:
        """The lines that the program printed since it was made, or since ``clear_output``."""
        return self._printed.lines

    def clear_output(self) -> None:
        """Forget what was printed so far."""
        self._printed.clear()

    @property
    def request_id(self) -> str | None:
        """The request that Lambda's log lines name: "" outside of one, None where they name none."""
        return self._printed.request_id

    @request_id.setter
    def request_id(self, request_id: str | None) -> None:
        self._printed.request_id = request_id

    def set_variable(self, name: str, value: str) -> None:
        """Set one of the program's environment variables."""
        self._variables[name] = value

    def write_line(self, text: str) -> None:
        """Add a line to what the program printed."""
        self._printed.begin_line()
        self._printed.write(f"{text}\n")

    def line_of(self, filename: str, number: int) -> str:
        """The text of a line of the program's own sources, "" for those of others."""
        lines = self._source_lines().get(filename, [])
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    def _source_lines(self) -> dict[str, list[str]]:
        sources = {self._file_of(name): text for name, text in self._sources.items()}
        return {name: text.splitlines() for name, text in ({self._filename: self._source} | sources).items()}

    def _file_of(self, module: str) -> str:
        return str(PurePosixPath(self._filename).with_name(f"{module}.py"))

    def load(self) -> None:
        """Run the module's top level, once. Raises whatever it raises, SyntaxError included."""
        if self._module is None:
            name = PurePosixPath(self._filename).stem
            self._module = self._execute(name, self._source, self._filename)

    def has(self, function_name: str) -> bool:
        """Whether the loaded module has something of that name."""
        return hasattr(self._module, function_name)

    def call(self, function_name: str, *args: Any) -> Any:
        """Call one of the module's functions, after loading the module when that is still to be done.

        Raises AttributeError when there is none of that name, and whatever it raises.
        """
        self.load()
        return getattr(self._module, function_name)(*args)

    def _execute(self, name: str, source: str, filename: str) -> ModuleType:
        module = self._modules[name] = ModuleType(name)
        module.__dict__.update({"__builtins__": self._builtins, "__file__": filename})
        try:
            exec(_compiled(source, filename), module.__dict__)  # noqa: S102 - what this is for
        except BaseException:
            del self._modules[name]
            raise
        return module

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - the signature of __import__
        locals: Mapping[str, Any] | None = None,  # noqa: A002 - the signature of __import__
        fromlist: tuple[str, ...] = (),
        level: int = 0,
    ) -> Any:
        top, _, rest = name.partition(".")
        for shim in list(self._shims) if top == "sys" else (top,):
            if shim in self._shims:
                self._modules[shim] = self._shims.pop(shim)()
        if level == 0 and name not in self._modules:
            if name in self._sources:
                self._execute(name, self._sources[name], self._file_of(name))
            elif name == "dataclasses":
                self._modules[name] = make_dataclasses(self._builtins)
            elif name == "traceback":
                self._modules["linecache"] = make_linecache(self._source_lines())
                self._modules[name] = make_traceback(self._builtins)
        if level or top in REFUSED or name == "urllib.request":
            raise ImportError(f"the embedded AWS does not let programs import {name!r}", name=name)
        if top not in self._modules:
            return builtins.__import__(name, globals, locals, fromlist, level)
        if not rest:
            return self._modules[top]
        if name == "os.path":
            return os.path if fromlist else self._modules["os"]
        raise ImportError(f"the embedded AWS does not let programs import {name!r}", name=name)

    def _print(
        self, *values: object, sep: str | None = " ", end: str | None = "\n", file: Any = None, **_: Any
    ) -> None:
        text = (" " if sep is None else sep).join(str(value) for value in values) + ("\n" if end is None else end)
        (self._printed if file is None else file).write(text)


@lru_cache(maxsize=256)
def _compiled(source: str, filename: str) -> CodeType:
    return compile(source, filename, "exec", dont_inherit=True)


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise PermissionError(f"the embedded AWS does not let programs use {name}()")

    return refuse


def _make_boto3(sdk: SdkProvider, scope: Scope) -> ModuleType:
    """``boto3`` as functions use it: client, resource and Session, all on sessions of the door."""

    def session(*args: Any, region_name: str | None = None, **named: Any) -> Any:
        if args or named:
            raise PermissionError("the embedded AWS gives sessions to the function's own role only")
        here = not region_name or region_name == scope.region
        return sdk.session(scope if here else Scope(scope.account, str(region_name), scope.principal))

    module = ModuleType("boto3")
    module.__dict__.update(
        client=lambda service, region_name=None, **named: session(region_name=region_name).client(service, **named),
        resource=lambda service, region_name=None, **named: session(region_name=region_name).resource(service, **named),
        Session=session,
        session=SimpleNamespace(Session=session),
        DEFAULT_SESSION=None,
    )
    return module
