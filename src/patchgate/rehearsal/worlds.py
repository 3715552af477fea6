"""World files: the machines that a rehearsal starts from, how they behave, and what befalls them.

A world is a directory of YAML files, read together. Each may say when the world begins (``start``, once in all of
them) and lists groups of instances that share an account, a Region, an operating system and their tags. Ids are
derived from account, Region and name, so that they never change; an id may be given instead.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from patchgate.config import parse_document, validate_document
from patchgate.config.document import Document
from patchgate.config.words import check_region
from patchgate.emulator.world import (
    AgentBehaviour,
    BackupBehaviour,
    InstanceSpec,
    InstanceStateChange,
    Patch,
    VolumeAttachment,
    VolumeSpec,
)
from patchgate.errors import InputError, Problem
from patchgate.rehearsal.cycles import describe_refused_start

_DEVICES = "abcdefghijklmnop"
_KEY = r"^(arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+)?$"
DEFAULT_MANAGEMENT_ACCOUNT = "999999999999"
DEEPEST_UNIT = 5
"""Levels of units below the root.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""


def _as_instant(value: object) -> object:
    if not isinstance(value, str):
        return value
    instant = datetime.fromisoformat(value)
    instant = instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    if refused := describe_refused_start(instant):
        raise ValueError(refused)
    return instant


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BackupEntry(_Entry):
    """How AWS Backup fares with an instance."""

    outcome: Literal["COMPLETED", "FAILED", "ABORTED", "EXPIRED", "NONE"] = "COMPLETED"
    minutes: int = Field(default=25, ge=1, description="From the job's start to its end.")
    message_category: str = "SUCCESS"
    message: str = ""


class AgentEntry(_Entry):
    """How the SSM agent of an instance fares; hours count from the start of the world."""

    ping: Literal["Online", "ConnectionLost", "Inactive"] = "Online"
    delivery_seconds: int = Field(default=2, ge=0)
    clock_skew_seconds: int = 0
    offline_after_hours: float | None = None
    online_after_hours: float | None = None


class PatchEntry(_Entry):
    """One missing update; `fails` is why its installation fails, or empty."""

    id: str
    title: str = ""
    classification: str = "Security"
    severity: str = "Important"
    reboot: bool = False
    fails: str = ""


class HappeningEntry(_Entry):
    """Something that befalls an instance during the run."""

    after_hours: float = Field(ge=0, description="Since the start of the world.")
    attach_volume: bool = False
    state: Literal["running", "stopped", "terminated"] | None = None


class InstanceEntry(_Entry):
    """One machine of a group; what it leaves out is the group's."""

    name: str
    id: Annotated[str, Field(pattern=r"^i-[0-9a-f]{8,17}$")] | None = None
    volumes: int = Field(default=1, ge=1, le=len(_DEVICES))
    volume_key: Annotated[str, Field(pattern=_KEY)] = Field(
        default="",
        description="ARN of the key of its volumes. Only a key that a stack or a call made there is asked.",
    )
    state: Literal["running", "stopped"] = "running"
    root_device: Literal["ebs", "instance-store"] = "ebs"
    tags: dict[str, str] | None = None
    backup: BackupEntry = BackupEntry()
    agent: AgentEntry = AgentEntry()
    patches: list[PatchEntry] | None = None
    install_minutes: int = Field(default=12, ge=1)
    scan_minutes: int = Field(default=2, ge=1)
    happenings: list[HappeningEntry] = []


class GroupEntry(_Entry):
    """Instances that share where they are and what they are."""

    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    region: Annotated[str, AfterValidator(check_region)]
    operating_system: str = Field(description="SSM's value, such as `AMAZON_LINUX_2`.")
    platform: Literal["Linux", "Windows"] = "Linux"
    tags: dict[str, str] = {}
    patches: list[PatchEntry] = []
    instances: list[InstanceEntry]


class UnitEntry(_Entry):
    """One organizational unit."""

    id: Annotated[str, Field(pattern=r"^ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}$")]
    name: str
    parent: str = Field(default="", description="The id of the unit that it is in; empty is the root, `r-root`.")


