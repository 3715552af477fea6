"""Functions whose value is settled before anything is created: AWS refuses the call where they are wrong.

A function that waits for a resource or an export is looked at when its resource is created.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html

Assumption: AWS looks so at every function that depends on parameters, mappings and literals only, and at the form of
the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from patchgate.emulator.cloudformation.functions import function_of, if_parts

if TYPE_CHECKING:
    from patchgate.emulator.cloudformation.intrinsics import Evaluator

_LOOKED_AT = frozenset({"Fn::FindInMap", "Fn::Join", "Fn::Select", "Fn::Split"})


class UnsettledError(Exception):
    """A value that only exists once resources do."""


class UnsettledResources:
    """intrinsics.ResourceValues before there are any."""

    def ref(self, name: str) -> NoReturn:
        """Not there yet."""
        raise UnsettledError(name)

    def attribute(self, name: str, attribute: str) -> NoReturn:
        """Not there yet."""
        raise UnsettledError(f"{name}.{attribute}")


def check_settled_functions(node: Any, evaluator: Evaluator) -> None:
    """Evaluate what can be evaluated in a part of a template. Raises AwsError ValidationError where AWS does.

    ``evaluator`` knows parameters, mappings and conditions; its resources and exports are not asked.
    """
    early = replace(evaluator, resources=UnsettledResources(), read_export=_unsettled)
    for call in _functions(node, early):
        try:
            early.value(call)
        except UnsettledError:
            continue


def _unsettled(name: str) -> NoReturn:
    raise UnsettledError(name)


def _functions(node: Any, evaluator: Evaluator) -> Iterator[Any]:
    """The functions below a node that are looked at, inner ones first; of Fn::If only the branch that holds."""
    call = function_of(node)
    if call is not None and call[0] == "Fn::If":
        condition, yes, no = if_parts(call[1])
        yield from _functions(yes if evaluator.condition(condition) else no, evaluator)
        return
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for item in below:
        yield from _functions(item, evaluator)
    if call is not None and call[0] in _LOOKED_AT:
        yield node
