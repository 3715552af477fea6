"""Public holidays of a country, from the ``holidays`` library, which is loaded only when a fleet file asks for some."""

from __future__ import annotations

from datetime import date
from functools import cache

from patchgate.config.words import refusal, unknown_word


@cache
def holiday_countries() -> dict[str, tuple[str, ...]]:
    """ISO 3166 code of every known country -> its known subdivisions."""
    from holidays import list_supported_countries  # noqa: PLC0415 - most fleet files name none

    found = list_supported_countries(include_aliases=False)
    return {code: tuple(subdivisions) for code, subdivisions in found.items() if len(code) == 2}


def check_country(value: str) -> str:
    """The code, if its holidays are known."""
    if value in holiday_countries():
        return value
    raise unknown_word(f"no holidays are known of '{value}'", value, holiday_countries(), _CODES)


def check_subdivision(country: str, value: str) -> str:
    """The subdivision, if the country has it."""
    known = holiday_countries()[country]
    if value in known:
        return value
    if not known:
        raise refusal(f"no subdivisions are known of '{country}'", "leave subdivision out")
    raise unknown_word(f"'{country}' has no subdivision '{value}'", value, known, ", ".join(known))


@cache
def holidays_of(country: str, subdivision: str | None, year: int) -> tuple[tuple[date, str], ...]:
    """(day, name) of every public holiday of a year, in order; names are in English where the library has them."""
    from holidays import country_holidays  # noqa: PLC0415

    found = country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    return tuple(sorted((day, name) for day, name in found.items()))


_CODES = "an ISO 3166 code of two letters, such as DE, US or JP"