class MemberEntry(_Entry):
    """One member account."""

    id: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    name: str
    unit: str = Field(default="", description="The id of the unit that it is in; empty is the root, `r-root`.")


class OrganizationEntry(_Entry):
    """The organization that the accounts are in. Accounts of the groups that it does not name are in its root."""

    management_account: Annotated[str, Field(pattern=r"^[0-9]{12}$")] = DEFAULT_MANAGEMENT_ACCOUNT
    units: list[UnitEntry] = []
    accounts: list[MemberEntry] = []


class WorldFile(_Entry):
    """One file of a world."""

    version: Literal[1]
    start: Annotated[datetime, BeforeValidator(_as_instant)] | None = Field(
        default=None, description="When the world begins, UTC unless it says otherwise; once in all files."
    )
    organization: OrganizationEntry | None = Field(
        default=None, description="Once in all files. Its id is the fleet file's, or that of `--organization`."
    )
    groups: list[GroupEntry] = []


@dataclass(frozen=True, slots=True)
class PlacedInstance:
    """An instance, where it is, and what befalls it; happenings carry their time since the start."""

    account: str
    region: str
    spec: InstanceSpec
    happenings: tuple[tuple[timedelta, HappeningEntry], ...] = ()

    def changes(self, start: datetime) -> Iterator[VolumeAttachment | InstanceStateChange]:
        """What befalls the instance, as the embedded AWS takes it."""
        for number, (after, happening) in enumerate(self.happenings):
            if happening.attach_volume:
                name = f"{self.spec.instance_id}/late/{number}"
                device = f"/dev/sd{_DEVICES[len(self.spec.volumes) + number]}"
                volume = VolumeSpec(_identifier("vol-", self.account, self.region, name), device)
                yield VolumeAttachment(start + after, self.spec.instance_id, volume)
            if happening.state is not None:
                yield InstanceStateChange(start + after, self.spec.instance_id, happening.state)


@dataclass(frozen=True, slots=True)
class World:
    """What a rehearsal starts from. ``start`` is None when the world does not say."""

    start: datetime | None
    groups: tuple[GroupEntry, ...]
    organization: OrganizationEntry | None = None

    @classmethod
    def of(cls, files: Iterable[WorldFile]) -> World:
        """The world that some files tell together."""
        files = tuple(files)
        starts = [file.start for file in files if file.start is not None]
        organizations = [file.organization for file in files if file.organization is not None]
        groups = tuple(group for file in files for group in file.groups)
        return cls(starts[0] if starts else None, groups, organizations[0] if organizations else None)

    def managed_by(self, account: str) -> World:
        """The same world, where that account manages the organization."""
        organization = self.organization or OrganizationEntry()
        return replace(self, organization=organization.model_copy(update={"management_account": account}))

    def to_json(self) -> dict[str, Any]:
        """The world as the content of one world file in JSON, which ``world_of`` reads."""
        file = WorldFile(version=1, start=self.start, organization=self.organization, groups=list(self.groups))
        content: dict[str, Any] = file.model_dump(mode="json", exclude_unset=True)
        return {name: value for name, value in content.items() if value is not None}

    def instances(self, start: datetime) -> Iterator[PlacedInstance]:
        """Every instance, for a run that starts at ``start``."""
        for group in self.groups:
            for entry in group.instances:
                happenings = tuple((timedelta(hours=h.after_hours), h) for h in entry.happenings)
                yield PlacedInstance(group.account, group.region, _spec(group, entry, start), happenings)


