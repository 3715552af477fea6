"""The subset of sh that the embedded agent runs.

- comments, blank lines, a ``#!`` line, ``set -e``, ``-u``, ``-eu`` (a failing command other than a test cannot occur)
- ``NAME=word``; words are bare, 'single' or "double" quoted, with ``$NAME``, ``${NAME}`` and ``$(date -u +%s)``
- ``if [ a OP b ]; then ... else ... fi`` with -lt -le -gt -ge -eq -ne on integers, = and != on strings
- ``echo words`` with an optional ``>&2``, ``exit N``, ``:`` and ``true``

As in sh, an integer comparison with something that is no integer complains and is false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from patchgate.emulator.agent.script import ScriptExit, ScriptResult, UnsupportedScriptError

_CLOCK = r"\$\(date[ ]-u[ ]\+%s\)"
_TOKEN = re.compile(
    r"""(?P<space>[ \t]+)|(?P<end>;|\n)|(?P<comment>\#[^\n]*)|(?P<redirect>>&2)"""
    rf"""|(?P<word>(?:'[^']*'|"(?:\\.|[^"\\])*"|{_CLOCK}|\$\{{\w+\}}|\$\w+|[\w./:,%+=@!?*\-\[\]{{}}^~]|\\.)+)"""
)
_PIECE = re.compile(
    rf"""'(?P<single>[^']*)'|"(?P<double>(?:\\.|[^"\\])*)"|(?P<clock>{_CLOCK})"""
    r"""|\$\{(?P<braced>\w+)\}|\$(?P<name>\w+)|(?P<bare>.)"""
)
_QUOTES = frozenset("'\"$")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_UNKNOWN = re.compile(r"\$(?!\(date -u \+%s\)|\{\w+\}|\w)|\\")
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")
_INTEGER = re.compile(r"[+-]?\d+")
_COMPARE = {
    "-lt": int.__lt__,
    "-le": int.__le__,
    "-gt": int.__gt__,
    "-ge": int.__ge__,
    "-eq": int.__eq__,
    "-ne": int.__ne__,
}


@dataclass(slots=True)
class _Shell:
    epoch_seconds: int
    result: ScriptResult = field(default_factory=ScriptResult)
    variables: dict[str, str] = field(default_factory=dict)
    unset_is_error: bool = False

    def word(self, raw: str) -> str:
        if _QUOTES.isdisjoint(raw):
            return raw
        return "".join([self._piece(match) for match in _PIECE.finditer(raw)])

    def _piece(self, match: re.Match[str]) -> str:
        if match["single"] is not None:
            return match["single"]
        if match["double"] is not None:
            return self._double(match["double"])
        if match["clock"]:
            return str(self.epoch_seconds)
        name = match["braced"] or match["name"]
        return self.variable(name) if name else match["bare"]

    def _double(self, text: str) -> str:
        if "`" in text or _UNKNOWN.search(text):
            raise UnsupportedScriptError(text)
        expanded = text.replace("$(date -u +%s)", str(self.epoch_seconds))
        return _VARIABLE.sub(lambda found: self.variable(found[1] or found[2]), expanded)

    def variable(self, name: str) -> str:
        if name not in self.variables and self.unset_is_error:
            self.result.error.append(f"{name}: unbound variable")
            raise ScriptExit(1)
        return self.variables.get(name, "")

    def test(self, words: list[str]) -> bool:
        if len(words) != 5 or words[0] != "[" or words[4] != "]":
            raise UnsupportedScriptError(" ".join(words))
        left, operator, right = self.word(words[1]), words[2], self.word(words[3])
        if operator in ("=", "!="):
            return (left == right) == (operator == "=")
        if operator not in _COMPARE:
            raise UnsupportedScriptError(" ".join(words))
        for text in (left, right):
            if not _INTEGER.fullmatch(text):
                self.result.error.append(f"[: {text}: integer expression expected")
                return False
        return bool(_COMPARE[operator](int(left), int(right)))

    def command(self, words: list[str]) -> None:
        assignment = _ASSIGNMENT.fullmatch(words[0])
        if assignment and len(words) == 1:
            self.variables[assignment[1]] = self.word(assignment[2])
        elif words[0] == "echo":
            target = self.result.error if words[-1] == ">&2" else self.result.output
            said = words[1:-1] if words[-1] == ">&2" else words[1:]
            if said and said[0].startswith("-"):
                raise UnsupportedScriptError(" ".join(words))
            target.append(" ".join(self.word(word) for word in said))
        elif words[0] == "exit" and len(words) == 2 and re.fullmatch(r"\d{1,3}", words[1]):
            raise ScriptExit(int(words[1]) % 256)
        elif words[0] == "set" and len(words) == 2 and words[1] in ("-e", "-u", "-eu", "-ue"):
            self.unset_is_error = self.unset_is_error or "u" in words[1]
        elif words not in ([":"], ["true"]):
            raise UnsupportedScriptError(" ".join(words))

    def block(self, statements: list[list[str]], start: int, *, live: bool) -> int:
        """Run statements from ``start`` up to then/else/fi or the end; return where it stopped."""
        position = start
        while position < len(statements):
            words = statements[position]
            if words[0] in ("else", "fi", "elif", "then"):
                return position
            if words[0] == "if":
                position = self._conditional(statements, position, live=live)
            else:
                if live:
                    self.command(words)
                position += 1
        return position

    def _conditional(self, statements: list[list[str]], start: int, *, live: bool) -> int:
        holds = live and self.test(statements[start][1:])
        position = self.block(statements, _expect(statements, start + 1, "then"), live=holds)
        if position < len(statements) and statements[position] == ["else"]:
            position = self.block(statements, position + 1, live=live and not holds)
        return _expect(statements, position, "fi")


def run_shell(lines: list[str], epoch_seconds: int) -> ScriptResult:
    """Run a script at an instant of the node's clock (seconds since the Unix epoch).

    Raises UnsupportedScriptError before anything of it has run when it cannot be read at all, else at the line.
    """
    shell = _Shell(epoch_seconds)
    statements = _statements("\n".join(lines))
    try:
        end = shell.block(statements, 0, live=True)
        if end != len(statements):
            raise UnsupportedScriptError(" ".join(statements[end]))
    except ScriptExit as done:
        shell.result.code = done.code
    return shell.result


def _expect(statements: list[list[str]], position: int, keyword: str) -> int:
    if position >= len(statements) or statements[position] != [keyword]:
        raise UnsupportedScriptError(f"if without {keyword}")
    return position + 1


@lru_cache(maxsize=256)
def _statements(text: str) -> list[list[str]]:
    """Statements as lists of raw words, which nobody changes; ``then`` and ``else`` stand alone."""
    statements: list[list[str]] = []
    words: list[str] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or (match["word"] and "\\" in match["word"].replace('\\"', "")):
            raise UnsupportedScriptError(text[position:].split("\n", 1)[0])
        position = match.end()
        if match["end"]:
            statements, words = _close(statements, words), []
        elif match["word"] or match["redirect"]:
            words.append(match[0])
            if words in (["then"], ["else"]):
                statements, words = _close(statements, words), []
    return _close(statements, words)


def _close(statements: list[list[str]], words: list[str]) -> list[list[str]]:
    return [*statements, words] if words else statements
