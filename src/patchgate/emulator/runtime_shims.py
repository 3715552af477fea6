"""Modules that a program sees in place of the real ones: its own environment behind ``os``, its own output behind
``sys``, and second instances of what would look into the wrong places.

Each is a new module object with the real one's other contents; the real modules are not touched.
"""

from __future__ import annotations

import builtins
import dataclasses as real_dataclasses
import errno
import linecache as real_linecache
import os as real_os
import sys as real_sys
import traceback as real_traceback
from collections import ChainMap
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

from patchgate.emulator.runtime_clock import copy_of
from patchgate.emulator.runtime_output import Output

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
