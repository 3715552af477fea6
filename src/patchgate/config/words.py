"""The words that a fleet file may use, and the nearest valid one to a wrong one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher, get_close_matches
from functools import cache
from typing import Any

from pydantic_core import PydanticCustomError

from patchgate.domain.environments import ENVIRONMENTS
from patchgate.domain.operating_systems import operating_systems
from patchgate.domain.regions import regions

_LISTED_AT_MOST = 12


def describe_choices(word: str, choices: Iterable[str]) -> str:
    """What to say after a wrong word: the nearest right ones, or all of them where they are few, or ''."""
    known = list(choices)
    listed = "one of: " + ", ".join(known) if 0 < len(known) <= _LISTED_AT_MOST else ""
    return describe_nearest(word, known) or listed


def describe_nearest(word: str, choices: Iterable[str]) -> str:
    """The question whether the nearest right words were meant; '' when none is near."""
    nearest = _nearest(word, list(choices))
    return "did you mean " + " or ".join(f"'{choice}'" for choice in nearest) + "?" if nearest else ""


def _nearest(word: str, known: list[str]) -> list[str]:
    """The closest of the known words whatever their case, all of them where several are equally close."""
    folded = {choice.lower(): choice for choice in known}
    close = get_close_matches(word.lower(), folded, n=3, cutoff=0.6)
    likeness = {choice: SequenceMatcher(None, choice, word.lower()).ratio() for choice in close}
    return sorted(folded[choice] for choice in close if likeness[choice] == likeness[close[0]])


def check_operating_system(word: str) -> str:
    """The word, if the catalogue of operating systems has it."""
    return _check(word, operating_system_names(), "operating system")


def check_region(word: str) -> str:
    """The word, if the catalogue of Regions has it."""
    return _check(word, region_names(), "Region")


def check_environment(word: str) -> str:
    """The word, if it is one of the environments."""
    return _check(word, ENVIRONMENTS, "environment")


@cache
def operating_system_names() -> tuple[str, ...]:
    """Every family of the catalogue."""
    return tuple(family.name for family in operating_systems())


@cache
def region_names() -> tuple[str, ...]:
    """Every Region of the catalogue."""
    return tuple(region.name for region in regions())


def _check(word: str, choices: tuple[str, ...], kind: str) -> str:
    if word in choices:
        return word
    raise unknown_word(f"unknown {kind} '{word}'", word, choices)


def refusal(message: str, remedy: str = "") -> PydanticCustomError:
    """An error for a validator to raise; its text is shown as it stands, whatever braces it has."""
    return PydanticCustomError("refused", "{message}", {"message": message, "remedy": remedy})


def unknown_word(message: str, word: str, choices: Iterable[str], otherwise: str = "") -> PydanticCustomError:
    """A refusal whose remedy is the nearest of the choices, or ``otherwise``. It is looked for only when it is told."""
    told = {"message": message, "remedy": otherwise, "word": word, "choices": choices}
    return PydanticCustomError("refused", "{message}", told)


def describe_refusal(context: Mapping[str, Any]) -> tuple[str, str]:
    """(message, remedy) of a refusal, from the error's context."""
    nearest = describe_choices(context["word"], context["choices"]) if "choices" in context else ""
    return context["message"], nearest or context["remedy"]
