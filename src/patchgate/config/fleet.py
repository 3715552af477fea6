"""What a fleet file may say, as pydantic models. The reference page of the fleet file is made from them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import product
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from patchgate.config.words import check_environment, check_operating_system, check_region, describe_choices, refusal
from patchgate.domain.lane import Lane
from patchgate.errors import InputError

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_ACCOUNT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")
_ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9]{1,255}")


def _number_as_written(value: object) -> object:
    """An account id without quotes reads as a number; its digits are the id, unless it begins with 0."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_parameter_value(value: object) -> object:
    """CloudFormation's parameters are text: ``true`` and numbers as CloudFormation writes them."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _check_account_id(value: str) -> str:
    if not _ACCOUNT_ID.fullmatch(value):
        raise refusal(f"'{value}' is not an account id", "12 digits")
    return value


def _check_account_name(value: str) -> str:
    if not _ACCOUNT_NAME.fullmatch(value) or _ACCOUNT_ID.fullmatch(value):
        raise refusal(f"'{value}' is not an account name", "up to 50 letters, digits, '-', '_' and '.'; not an id")
    return value


def _check_organization_id(value: str) -> str:
    if not _ORGANIZATION_ID.fullmatch(value):
        raise refusal(f"'{value}' is not an organization id", "o- and 10 to 32 lower-case letters and digits")
    return value


def _check_known_account(value: str, info: ValidationInfo) -> str:
    """The reference, if the fleet file's accounts have it; reading hands their names and ids in as the context."""
    if info.context is None or value in info.context["accounts"]:
        return value
    raise refusal(f"unknown account '{value}'", describe_choices(value, info.context["accounts"]))


def _check_log_account(value: str, info: ValidationInfo) -> str:
    """The reference; the log account need not be one that is patched, so any id will do."""
    return value if _ACCOUNT_ID.fullmatch(value) else _check_known_account(value, info)


def _check_parameter_name(value: str) -> str:
    if not _PARAMETER_NAME.fullmatch(value):
        raise refusal(f"'{value}' is not a template parameter's name", "letters and digits only")
    return value


