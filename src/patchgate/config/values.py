"""The kinds of values that a fleet file has: each with its check, its words in a refusal, and its JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo, WithJsonSchema

from patchgate.config.words import (
    check_environment,
    check_operating_system,
    check_region,
    operating_system_names,
    refusal,
    region_names,
    unknown_word,
)
from patchgate.domain.environments import ENVIRONMENTS
from patchgate.schedule import Dialect, ScheduleError, parse
from patchgate.schedule.zones import load_zone

ACCOUNT_ID = r"[0-9]{12}"
PARAMETER_NAME = r"[A-Za-z0-9]{1,255}"
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
ORDINALS = ("1", "2", "3", "4", "5", "last")


def _number_as_written(value: object) -> object:
    """An id without quotes reads as a number; its digits are the id, unless it begins with 0."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_parameter_value(value: object) -> object:
    """CloudFormation's parameters are text: ``true`` and numbers as CloudFormation writes them."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _matching(pattern: str, what: str, rule: str) -> Callable[[str], str]:
    """A check that a text matches a pattern as a whole."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise refusal(f"'{value}' is not {what}", rule)
        return value

    return check


def _text(pattern: str, what: str, rule: str) -> tuple[AfterValidator, WithJsonSchema]:
    schema = {"type": "string", "pattern": f"^({pattern})$"}
    return AfterValidator(_matching(pattern, what, rule)), WithJsonSchema(schema)


def _number_or_text(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string", "pattern": f"^({pattern})$"}, {"type": "integer"}]})


def _word(choices: Sequence[str], what: str) -> tuple[AfterValidator, WithJsonSchema]:
    """A check that a text is one of a few words."""

    def check(value: str) -> str:
        if value not in choices:
            raise unknown_word(f"'{value}' is not {what}", value, choices)
        return value

    return AfterValidator(check), WithJsonSchema({"type": "string", "enum": list(choices)})


def _known(kind: str, what: str, pattern: str = "") -> AfterValidator:
    """A check against the file's own words, which reading hands in as the context; ``pattern`` is taken as it is."""

    def check(value: str, info: ValidationInfo) -> str:
        if info.context is None or value in info.context[kind] or (pattern and re.fullmatch(pattern, value)):
            return value
        raise unknown_word(f"unknown {what} '{value}'", value, info.context[kind])

    return AfterValidator(check)


def _check_account_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}", value) or re.fullmatch(ACCOUNT_ID, value):
        raise refusal(f"'{value}' is not an account name", "up to 50 letters, digits, '-', '_' and '.'; not an id")
    return value


def _check_unit_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", value) or re.fullmatch(_UNIT_ID, value):
        raise refusal(f"'{value}' is not a name", "up to 128 letters, digits, '-', '_' and '.'; not an id")
    return value


def _check_zone(value: str) -> str:
    try:
        load_zone(value)
    except ScheduleError as error:
        raise refusal("; ".join(fault.message for fault in error.faults) or str(error), error.remedy) from None
    if not re.fullmatch(_ZONE, value):
        raise refusal(f"the templates take no zone of the form '{value}'", "Area/City, such as Europe/Berlin")
    return value


def check_expression(value: str, dialect: Dialect) -> str:
    """The expression, if the service of that dialect takes it; a refusal says what it does not take."""
    try:
        parse(value, dialect)
    except ScheduleError as error:
        raise schedule_refusal(value, error) from None
    return value


def schedule_refusal(value: str, error: ScheduleError) -> Exception:
    """What is wrong with a schedule, in the words of a fleet file."""
    said = "; ".join(
        fault.message if fault.field == "expression" else f"{fault.field}: {fault.message}" for fault in error.faults
    )
    rules = "; ".join(dict.fromkeys(fault.rule for fault in error.faults if fault.rule))
    return refusal(f"'{value}': {said}" if said else str(error), error.remedy or rules)


def _expression(dialect: Dialect) -> tuple[AfterValidator, WithJsonSchema]:
    kinds = "cron" if dialect == "backup" else "cron|rate|at"
    schema = {"type": "string", "pattern": rf"^({kinds})\(.+\)$"}
    return AfterValidator(lambda value: check_expression(value, dialect)), WithJsonSchema(schema)


def read_date(value: object) -> object:
    """The date of a text such as 2027-01-31; what is not text stays, to be refused as such."""
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value) else "")
    except ValueError:
        raise refusal(f"'{value}' is not a date", "year-month-day, such as 2027-01-31") from None


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise refusal(f"'{value}' is not an e-mail address", "name@domain")
    return value


def known_as(annotated: Any) -> tuple[Any, ...]:
    """The checks of an annotated type, to be put on another one."""
    return get_args(annotated)[1:]


_ZONE = r"[A-Za-z_]+(/[A-Za-z0-9_+-]+)*"
_UNIT_ID = r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32}"
_ACCOUNT_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "string", "pattern": f"^{ACCOUNT_ID}$"}, {"type": "integer", "minimum": 0}]}
)
_REFERENCE_SCHEMA = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]})

