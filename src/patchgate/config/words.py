"""The words that a fleet file may use, and the nearest valid one to a wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from functools import cache

from pydantic_core import PydanticCustomError

from patchgate.domain.environments import ENVIRONMENTS
from patchgate.domain.operating_systems import operating_systems
from patchgate.domain.regions import regions

_LISTED_AT_MOST = 12


def describe_choices(word: str, choices: Iterable[str]) -> str:
    """What to say after a wrong word: the nearest right ones, or all of them where they are few, or ''."""
    known = list(choices)
    nearest = _nearest(word.lower(), known)
    if nearest:
        return "did you mean " + " or ".join(f"'{choice}'" for choice in nearest) + "?"
    return "one of: " + ", ".join(known) if 0 < len(known) <= _LISTED_AT_MOST else ""


def _nearest(word: str, known: list[str]) -> list[str]:
    """The closest of the known words, all of them where several are equally close."""
    close = get_close_matches(word, known, n=3, cutoff=0.6)
    likeness = {choice: SequenceMatcher(None, choice, word).ratio() for choice in close}
    return sorted(choice for choice in close if likeness[choice] == likeness[close[0]])


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
    raise refusal(f"unknown {kind} '{word}'", describe_choices(word, choices))


def refusal(message: str, remedy: str = "") -> PydanticCustomError:
    """An error for a validator to raise; its text is shown as it stands, whatever braces it has."""
    return PydanticCustomError("refused", "{message}", {"message": message, "remedy": remedy})
