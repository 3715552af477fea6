"""What a fleet file may say, as pydantic models. Its reference page and its JSON Schema are made from them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from patchgate.config.base import Model
from patchgate.config.settings import Settings
from patchgate.config.values import (
    AccountId,
    AccountName,
    AccountReference,
    AnyAccountReference,
    BucketPrefix,
    EnvironmentName,
    KeyArn,
    OperatingSystemName,
    OrganizationId,
    PromotedEnvironment,
    RegionName,
    RoleArn,
    RoleName,
    UnitId,
    UnitName,
    UnitReference,
)
from patchgate.config.words import refusal

DeploymentMode = Literal["stacks", "service-managed", "self-managed"]

LONGEST_LIST = 100
"""More words than the catalogues have: what is longer is refused as a whole."""


class Organization(Model):
    """The AWS organization that everything belongs to."""

    id: OrganizationId = Field(description="The organization's id. Only its members may write to the log buckets.")
    log_account: AnyAccountReference = Field(description="The account that holds the log buckets: an id, or a name.")


class LogBucket(Model):
    """The log buckets: one for every operating system and environment, all in the organization's log account."""

    region: RegionName | None = Field(
        default=None, description="Where the buckets are. Without it: in the Region of the first lane that needs one."
    )
    name_prefix: BucketPrefix | None = Field(
        default=None, description="Prefix of the buckets' names; operating system, environment and a suffix follow."
    )
    retention_days: int | None = Field(
        default=None, ge=1, le=3650, description="Days after which logs and evidence expire; 365 if not given."
    )
    kms_key: KeyArn | None = Field(default=None, description="Customer key of the buckets, in their Region.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kms_key is None:
            return self
        place = self.kms_key.split(":")[3]
        if self.region is None:
            raise refusal("kms_key needs region: a bucket's key is of the bucket's Region", f"region: {place}")
        if place != self.region:
            raise refusal(f"the key is in {place}, the buckets are in {self.region}", "a bucket's key is of its Region")
        return self


class Deployment(Model):
    """How `patchgate deploy` carries the stacks into the accounts."""

    mode: DeploymentMode = Field(
        default="stacks",
        description="`stacks`: a stack for each lane, by a role in its account. `service-managed`, `self-managed`: "
        "stack sets of the account that deploys.",
    )
    region: RegionName | None = Field(
        default=None, description="Where the stack sets are. Without it: where the first lane's log bucket is."
    )
    member_role: RoleName = Field(
        default="OrganizationAccountAccessRole",
        description="Role in every other account than the one that deploys. Stack sets need it for reading alone, and "
        "for the log buckets.",
    )
    administration_role: RoleArn | None = Field(
        default=None, description="With `self-managed`: AWSCloudFormationStackSetAdministrationRole if not given."
    )
    execution_role: RoleName | None = Field(
        default=None, description="With `self-managed`: AWSCloudFormationStackSetExecutionRole if not given."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.mode != "self-managed" and (self.administration_role or self.execution_role):
            raise refusal("administration_role and execution_role belong to mode self-managed", "mode: self-managed")
        return self


class Account(Model):
    """One member account."""

    id: AccountId = Field(description="The 12-digit id.")
    name: AccountName = Field(description="What people call it, here and in every report.")


class OrganizationalUnit(Model):
    """One organizational unit; it means all accounts below it, those of its child units too."""

    id: UnitId = Field(description="Its id, `ou-...`, or the root's, `r-...`.")
    name: UnitName = Field(description="What people call it here.")


class EnvironmentSettings(Settings):
    """One environment; the order of the list is the order of promotion."""

    name: EnvironmentName = Field(description="Out of `lab`, `dev`, `qa`, `stg`, `uat`, `prd`, `sit`.")


class OperatingSystemSettings(Settings):
    """What holds for the lanes of one operating system."""

    name: OperatingSystemName = Field(description="Of the catalogue, such as `ubuntu`.")


class TargetException(Model):
    """Lanes that a target leaves out: those that match every list that is given. Lists that are not given match all."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    accounts: list[AnyAccountReference] | None = Field(default=None, min_length=1, description="Names or ids.")
    organizational_units: list[UnitReference] | None = Field(default=None, min_length=1, description="Names or ids.")
    regions: list[RegionName] | None = Field(default=None, min_length=1, description="Regions of the target.")
    operating_systems: list[OperatingSystemName] | None = Field(
        default=None, min_length=1, description="Operating systems of the target."
    )
    environments: list[EnvironmentName] | None = Field(
        default=None, min_length=1, description="Environments of the target."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.model_fields_set:
            raise refusal("an exception without a list would leave out everything", f"one of: {', '.join(_LISTS)}")
        return self


_LISTS = tuple(TargetException.model_fields)


class Target(Settings):
    """Where to patch what: every combination of accounts, Regions, operating systems and environments is a lane."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [key], "properties": {key: {"minItems": 1}}}
                for key in ("accounts", "organizational_units")
            ]
        }
    )

    accounts: list[AccountReference] = Field(default_factory=list, description="Names or ids out of `accounts`.")
    organizational_units: list[UnitReference] = Field(
        default_factory=list,
        validate_default=True,
        description="Names out of `organizational_units`, or ids; AWS says which accounts they have.",
    )
    regions: list[RegionName] = Field(
        min_length=1, max_length=LONGEST_LIST, description="Regions, such as `eu-central-1`."
    )
    operating_systems: list[OperatingSystemName] = Field(
        min_length=1, max_length=LONGEST_LIST, description="Operating systems of the catalogue, such as `ubuntu`."
    )
    environments: list[PromotedEnvironment] = Field(
        min_length=1,
        max_length=LONGEST_LIST,
        description="Environments; out of `environments` where the file has them.",
    )
    exceptions: list[TargetException] = Field(default_factory=list, description="Lanes that are left out.")

    @field_validator("organizational_units", mode="after")
    @classmethod
    def _check_accounts(cls, units: list[str], info: ValidationInfo) -> list[str]:
        if not units and info.data.get("accounts") == []:
            raise refusal("a target without accounts", "give accounts, or organizational_units")
        return units


class FleetFile(Model):
    """The fleet file: what is patched, where, and with which settings."""

    version: Literal[1] = Field(description="The version of this format: 1.")
    organization: Organization
    log_bucket: LogBucket = Field(default_factory=LogBucket)
    deployment: Deployment = Field(default_factory=Deployment)
    accounts: list[Account] = Field(default_factory=list)
    organizational_units: list[OrganizationalUnit] = Field(default_factory=list)
    defaults: Settings = Field(
        default_factory=Settings, description="What holds for every lane that does not say otherwise."
    )
    environments: list[EnvironmentSettings] = Field(default_factory=list)
    operating_systems: list[OperatingSystemSettings] = Field(default_factory=list)
    targets: list[Target] = Field(min_length=1)
