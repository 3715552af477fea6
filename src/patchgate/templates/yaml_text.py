"""Templates as YAML that people read: short intrinsic tags, literal blocks for code, the order of the data.

It writes what templates need and no more, so that the same data gives the same bytes with every version of every
library. Strings that some YAML 1.1 reader could take for something else are quoted. It indents by one space: a
template has to fit into what CloudFormation takes inline, and a fifth of it would be indentation otherwise.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from patchgate.templates.intrinsics import is_intrinsic, walk

WIDTH = 120
_FLOW_SIZE = 4
_PLAIN = re.compile(r"[A-Za-z_/$^(][\x20-\x7e]*")
_PLAIN_IN_FLOW = re.compile(r"[A-Za-z_/$^(](?:[^\x00-\x1f\x7f-\U0010ffff,:\[\]{}\"'#?]|:(?=[A-Za-z0-9_:*]))*")
_ENDS_PLAIN = re.compile(r": | #|[: ]$")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def render_yaml(document: Mapping[str, Any]) -> str:
    """The document as block YAML, with a blank line between sections."""
    lines: list[str] = []
    for section, value in document.items():
        if lines:
            lines.append("")
        lines += _entry(section, value, 0)
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, column: int) -> Iterator[str]:
    pad, name = " " * column, _scalar(key)
    if isinstance(value, str) and "\n" in value:
        if value[0] in " \n" or value.endswith("\n\n"):
            raise TypeError(f"{key}: a literal block begins with text and ends with one newline at most")
        yield f"{pad}{name}: {'|' if value.endswith(chr(10)) else '|-'}"
        yield from (f"{pad} {line}".rstrip() for line in value.rstrip("\n").split("\n"))
        return
    flat = _flat(value, column)
    if flat is not None and (len(pad) + len(name) + 2 + len(flat) <= WIDTH or _is_one_text(value)):
        yield f"{pad}{name}: {flat}"
        return
    if _is_long_list(value):
        yield from _filled(f"{pad}{name}: ", pad, value)
        return
    tag, content = _tagged(value)
    yield f"{pad}{name}:{' ' * bool(tag)}{tag}"
    yield from _block(content, column if isinstance(content, list) else column + 1)


def _block(value: Any, column: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _entry(key, child, column)
        return
    for child in value:
        yield from _item(child, column)


def _item(value: Any, column: int) -> Iterator[str]:
    pad = " " * column
    flat = _flat(value, column)
    if flat is not None and (len(pad) + 2 + len(flat) <= WIDTH or _is_one_text(value)):
        yield f"{pad}- {flat}"
        return
    tag, content = _tagged(value)
    if tag or isinstance(content, list):
        yield f"{pad}- {tag}".rstrip()
        yield from _block(content, column + 1)
        return
    first, *rest = _block(content, column + 2)
    yield f"{pad}- {first.lstrip(' ')}"
    yield from rest


def _tagged(value: Any) -> tuple[str, Any]:
    if is_intrinsic(value):
        name, content = next(iter(value.items()))
        return f"!{name.removeprefix('Fn::')}", content
    return "", value


def _flat(value: Any, column: int) -> str | None:
    """The value on one line, where it reads well there; None where it is to be a block."""
    for node in walk(value):
        if isinstance(node, str) and "\n" in node:
            return None
        if isinstance(node, Mapping) and not is_intrinsic(node) and node and (column < 2 or _size(node) > _FLOW_SIZE):
            return None
    if isinstance(value, list) and any(isinstance(v, Mapping) and not is_intrinsic(v) for v in value):
        return _flow(value) if _size(value) <= _FLOW_SIZE else None
    return _flow(value, outermost=True)


def _is_long_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 2 and all(isinstance(child, str | int) for child in value)


def _filled(start: str, pad: str, values: list[str | int]) -> Iterator[str]:
    """A list of short texts in as few lines as they need."""
    line = f"{start}["
    for position, value in enumerate(values, 1):
        text = _scalar(value, flow=True) + ("," if position < len(values) else "]")
        if len(line) + len(text) > WIDTH:
            yield line.rstrip()
            line = f"{pad}  "
        line += f"{text} "
    yield line.rstrip()


def _is_one_text(value: Any) -> bool:
    return isinstance(next(iter(value.values())) if is_intrinsic(value) else value, str)


def _size(value: Any) -> int:
    """How many values a reader has to take in at once; an intrinsic counts as one."""
    if is_intrinsic(value):
        return 1
    if isinstance(value, Mapping):
        return sum(_size(child) for child in value.values())
    return sum(_size(child) for child in value) if isinstance(value, list) else 1


def _flow(value: Any, *, outermost: bool = False) -> str:
    if is_intrinsic(value):
        name, content = next(iter(value.items()))
        if name == "Fn::GetAtt":
            content = ".".join(content)
        return f"!{name.removeprefix('Fn::')} {_flow(content, outermost=outermost and isinstance(content, str))}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(k, flow=True)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(v) for v in value) + "]"
    return _scalar(value, flow=not outermost)


def _scalar(value: Any, *, flow: bool = False) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str) or "\n" in value:
        raise TypeError(f"no scalar of a template: {value!r}")
    plain = _PLAIN_IN_FLOW if flow else _PLAIN
    if plain.fullmatch(value) and value.lower() not in _WORDS and not _ENDS_PLAIN.search(value):
        return value
    return "'" + value.replace("'", "''") + "'"
