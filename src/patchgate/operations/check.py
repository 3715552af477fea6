"""Prove the order of lanes before anything is deployed: the schedules of each, and what they do to each other."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from patchgate.config import LaneConfig
from patchgate.domain.lane import Lane
from patchgate.domain.regions import region, regions
from patchgate.errors import InputError
from patchgate.operations.deployment import LaneSettings, settle_lanes
from patchgate.operations.parameter_values import check_parameter_values
from patchgate.plan.capacity import Capacity, LaneLoad, compute_capacity, find_crowding
from patchgate.plan.lane_parameters import derive_lane
from patchgate.plan.names import lane_tags
from patchgate.plan.order import OrderProof, prove_order
from patchgate.plan.order_rules import RULES
from patchgate.plan.order_timeline import LaneSchedules
from patchgate.schedule.months import HORIZON, LAST_YEAR

if TYPE_CHECKING:
    from patchgate.plan.derivation import DerivedCycle
    from patchgate.plan.order import Violation

_ANY_ORGANIZATION = "o-0000000000"
_ANY_ACCOUNT = "000000000000"
_FURTHER_RUNS = (
    ("backup", "such a backup is paid for"),
    ("gate", "such a gate holds, and says so only while the watchdog does not know when the next window is"),
    ("close", "such a close changes nothing"),
)

_AT_A_CHANGE = "the maintenance windows: each that a clock change skips or repeats starts at any of its possible times"


@dataclass(frozen=True, slots=True)
class LaneCheck:
    """One lane and the proof of its order. ``name`` is the lane's, or its Region's where the defaults are proved."""

    name: str
    lane: Lane
    proof: OrderProof


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that is broken, over all lanes that break it in the same way.

    ``first`` (aware UTC) and ``zone`` are those of the earliest case, of which ``detail`` speaks; ``affected`` and
    ``total`` count windows (or gates, backups, closes) of all the lanes. ``reading`` as in ``Violation``.
    ``alike``: every one of the lanes has the same share of them.
    """

    rule: str
    lanes: tuple[str, ...]
    first: datetime | None
    zone: str
    affected: int
    total: int
    detail: str
    mend: str
    reading: str = ""
    alike: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was proved of all lanes from ``start`` to ``until``; ``without_zone`` names Regions that need TimeZone."""

    start: datetime
    until: datetime
    lanes: tuple[LaneCheck, ...]
    findings: tuple[Finding, ...]
    capacities: tuple[Capacity, ...] = ()
    without_zone: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the order of every lane is proved."""
        return not self.findings

    @property
    def windows(self) -> int:
        """How many windows all lanes have in that time."""
        return sum(len(one.proof.windows) for one in self.lanes)


@dataclass(frozen=True, slots=True)
class CapacityFacts:
    """What only the operator knows: lane name -> number of instances, and estimates in minutes."""

    instances: Mapping[str, int]
    scan_minutes: int = 5
    install_minutes: int = 30


def check_defaults(
    parameters: Mapping[str, str], start: datetime, years: int, *, allow_idle: bool = False
) -> CheckResult:
    """Prove the templates' defaults, with ``parameters`` in their place, in every Region whose time zone is known.

    Raises InputError for a parameter that no template has or takes, ScheduleError for a bad expression or zone.
    """
    placed = [each for each in regions() if each.time_zone or parameters.get("TimeZone")]
    lanes = [LaneConfig(Lane(_ANY_ACCOUNT, each.name, "amazonlinux", "prd"), parameters) for each in placed]
    check_parameter_values(lanes[:1])
    settings = settle_lanes(lanes, _ANY_ORGANIZATION)
    until = add_years(start, years)
    checks = tuple(
        LaneCheck(one.lane.region, one.lane, _prove(one, start, until, allow_idle=allow_idle)) for one in settings
    )
    unplaced = tuple(each.name for each in regions() if each not in placed)
    return CheckResult(start, until, checks, tuple(_collect(checks)), without_zone=unplaced)


