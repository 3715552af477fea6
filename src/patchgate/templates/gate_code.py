"""The gate's code as the templates embed it.

A bundle is one of the gate's scripts, in which the one import of the rules has become the rules that it names, with
whatever those need. To fit a template it carries no docstring, comment, annotation of a function or a local variable,
or definition that nothing uses, and it indents by one space and
fills its lines; its syntax tree is otherwise that of its parts.
"""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

RULES = "rules"
SCRIPTS: Mapping[str, str] = {"open_window": "handler", "close_window": "handler", "prove": "script_handler"}
"""The scripts, and the function of each that AWS calls."""

LINE_WIDTH = 105
"""How long a line of a bundle may become."""

_RULES_MODULE = "patchgate.gate.rules"


@dataclass(frozen=True)
class Part:
    """One source file of a bundle, already without what a bundle leaves out."""

    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, feature_version=(3, 11))

    @cached_property
    def definitions(self) -> dict[str, ast.stmt]:
        """name -> the top-level statement that defines it, in the order of the file."""
        return {name: node for node in self.tree.body for name in _names_defined(node) if _is_definition(node)}

    @cached_property
    def uses(self) -> dict[str, list[str]]:
        """name -> the names that its definition mentions, in the order of ``ast.walk``."""
        return {
            name: [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
            for name, node in self.definitions.items()
        }

    @cached_property
    def lines(self) -> list[str]:
        return self.source.splitlines()

    def text_of(self, node: ast.stmt) -> str:
        """The lines of a top-level statement, decorators included."""
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        return "\n".join(self.lines[first - 1 : node.end_lineno])


@cache
def build_bundle(script: str) -> str:
    """The text that a template embeds for ``script`` (a key of SCRIPTS)."""
    return bundle(_read(script), _read(RULES), entry=SCRIPTS[script])


@cache
def gate_hash() -> str:
    """16 hexadecimal digits that change whenever any bundle does."""
    digest = hashlib.sha256()
    for script in sorted(SCRIPTS):
        digest.update(build_bundle(script).encode())
    return digest.hexdigest()[:16]


def bundle(script: str, rules: str, *, entry: str) -> str:
    """Join a script and the rules that it uses; ValueError unless it imports the rules exactly once, by name."""
    imports = [n for n in ast.parse(script).body if isinstance(n, ast.ImportFrom) and n.module == _RULES_MODULE]
    if len(imports) != 1 or any(alias.asname or alias.name == "*" for alias in imports[0].names):
        raise ValueError(f"a script imports {_RULES_MODULE} exactly once, each rule by its own name")
    parts = _read_part(rules), _read_part(script)
    wanted = _closure(entry, parts)
    kept = [{name: node for name, node in part.definitions.items() if name in wanted} for part in parts]
    pieces = [[part.text_of(node) for node in nodes.values()] for part, nodes in zip(parts, kept, strict=True)]
    body = [text for group in pieces for text in dict.fromkeys(group)]
    used = {each for part, nodes in zip(parts, kept, strict=True) for name in nodes for each in part.uses[name]}
    return "\n\n".join(["\n".join(_imports(parts, used)), *body]) + "\n"


@cache
def _read_part(source: str) -> Part:
    return Part(strip(source))


def strip(source: str) -> str:
    """The source without docstrings, comments, blank lines and annotations in functions, indented by one space."""
    tree = ast.parse(source, feature_version=(3, 11))
    cuts = [*_docstrings(tree), *_annotations(tree, source), *_comments(source)]
    lines = source.splitlines()
    for (row, start), (end_row, end) in sorted(cuts, reverse=True):
        if row == end_row:
            lines[row - 1] = lines[row - 1][:start] + lines[row - 1][end:]
        else:
            lines[row - 1 : end_row] = [lines[row - 1][:start] + lines[end_row - 1][end:]]
    kept = (line.rstrip() for line in lines)
    return fill_lines("".join(f"{_reindent(line)}\n" for line in kept if line))


def fill_lines(source: str) -> str:
    """The source with bracketed expressions in as few lines of at most LINE_WIDTH as they need."""
    lines = source.splitlines()
    filled: list[str] = []
    first = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NEWLINE:
            filled.append(lines[first])
            for line in lines[first + 1 : token.start[0]]:
                joined = _continued(filled[-1], line.lstrip(" "))
                if len(joined) <= LINE_WIDTH:
                    filled[-1] = joined
                else:
                    filled.append(line)
            first = token.start[0]
    text = "".join(f"{line}\n" for line in filled)
    if ast.dump(ast.parse(text)) != ast.dump(ast.parse(source)):
        raise ValueError("a tuple of one item has to stay on one line")
    return text


Span = tuple[tuple[int, int], tuple[int, int]]


def _continued(line: str, more: str) -> str:
    if more.startswith((")", "]", "}")):
        return line.removesuffix(",") + more
    return line + more if line.endswith(("(", "[", "{")) else f"{line} {more}"


def _docstrings(tree: ast.Module) -> Iterator[Span]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            text = node.body[0]
            if len(node.body) == 1:
                raise ValueError(f"line {text.lineno}: a docstring alone cannot be left out")
            yield (text.lineno, text.col_offset), (text.end_lineno or 0, text.end_col_offset or 0)


def _annotations(tree: ast.Module, source: str) -> Iterator[Span]:
    lines = source.splitlines()
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        for argument in every:
            if argument is not None and argument.annotation is not None:
                yield (argument.lineno, argument.col_offset + len(argument.arg)), _end(argument.annotation)
        if node.returns is not None:
            row = node.returns.lineno
            yield (row, lines[row - 1].rindex("->", 0, node.returns.col_offset) - 1), _end(node.returns)
        for local in ast.walk(node):
            if isinstance(local, ast.AnnAssign) and local.value is not None:
                yield _end(local.target), _end(local.annotation)


def _comments(source: str) -> Iterator[Span]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start, token.end


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or 0, node.end_col_offset or 0


def _reindent(line: str) -> str:
    text = line.lstrip(" ")
    return " " * ((len(line) - len(text)) // 4) + text


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign)


def _names_defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [t.id for t in node.targets if isinstance(t, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def _closure(entry: str, parts: Iterable[Part]) -> set[str]:
    known = {name: used for part in parts for name, used in part.uses.items()}
    found: set[str] = set()
    open_names = [entry]
    while open_names:
        name = open_names.pop()
        if name in known and name not in found:
            found.add(name)
            open_names += known[name]
    return found


def _imports(parts: Iterable[Part], used: set[str]) -> list[str]:
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    for part in parts:
        for node in part.tree.body:
            if isinstance(node, ast.Import):
                plain |= {alias.name for alias in node.names if alias.name in used}
            elif isinstance(node, ast.ImportFrom) and node.module not in (None, _RULES_MODULE):
                wanted = {alias.name for alias in node.names if alias.name in used}
                named.setdefault(str(node.module), set()).update(wanted)
    lines = [f"import {name}" for name in sorted(plain)]
    return lines + [
        f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(named.items()) if names
    ]


def _read(name: str) -> str:
    return resources.files("patchgate.gate").joinpath(f"{name}.py").read_text(encoding="utf-8")
