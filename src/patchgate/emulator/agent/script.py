"""What a script step leaves behind, and how the agent says that it does not understand one."""

from __future__ import annotations

from dataclasses import dataclass, field


class UnsupportedScriptError(Exception):
    """A script says something outside of the documented subset. Never answered with a guess."""

    def __init__(self, line: str) -> None:
        super().__init__(f"the embedded agent does not understand this script at: {line.strip()}")


class ScriptExit(BaseException):
    """The script ends now."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class ScriptResult:
    """The exit code and the lines of both outputs."""

    code: int = 0
    output: list[str] = field(default_factory=list)
    error: list[str] = field(default_factory=list)
