"""References and selectors of runbooks: ``{{ step.Output }}`` and ``$.Payload.Output``.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-outputs-inputs.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.history import iso
from patchgate.emulator.ssm_document_content import REFERENCE

if TYPE_CHECKING:
    from patchgate.emulator.ssm_document_steps import Output

_SELECTOR = re.compile(r"\$((?:\.[A-Za-z_][\w-]*|\[\d+\])*)")
_PART = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]")
_PLAIN = frozenset({str, int, bool, float, type(None)})
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "StringList": (list,),
    "Integer": (int,),
    "Boolean": (bool,),
    "StringMap": (dict,),
    "MapList": (list,),
}


class UnresolvedError(Exception):
    """A reference or selector that leads nowhere: the step fails."""


def interpolate(value: Any, known: Mapping[str, Any]) -> Any:
    """A structure with its references resolved. A string that is one reference becomes the value itself.

    Raises UnresolvedError for a reference to something that is not known.
    """
    if isinstance(value, str):
        if "{{" not in value:
            return value
        whole = REFERENCE.fullmatch(value.strip())
        if whole:
            return _look_up(whole[1], known)
        return REFERENCE.sub(lambda found: as_text(_look_up(found[1], known)), value)
    if isinstance(value, dict | Mapping):
        return {key: interpolate(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item, known) for item in value]
    return value


def select(selector: str, document: Any) -> Any:
    """The value at a selector such as ``$.Reservations[0].Instances[0].State``.

    Raises UnresolvedError when there is nothing, NotEmulatedError for JSONPath beyond names and indexes.
    """
    match = _SELECTOR.fullmatch(selector)
    if not match:
        raise NotEmulatedError(f"the selector {selector}")
    found = document
    for part in _PART.finditer(match[1]):
        name, index = part[1], part[2]
        if name is not None and isinstance(found, Mapping) and name in found:
            found = found[name]
        elif index is not None and isinstance(found, list) and int(index) < len(found):
            found = found[int(index)]
        else:
            raise UnresolvedError(f"{selector} selects nothing")
    return found


def declared_outputs(outputs: tuple[Output, ...], document: Any) -> dict[str, Any]:
    """A step's declared outputs out of its answer; raises UnresolvedError for a missing one or another type."""
    found: dict[str, Any] = {}
    for output in outputs:
        value = select(output.selector, document)
        fits = isinstance(value, _PYTHON_TYPES[output.type]) and not (
            output.type == "Integer" and value in (True, False)
        )
        if not fits:
            raise UnresolvedError(f"output {output.name} is not a {output.type}: {value!r}")
        found[output.name] = value
    return found


def plain(value: Any) -> Any:
    """An API's answer as JSON values: instants as ISO text, blobs as text."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, dict | Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bytes):
        return value.decode()
    return value


def as_text(value: Any) -> str:
    """A value inside of a longer string, or in a list of outputs: strings as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def as_list(value: Any) -> list[str]:
    """A value as the API shows outputs and parameters: a list of strings."""
    return [as_text(item) for item in value] if isinstance(value, list) else [as_text(value)]


def _look_up(name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise UnresolvedError(f"{{{{ {name} }}}} has no value")
    return known[name]
