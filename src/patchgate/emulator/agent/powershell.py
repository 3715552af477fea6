"""The subset of PowerShell that the embedded agent runs.

- comments, blank lines, ``$ErrorActionPreference = 'Stop'``, ``Set-StrictMode -Version Latest``
- ``$name = value``; values are ``[DateTimeOffset]::UtcNow.ToUnixTimeSeconds()`` and
  ``[int64]([DateTime]::UtcNow - [DateTime]'1970-01-01').TotalSeconds`` (older .NET), integers, 'single' or "double"
  quoted strings with ``$name`` inside, ``$name``, and any of them behind ``[long]``, ``[int64]`` or ``[int]``
- ``if (a OP b) { ... } else { ... }`` with -lt -le -gt -ge -eq -ne, an integer on the left
- ``Write-Output value``, ``Write-Host value``, ``exit N``

As in PowerShell, the right side takes the type of the left one; a conversion that fails ends the script with 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from patchgate.emulator.agent.script import ScriptExit, ScriptResult, UnsupportedScriptError

_TOKEN = re.compile(
    r"""(?P<space>[ \t]+)|(?P<end>;|\n)|(?P<comment>\#[^\n]*)"""
    r"""|(?P<clock>\[(?:System\.)?DateTimeOffset\]::UtcNow\.ToUnixTimeSeconds\(\)"""
    r"""|\[int64\]\(\[DateTime\]::UtcNow\ -\ \[DateTime\]'1970-01-01'\)\.TotalSeconds)"""
    r"""|(?P<cast>\[(?:long|int64|int)\])|(?P<string>'[^']*'|"[^"`]*")|(?P<name>\$\w+)|(?P<number>\d+)"""
    r"""|(?P<word>-?[A-Za-z][\w-]*)|(?P<mark>[(){}=])""",
    re.IGNORECASE,
)
_COMPARE = {
    "-lt": int.__lt__,
    "-le": int.__le__,
    "-gt": int.__gt__,
    "-ge": int.__ge__,
    "-eq": int.__eq__,
    "-ne": int.__ne__,
}
_SETTINGS = re.compile(r"set-strictmode -version (latest|[123](\.0)?)", re.IGNORECASE)
Token = tuple[str, str]


@dataclass(slots=True)
class _Reader:
    tokens: list[Token]
    epoch_seconds: int
    position: int = 0
    variables: dict[str, str | int] = field(default_factory=dict)
    result: ScriptResult = field(default_factory=ScriptResult)

    def peek(self) -> Token:
        return self.tokens[self.position] if self.position < len(self.tokens) else ("stop", "")

    def take(self, text: str = "") -> Token:
        token = self.peek()
        if token[0] == "stop" or (text and token[1].lower() != text):
            raise UnsupportedScriptError(self.rest())
        self.position += 1
        return token

    def rest(self) -> str:
        return " ".join(text for _, text in self.tokens[self.position : self.position + 8]) or "the end of the script"

    def skip_ends(self) -> None:
        while self.peek()[0] == "end":
            self.position += 1

    def block(self, *, live: bool, closing: str) -> None:
        self.skip_ends()
        while self.peek()[1] != closing or self.peek()[0] == "string":
            self.statement(live=live)
            self.skip_ends()

    def statement(self, *, live: bool) -> None:
        kind, text = self.peek()
        word = text.lower()
        if word == "if":
            self.conditional(live=live)
        elif kind == "name":
            self.take()
            self.take("=")
            value = self.value(live=live)
            if live:
                self.variables[word] = value
        elif word in ("write-output", "write-host"):
            self.take()
            value = self.value(live=live)
            if live:
                self.result.output.append(str(value))
        elif word == "exit":
            self.take()
            number = self.take()
            if number[0] != "number":
                raise UnsupportedScriptError(f"exit {number[1]}")
            if live:
                raise ScriptExit(int(number[1]))
        else:
            self.setting()
        if self.peek()[0] not in ("end", "stop") and self.peek()[1] != "}" and word != "if":
            raise UnsupportedScriptError(self.rest())

    def setting(self) -> None:
        words = []
        while self.peek()[0] in ("word", "number"):
            words.append(self.take()[1])
        if not _SETTINGS.fullmatch(" ".join(words)):
            raise UnsupportedScriptError(" ".join(words) or self.rest())

    def conditional(self, *, live: bool) -> None:
        self.take("if")
        self.take("(")
        left, operator, right = self.value(live=live), self.take()[1].lower(), self.value(live=live)
        self.take(")")
        if operator not in _COMPARE or (live and not isinstance(left, int)):
            raise UnsupportedScriptError(f"if ({left} {operator} {right})")
        holds = live and bool(_COMPARE[operator](int(left), self.integer(right)))
        self.braces(live=holds)
        after = self.position
        self.skip_ends()
        if self.peek()[1].lower() == "else":
            self.take()
            self.braces(live=live and not holds)
        else:
            self.position = after

    def braces(self, *, live: bool) -> None:
        self.skip_ends()
        self.take("{")
        self.block(live=live, closing="}")
        self.take("}")

    def value(self, *, live: bool) -> str | int:
        kind, text = self.take()
        if kind == "cast":
            value = self.value(live=live)
            return self.integer(value) if live else value
        if kind == "clock":
            return self.epoch_seconds
        if kind == "number":
            return int(text)
        if kind == "name":
            return self.variable(text) if live else ""
        if kind == "string":
            return self.string(text) if live else ""
        raise UnsupportedScriptError(text)

    def string(self, text: str) -> str:
        inner = text[1:-1]
        if text[0] == "'":
            return inner
        if re.search(r"\$(?!\w)", inner):
            raise UnsupportedScriptError(text)
        return re.sub(r"\$\w+", lambda found: str(self.variable(found[0])), inner)

    def variable(self, name: str) -> str | int:
        if name.lower() not in self.variables:
            raise UnsupportedScriptError(f"{name}, which was never set")
        return self.variables[name.lower()]

    def integer(self, value: str | int) -> int:
        if isinstance(value, int) or re.fullmatch(r"\s*[+-]?\d+\s*", value):
            return int(value)
        self.result.error.append(f'Cannot convert value "{value}" to type "System.Int64".')
        raise ScriptExit(1)


def run_powershell(lines: list[str], epoch_seconds: int) -> ScriptResult:
    """Run a script at an instant of the node's clock (seconds since the Unix epoch).

    Raises UnsupportedScriptError at anything outside of the subset.
    """
    reader = _Reader(_tokens("\n".join(lines)), epoch_seconds)
    try:
        reader.block(live=True, closing="")
    except ScriptExit as done:
        reader.result.code = done.code
    return reader.result


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise UnsupportedScriptError(text[position:].split("\n", 1)[0])
        position = match.end()
        if match.lastgroup not in ("space", "comment"):
            tokens.append((str(match.lastgroup), match[0]))
    return tokens