def read_world(directory: Path) -> World:
    """Read every ``*.yaml`` of a directory. Raises InputError with every problem of the files."""
    paths = sorted(directory.glob("*.yaml"))
    if not paths:
        raise InputError(f"{directory} holds no *.yaml file", remedy="give the directory of a world")
    files: list[tuple[Path, WorldFile]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            files.append((path, validate_document(parse_document(path.read_bytes(), str(path)), WorldFile)))
        except InputError as error:
            problems += error.problems
    problems += _repetitions(files)
    if problems:
        raise InputError(problems=tuple(problems))
    return World.of(file for _, file in files)


def parse_world(text: bytes, source: str) -> World:
    """The world of one file's text; ``source`` names it in problems. Raises InputError with every one of them."""
    return _one_file(parse_document(text, source))


def world_of(content: object, source: str) -> World:
    """The world of one file's content as JSON has it, where no text is left to point at. Raises InputError."""
    return _one_file(Document(source, content, {}, {(): (0, 0)}))


def _one_file(document: Document) -> World:
    file = validate_document(document, WorldFile)
    problems = tuple(_repetitions([(Path(document.source), file)]))
    if problems:
        raise InputError(problems=problems)
    return World.of([file])


def _repetitions(files: list[tuple[Path, WorldFile]]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    once: dict[str, str] = {}
    for path, file in files:
        for what, given in (("start", file.start), ("organization", file.organization)):
            if given is not None and what in once:
                yield Problem(f"the world's {what} is given in {once[what]} already", str(path))
            if given is not None:
                once.setdefault(what, str(path))
        if file.organization is not None:
            yield from (Problem(message, str(path)) for message in _misfits(file.organization))
        for group in file.groups:
            for entry in group.instances:
                identifier = _instance_id(group, entry)
                if identifier in seen:
                    place = f"{group.account}/{group.region}"
                    yield Problem(f"instance '{entry.name}' of {place} is in {seen[identifier]} already", str(path))
                seen.setdefault(identifier, str(path))


def _misfits(organization: OrganizationEntry) -> Iterator[str]:
    """What does not fit together in an organization."""
    parents = {unit.id: unit.parent for unit in organization.units}
    named = Counter([unit.id for unit in organization.units] + [account.id for account in organization.accounts])
    yield from (f"organization: '{name}' is there {count} times" for name, count in named.items() if count > 1)
    for name, unit in (*parents.items(), *((account.id, account.unit) for account in organization.accounts)):
        if unit and unit not in parents:
            yield f"organization: '{name}' is in '{unit}', which is none of its units"
    for unit in parents:
        above, depth = unit, 0
        while above in parents and depth <= DEEPEST_UNIT:
            above, depth = parents[above], depth + 1
        if depth > DEEPEST_UNIT:
            yield f"organization: '{unit}' is nested deeper than {DEEPEST_UNIT} levels, or in itself"


def _spec(group: GroupEntry, entry: InstanceEntry, start: datetime) -> InstanceSpec:
    identifier = _instance_id(group, entry)
    volumes = tuple(
        VolumeSpec(
            _identifier("vol-", group.account, group.region, f"{identifier}/{n}"),
            f"/dev/sd{_DEVICES[n]}",
            key_arn=entry.volume_key,
        )
        for n in range(entry.volumes)
    )
    patches = group.patches if entry.patches is None else entry.patches
    return InstanceSpec(
        instance_id=identifier,
        name=entry.name,
        operating_system=group.operating_system,
        platform_type=group.platform,
        tags={"Name": entry.name} | group.tags | (entry.tags or {}),
        volumes=volumes,
        state=entry.state,
        root_device=entry.root_device,
        agent=_agent(entry.agent, start),
        backup=BackupBehaviour(**entry.backup.model_dump()),
        patches=tuple(Patch(**patch.model_dump()) for patch in patches),
        scan_minutes=entry.scan_minutes,
        install_minutes=entry.install_minutes,
    )


def _agent(entry: AgentEntry, start: datetime) -> AgentBehaviour:
    def at(hours: float | None) -> datetime | None:
        return None if hours is None else start + timedelta(hours=hours)

    return AgentBehaviour(
        ping=entry.ping,
        delivery_seconds=entry.delivery_seconds,
        clock_skew_seconds=entry.clock_skew_seconds,
        offline_from=at(entry.offline_after_hours),
        online_from=at(entry.online_after_hours),
    )


def _instance_id(group: GroupEntry, entry: InstanceEntry) -> str:
    return entry.id or _identifier("i-", group.account, group.region, entry.name)


def _identifier(prefix: str, account: str, region: str, name: str) -> str:
    return prefix + hashlib.sha256(f"{account}/{region}/{name}".encode()).hexdigest()[:17]