def check_lanes(
    lanes: Sequence[LaneConfig],
    organization_id: str,
    start: datetime,
    years: int,
    *,
    facts: CapacityFacts | None = None,
    allow_idle: bool = False,
) -> CheckResult:
    """Prove the lanes of a fleet file, each by itself and those of one account and Region together.

    Where a lane's schedules are derived from its ``patch`` statement and no single expression says its days, the
    further runs are accepted whatever ``allow_idle``, and noted. Raises InputError for a parameter that no template has
    or takes and for a lane whose Region has no known zone, ScheduleError for a bad expression or zone.
    """
    check_parameter_values(lanes)
    settings = settle_lanes(lanes, organization_id)
    until = add_years(start, years)
    checks = tuple(
        _check_lane(lane, one, start, until, allow_idle=allow_idle) for lane, one in zip(lanes, settings, strict=True)
    )
    facts = facts or CapacityFacts({})
    together = _by_place(checks, settings, facts)
    capacities = tuple(
        capacity
        for loads in together
        for capacity in compute_capacity(loads, scan_minutes=facts.scan_minutes, install_minutes=facts.install_minutes)
    )
    findings = (
        *_collect(checks),
        *_shared_targets(checks),
        *(finding for loads in together for finding in _crowded(loads, checks)),
        *_exceeded(capacities),
    )
    return CheckResult(start, until, checks, findings, capacities)


def lane_zone(settings: LaneSettings) -> str:
    """The IANA zone of a lane's schedules: its TimeZone, else its Region's; InputError when neither is known."""
    zone = settings.values["TimeZone"] or region(settings.lane.region).time_zone
    if not zone:
        raise InputError(
            f"{settings.lane.name}: the time zone of {settings.lane.region} is not published",
            remedy="give the lane the parameter TimeZone",
        )
    return zone


def add_years(start: datetime, years: int) -> datetime:
    """The same date so many years later; 29 February becomes 28 February where there is none.

    Raises InputError for an end beyond the years that AWS's schedules know: nothing could be proved of those.
    """
    year = start.year + years
    until = start.replace(year=year, day=28 if (start.month, start.day) == (2, 29) and not isleap(year) else start.day)
    if until.timestamp() > HORIZON:
        raise InputError(
            f"{years} years from {start:%Y-%m-%d} end after {LAST_YEAR}, the last year of AWS's schedules",
            remedy="begin earlier, or prove fewer years",
        )
    return until


def _check_lane(
    lane: LaneConfig, settings: LaneSettings, start: datetime, until: datetime, *, allow_idle: bool
) -> LaneCheck:
    cycle = derive_lane(lane)
    if cycle is None or not cycle.has_idle_runs or not cycle.parameters().items() <= settings.values.items():
        return LaneCheck(lane.lane.name, lane.lane, _prove(settings, start, until, allow_idle=allow_idle))
    proof = _prove(settings, start, until, allow_idle=True)
    return LaneCheck(lane.lane.name, lane.lane, replace(proof, notes=(*proof.notes, _further_runs(cycle))))


def _further_runs(cycle: DerivedCycle) -> str:
    """What a cycle with supersets does besides, of each kind that it has."""
    found = [
        (f"{derived.extra_per_year:g} {kind}s", said)
        for derived, (kind, said) in zip((cycle.backup, cycle.gate, cycle.close), _FURTHER_RUNS, strict=True)
        if derived.extra_per_year
    ]
    counts = [count for count, _ in found]
    counted = " and ".join([", ".join(counts[:-1]), counts[-1]] if counts[1:] else counts)
    return (
        f"no single expression says the days of the patch statement: {counted} a year belong to no window; "
        + ", ".join(said for _, said in found)
    )


def _prove(settings: LaneSettings, start: datetime, until: datetime, *, allow_idle: bool) -> OrderProof:
    schedules = LaneSchedules.from_parameters(settings.values, lane_zone(settings))
    return prove_order(schedules, start, until, allow_idle=allow_idle)