AccountId = Annotated[str, BeforeValidator(_number_as_written), AfterValidator(_check_account_id)]
AccountName = Annotated[str, AfterValidator(_check_account_name)]
AccountReference = Annotated[str, BeforeValidator(_number_as_written), AfterValidator(_check_known_account)]
LogAccountReference = Annotated[str, BeforeValidator(_number_as_written), AfterValidator(_check_log_account)]
OperatingSystemName = Annotated[str, AfterValidator(check_operating_system)]
RegionName = Annotated[str, AfterValidator(check_region)]
EnvironmentName = Annotated[str, AfterValidator(check_environment)]
Parameters = dict[
    Annotated[str, AfterValidator(_check_parameter_name)], Annotated[str, BeforeValidator(_as_parameter_value)]
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Organization(_Model):
    """The AWS organization that everything belongs to."""

    id: Annotated[str, AfterValidator(_check_organization_id)] = Field(
        description="The organization's id. Only its members may write to the log buckets."
    )
    log_account: LogAccountReference = Field(description="The account that holds the log buckets: an id, or a name.")


class Account(_Model):
    """One member account."""

    id: AccountId = Field(description="The 12-digit id.")
    name: AccountName = Field(description="What people call it, here and in every report.")


class Defaults(_Model):
    """What holds for every lane that does not say otherwise."""

    parameters: Parameters = Field(default_factory=dict, description="Template parameters and their values.")


class Target(_Model):
    """Where to patch what: every combination of the four lists is a lane."""

    accounts: list[AccountReference] = Field(min_length=1, description="Names or ids out of `accounts`.")
    regions: list[RegionName] = Field(min_length=1, description="Regions, such as `eu-central-1`.")
    operating_systems: list[OperatingSystemName] = Field(
        min_length=1, description="Operating systems of the catalogue, such as `ubuntu`."
    )
    environments: list[EnvironmentName] = Field(
        min_length=1, description="Out of `lab`, `dev`, `qa`, `stg`, `uat`, `prd`, `sit`."
    )
    parameters: Parameters = Field(
        default_factory=dict, description="Template parameters for these lanes; they win over `defaults`."
    )


class FleetConfig(_Model):
    """The fleet file: what is patched, where, and with which settings."""

    version: Literal[1] = Field(description="The version of this format: 1.")
    organization: Organization
    accounts: list[Account] = Field(min_length=1)
    defaults: Defaults = Field(default_factory=Defaults)
    targets: list[Target] = Field(min_length=1)

    @property
    def log_account(self) -> str:
        """The id of the account that holds the log buckets."""
        return self.account_id(self.organization.log_account) or self.organization.log_account

    def account_id(self, reference: str) -> str | None:
        """The id of the account that a name or id means, or None when `accounts` has no such entry."""
        return next((account.id for account in self.accounts if reference in (account.id, account.name)), None)

    def lanes(self) -> tuple[LaneConfig, ...]:
        """Every lane in the order of the file, with its parameters merged: `defaults` < the target's own."""
        return tuple(
            LaneConfig(lane, {**self.defaults.parameters, **self.targets[index].parameters})
            for index, _, lane in self.placed_lanes()
        )

    def placed_lanes(self) -> Iterator[tuple[int, int, Lane]]:
        """Every lane whose account is known: (index of its target, index of the account in it, lane)."""
        accounts = {key: account for account in self.accounts for key in (account.id, account.name)}
        for index, target in enumerate(self.targets):
            for position, reference in enumerate(target.accounts):
                account = accounts.get(reference)
                if account is None:
                    continue
                for region, system, environment in product(
                    target.regions, target.operating_systems, target.environments
                ):
                    yield index, position, Lane(account.id, region, system, environment, account.name)

    def with_parameters(self, overrides: tuple[ParameterOverride, ...]) -> FleetConfig:
        """The same fleet with one target a lane, and the overrides applied in their order.

        Raises InputError for an override that matches no lane.
        """
        lanes = [_overridden(lane, overrides) for lane in self.lanes()]
        names = [lane.lane.name for lane in lanes]
        for override in overrides:
            if not any(fnmatchcase(name, override.lanes) for name in names):
                nearest = describe_choices(override.lanes, names)
                raise InputError(
                    f"no lane matches '{override.lanes}'", remedy=nearest or "lanes: " + names[0] + ", ..."
                )
        targets = [
            Target(
                accounts=[lane.lane.account],
                regions=[lane.lane.region],
                operating_systems=[lane.lane.os],
                environments=[lane.lane.env],
                parameters=dict(lane.parameters),
            )
            for lane in lanes
        ]
        return self.model_copy(update={"targets": targets, "defaults": Defaults()})


@dataclass(frozen=True, slots=True)
class LaneConfig:
    """One lane, and the template parameters that hold for it."""

    lane: Lane
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ParameterOverride:
    """A template parameter for every lane whose name matches a pattern; ``*`` matches any text, slashes too."""

    lanes: str
    name: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``LANES:NAME=VALUE``; ValueError says what is wrong with another form."""
        lanes, colon, assignment = text.partition(":")
        name, equals, value = assignment.partition("=")
        if not (lanes and colon and equals and _PARAMETER_NAME.fullmatch(name)):
            raise ValueError(f"'{text}' is not LANES:NAME=VALUE, such as '*/windows/*:RetentionDays=14'")
        return cls(lanes, name, value)


def find_contradictions(fleet: FleetConfig) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """What no single key can see: (path, message, remedy) of each."""
    for key in ("id", "name"):
        counts = Counter(getattr(account, key) for account in fleet.accounts)
        for index, account in enumerate(fleet.accounts):
            value = getattr(account, key)
            if counts[value] > 1:
                yield ("accounts", index, key), f"account {key} '{value}' is given {counts[value]} times", ""
    yield from _repeated_lanes(fleet)


def _repeated_lanes(fleet: FleetConfig) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    first: dict[Lane, int] = {}
    for index, position, lane in fleet.placed_lanes():
        if lane in first:
            message = f"lane {lane.name} is in target {first[lane] + 1} already"
            yield ("targets", index, "accounts", position), message, "a lane belongs to one target"
        first.setdefault(lane, index)


def _overridden(lane: LaneConfig, overrides: tuple[ParameterOverride, ...]) -> LaneConfig:
    given = {each.name: each.value for each in overrides if fnmatchcase(lane.lane.name, each.lanes)}
    return replace(lane, parameters={**lane.parameters, **given})
