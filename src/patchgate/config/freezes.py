"""Freezes of a fleet file: when nothing is patched, said in one of five ways."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator

from patchgate.config.base import Model
from patchgate.config.holidays import check_country, check_subdivision
from patchgate.config.values import CalendarName, Said, ZoneName, read_date
from patchgate.config.words import refusal

FreezeKind = Literal["days", "instants", "holidays", "change_calendar", "ics"]

_YEARLY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_KINDS: dict[FreezeKind, tuple[str, ...]] = {
    "days": ("first_day", "last_day"),
    "instants": ("start", "end"),
    "holidays": ("holidays",),
    "change_calendar": ("change_calendar",),
    "ics": ("ics",),
}
_ONLY_HOLIDAYS = ("subdivision", "days_before", "days_after")
_FORMS = "first_day and last_day, start and end, holidays, change_calendar, or ics"


def _day(value: str) -> str:
    if not _YEARLY.fullmatch(value):
        read_date(value)
    elif int(value[3:]) > {"02": 29, "04": 30, "06": 30, "09": 30, "11": 30}.get(value[:2], 31):
        raise refusal(f"'{value}' is not a day of the year")
    return value


def _instant(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise refusal(f"'{value}' is not a date and time", "such as 2027-01-31T18:00, in local time") from None
    return value


FreezeDay = Annotated[
    str,
    AfterValidator(_day),
    WithJsonSchema({"type": "string", "pattern": r"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$"}),
]
FreezeInstant = Annotated[
    str,
    AfterValidator(_instant),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*$"}),
]
Country = Annotated[str, AfterValidator(check_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})]


def _describe_forms(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": list(keys)} for keys in _KINDS.values()]


class Freeze(Model):
    """A time in which nothing is patched: days, an exact time, holidays, an SSM change calendar, or a calendar file."""

    model_config = ConfigDict(json_schema_extra=_describe_forms)

    reason: Said = Field(description="Why, for people: it is shown wherever the freeze holds something up.")
    first_day: FreezeDay | None = Field(
        default=None,
        description="The first frozen day, `2026-12-18`, or `12-18` for every year. Local days of the lane.",
    )
    last_day: FreezeDay | None = Field(
        default=None, description="The last frozen day, in the same form as `first_day`; it is frozen to its end."
    )
    start: FreezeInstant | None = Field(
        default=None, description="Instead of days: `2026-12-18T18:00`, local time of the lane, or with an offset."
    )
    end: FreezeInstant | None = Field(default=None, description="When it ends, as `start`.")
    holidays: Country | None = Field(
        default=None, description="Public holidays of a country: its ISO 3166 code, such as `DE`. Each is a frozen day."
    )
    subdivision: str | None = Field(default=None, description="With `holidays`: a state or province, such as `BY`.")
    days_before: int = Field(default=0, ge=0, le=14, description="With `holidays`: further days before each.")
    days_after: int = Field(default=0, ge=0, le=14, description="With `holidays`: further days after each.")
    change_calendar: CalendarName | None = Field(
        default=None, description="An SSM change calendar in every lane's account and Region: its name, or an ARN."
    )
    ics: str | None = Field(
        default=None,
        min_length=1,
        description="A calendar file (RFC 5545), seen from the fleet file; events are frozen.",
    )
    time_zone: ZoneName | None = Field(
        default=None, description="Whose local time days and times are. Without it: the lane's own."
    )

    @property
    def kind(self) -> FreezeKind:
        """Which of the five ways it is said in."""
        return next(kind for kind, keys in _KINDS.items() if getattr(self, keys[0]) is not None)

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [kind for kind, keys in _KINDS.items() if any(getattr(self, key) is not None for key in keys)]
        if len(given) != 1:
            raise refusal("a freeze says when in one way" if given else "a freeze says when", _FORMS)
        for key in _KINDS[given[0]]:
            if getattr(self, key) is None:
                raise refusal(f"a freeze with {_other(given[0], key)} needs {key}")
        self._check_kind(given[0])
        return self

    def _check_kind(self, kind: FreezeKind) -> None:
        if kind != "holidays" and any(key in self.model_fields_set for key in _ONLY_HOLIDAYS):
            raise refusal(f"{', '.join(_ONLY_HOLIDAYS[:2])} and {_ONLY_HOLIDAYS[2]} belong to holidays")
        if kind == "holidays" and self.holidays and self.subdivision:
            check_subdivision(self.holidays, self.subdivision)
        if kind == "change_calendar" and self.time_zone:
            raise refusal("a change calendar has its own time zone; leave time_zone out")
        if kind == "days":
            self._check_days(self.first_day or "", self.last_day or "")
        if kind == "instants":
            self._check_instants(self.start or "", self.end or "")

    @staticmethod
    def _check_days(first: str, last: str) -> None:
        if len(first) != len(last):
            raise refusal("first_day and last_day are both of one year, or both of every year")
        if not _YEARLY.fullmatch(first) and last < first:
            raise refusal(f"last_day {last} is before first_day {first}")

    @staticmethod
    def _check_instants(start: str, end: str) -> None:
        begin, until = datetime.fromisoformat(start), datetime.fromisoformat(end)
        if (begin.tzinfo is None) != (until.tzinfo is None):
            raise refusal("start and end are both local times, or both have an offset")
        if until <= begin:
            raise refusal(f"end {end} is not after start {start}")


def _other(kind: FreezeKind, key: str) -> str:
    return next(other for other in _KINDS[kind] if other != key)