def _collect(checks: Sequence[LaneCheck]) -> Iterable[Finding]:
    """The violations of all lanes by rule, mend and reading."""
    groups: dict[tuple[str, str], list[tuple[LaneCheck, Violation]]] = {}
    for check in checks:
        for violation in check.proof.violations:
            groups.setdefault((violation.rule, violation.reading), []).append((check, violation))
    order = list(RULES)
    for (rule, reading), members in sorted(groups.items(), key=lambda group: order.index(group[0][0])):
        check, earliest = min(members, key=lambda member: member[1].first or member[0].proof.start)
        yield Finding(
            rule,
            tuple(one.name for one, _ in members),
            earliest.first,
            check.proof.schedules.zone,
            sum(one.affected for _, one in members),
            sum(one.total for _, one in members),
            earliest.detail,
            max((one for _, one in members), key=lambda one: one.shortfall).mend,
            reading,
            alike=len({(one.affected, one.total) for _, one in members}) == 1,
        )


def _by_place(
    checks: Sequence[LaneCheck], settings: Sequence[LaneSettings], facts: CapacityFacts
) -> list[list[LaneLoad]]:
    """The loads of every account and Region."""
    places: dict[tuple[str, str], list[LaneLoad]] = {}
    for check, one in zip(checks, settings, strict=True):
        schedules = check.proof.schedules
        load = LaneLoad(
            check.name,
            check.proof.spans,
            schedules.duration_hours,
            schedules.cutoff_hours,
            one.values["InstallMaxConcurrency"],
            facts.instances.get(check.name),
        )
        places.setdefault((check.lane.account, check.lane.region), []).append(load)
    return list(places.values())


def _likeliest(load: LaneLoad, windows: Mapping[str, frozenset[int]]) -> LaneLoad:
    """The load with the windows of AWS's documented or likeliest reading alone; ``windows``: lane -> their starts.

    A lane without is certain. Of two that start together the shorter one: a clock change repeats the longer one.
    """
    if load.name not in windows:
        return load
    plain = {begin: (begin, end) for begin, end in reversed(load.spans) if begin in windows[load.name]}
    return replace(load, spans=tuple(plain[begin] for begin in sorted(plain)))


def _shared_targets(checks: Sequence[LaneCheck]) -> Iterable[Finding]:
    targets: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[LaneCheck]] = {}
    for check in checks:
        tags = tuple(sorted(lane_tags(check.lane.os, check.lane.env).items()))
        targets.setdefault((check.lane.account, check.lane.region, tags), []).append(check)
    rule = RULES["targets-shared"]
    for (_, _, shared), sharing in targets.items():
        if len(sharing) > 1:
            names = tuple(check.name for check in sharing)
            yield Finding(
                rule.code, names, None, "", len(names), len(checks), f"the tags are {dict(shared)}", rule.mend
            )


def _crowded(loads: Sequence[LaneLoad], checks: Sequence[LaneCheck]) -> Iterable[Finding]:
    crowding = find_crowding(loads)
    if crowding is None:
        return
    rule = RULES["too-many-windows"]
    delays = ", ".join(f"{name} by {hours} h" for name, hours in crowding.delays)
    detail = f"{crowding.most} windows run at once, AWS allows 5"
    first = datetime.fromtimestamp(crowding.first, UTC)
    names = {load.name for load in loads}
    uncertain = [one for one in checks if one.name in names and one.proof.readings > 1]
    windows = {one.name: frozenset(one.proof.windows) for one in uncertain}
    likeliest = not uncertain or find_crowding([_likeliest(load, windows) for load in loads])
    yield Finding(
        rule.code,
        crowding.lanes,
        first,
        "UTC",
        len(crowding.lanes),
        len(loads),
        detail,
        f"start later: {delays}",
        reading="" if likeliest else _AT_A_CHANGE,
    )


def _exceeded(capacities: Sequence[Capacity]) -> Iterable[Finding]:
    rule = RULES["capacity-exceeded"]
    for capacity in capacities:
        if not capacity.left_over:
            continue
        shared = f", the 100 automations shared with {', '.join(capacity.shared_with)}" if capacity.shared_with else ""
        detail = (
            f"{capacity.instances} instances, {capacity.at_once} at once{shared}: {capacity.capacity} can start, "
            f"{capacity.left_over} are left for a later window"
        )
        yield Finding(rule.code, (capacity.lane,), None, "", capacity.left_over, capacity.instances, detail, rule.mend)