AccountId = Annotated[
    str,
    BeforeValidator(_number_as_written),
    AfterValidator(_matching(ACCOUNT_ID, "an account id", "12 digits")),
    _ACCOUNT_SCHEMA,
]
AccountName = Annotated[
    str,
    AfterValidator(_check_account_name),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$"}),
]
AccountReference = Annotated[str, BeforeValidator(_number_as_written), _known("accounts", "account"), _REFERENCE_SCHEMA]
AnyAccountReference = Annotated[
    str, BeforeValidator(_number_as_written), _known("accounts", "account", ACCOUNT_ID), _REFERENCE_SCHEMA
]
"""An account of the file, or the id of one that it does not list."""

OrganizationId = Annotated[
    str, *_text(r"o-[a-z0-9]{10,32}", "an organization id", "o- and 10 to 32 lower-case letters and digits")
]
UnitId = Annotated[
    str, *_text(_UNIT_ID, "the id of an organizational unit", "such as ou-ab12-cdef3456, or the root, such as r-ab12")
]
UnitName = Annotated[str, AfterValidator(_check_unit_name)]
UnitReference = Annotated[str, _known("units", "organizational unit", _UNIT_ID)]

OperatingSystemName = Annotated[
    str,
    AfterValidator(check_operating_system),
    WithJsonSchema({"type": "string", "enum": list(operating_system_names())}),
]
RegionName = Annotated[
    str, AfterValidator(check_region), WithJsonSchema({"type": "string", "enum": list(region_names())})
]
EnvironmentName = Annotated[
    str, AfterValidator(check_environment), WithJsonSchema({"type": "string", "enum": list(ENVIRONMENTS)})
]
PromotedEnvironment = Annotated[EnvironmentName, _known("environments", "environment")]
"""An environment that the file's ``environments`` has, where it has any."""

ParameterName = Annotated[str, *_text(PARAMETER_NAME, "a template parameter's name", "letters and digits only")]
ParameterValue = Annotated[
    str, BeforeValidator(as_parameter_value), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
Parameters = dict[ParameterName, ParameterValue]

BackupExpression = Annotated[str, *_expression("backup")]
SchedulerExpression = Annotated[str, *_expression("scheduler")]
WindowExpression = Annotated[str, *_expression("ssm")]
TimeOfDay = Annotated[str, *_text(r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time of day", "HH:MM, from 00:00 to 23:59")]
Weekday = Annotated[str, *_word(WEEKDAYS, "a weekday")]
Ordinal = Annotated[
    str,
    BeforeValidator(_number_as_written),
    *_word(ORDINALS, "an ordinal"),
    WithJsonSchema({"enum": ["last", 1, 2, 3, 4, 5, "1", "2", "3", "4", "5"]}),
]
ZoneName = Annotated[str, AfterValidator(_check_zone), WithJsonSchema({"type": "string", "pattern": f"^{_ZONE}$"})]
Day = Annotated[date, BeforeValidator(read_date), WithJsonSchema({"type": "string", "format": "date"})]

_CONCURRENCY = r"[1-9][0-9]*|[1-9][0-9]?%|100%"
_ERROR_BUDGET = r"[0-9]+|[0-9]{1,2}%|100%"
Concurrency = Annotated[
    str,
    BeforeValidator(_number_as_written),
    AfterValidator(_matching(_CONCURRENCY, "a number of instances or a percentage", "such as 10 or 25%")),
    _number_or_text(_CONCURRENCY),
]
ErrorBudget = Annotated[
    str,
    BeforeValidator(_number_as_written),
    AfterValidator(_matching(_ERROR_BUDGET, "a number of instances or a percentage", "such as 0, 5 or 10%")),
    _number_or_text(_ERROR_BUDGET),
]

BucketPrefix = Annotated[
    str, *_text("[a-z0-9][a-z0-9-]{1,33}", "a prefix of bucket names", "2 to 34 lower-case letters, digits and '-'")
]
KeyArn = Annotated[
    str, *_text(r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+", "the ARN of a KMS key", "arn:...:key/...")
]
RoleName = Annotated[
    str, *_text(r"[\w+=,.@-]{1,64}", "the name of a role", "up to 64 letters, digits and '+=,.@_-', without its path")
]
RoleArn = Annotated[
    str, *_text(r"arn:[a-z-]+:iam::[0-9]{12}:role/[!-~]{1,512}", "the ARN of a role", "arn:...:role/...")
]
Boundary = Annotated[
    str,
    *_text(
        r"arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+|[\w+=,.@/-]{1,512}",
        "an IAM policy",
        "its ARN, or its name, which is then looked for in every lane's own account",
    ),
]
RolePath = Annotated[str, *_text(r"/([!-~]+/)?", "an IAM path", "it begins and ends with '/'")]
Email = Annotated[str, AfterValidator(_email), WithJsonSchema({"type": "string", "pattern": r"^[^@\s]+@[^@\s]+$"})]
CalendarName = Annotated[
    str, *_text(r"[a-zA-Z0-9_.:/-]+", "the name of a change calendar", "a name or an ARN, of letters, digits and _.:/-")
]
Category = Annotated[
    str, *_text(r"[a-zA-Z0-9_.:/-]+", "a message category", "letters, digits and _.:/-, as AWS Backup writes it")
]
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""A sentence for people."""
