"""The schedule engine beside croniter, cronsim and APScheduler, and how long the proof of order takes.

Every library computes the next 1,000 occurrences of the same eight schedules in a zone with daylight saving, as aware
datetimes. *Cold* is a new object each time, parsed anew, with nothing remembered of it; *warm* the same object again:
this engine remembers the instants as integers and makes the datetimes anew, the other libraries remember nothing that
makes a difference. croniter is given its fastest configuration (``zoneinfo``; ``dateutil`` and ``float`` are not
faster). All are measured in turn in one run, in processor time, and the best of some rounds compared, so that others'
load counts little.
Run: ``make bench-schedule``. Exits with 1 when a goal is missed: each schedule by itself is held against it.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
from cronsim import CronSim

from patchgate.config import LaneConfig
from patchgate.domain.environments import ENVIRONMENTS
from patchgate.domain.lane import Lane
from patchgate.domain.regions import regions
from patchgate.operations.check import CheckResult, check_lanes
from patchgate.plan.order import prove_order
from patchgate.schedule import Schedule, parse
from patchgate.schedule.cron import CronSchedule, _month_numbers, _shape_days
from patchgate.schedule.grammar import _parse
from patchgate.schedule.zones import load_zone

ZONE = "America/New_York"
START = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = 1000
ROUNDS = 7
LEAST_SECONDS = 0.05
GOALS = {"croniter": 100, "cronsim": 50}
PROOF_SECONDS = 2.0

# AWS's expression, and the same in the grammar of croniter and cronsim (None: they cannot say it), and for APScheduler.
SCHEDULES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("cron(0/15 * * * ? *)", "*/15 * * * *", {"minute": "*/15"}),
    ("cron(0 5 ? * * *)", "0 5 * * *", {"hour": "5", "minute": "0"}),
    ("cron(30 2 * * ? *)", "30 2 * * *", {"hour": "2", "minute": "30"}),
    ("cron(0 23 ? * SAT *)", "0 23 * * 6", {"day_of_week": "sat", "hour": "23", "minute": "0"}),
    ("cron(0 18 ? * MON-FRI *)", "0 18 * * 1-5", {"day_of_week": "mon-fri", "hour": "18", "minute": "0"}),
    ("cron(0 23 ? * TUE#2 *)", "0 23 * * 2#2", {"day": "2nd tue", "hour": "23", "minute": "0"}),
    ("cron(0 2 L * ? *)", "0 2 L * *", {"day": "last", "hour": "2", "minute": "0"}),
    ("cron(0 22 27 1,4,7,10 ? *)", "0 22 27 1,4,7,10 *", {"month": "1,4,7,10", "day": "27", "hour": "22"}),
)  # fmt: skip

Occurrences = Iterator[object]


def this_engine(schedule: Schedule) -> Occurrences:
    """Occurrences as aware datetimes, as the others give them."""
    return schedule.occurrences(ZONE, START)


def this_engine_epochs(schedule: Schedule) -> Occurrences:
    """Occurrences as integers, as proofs use them."""
    return schedule.occurrences_epoch(ZONE, int(START.timestamp()))


def by_croniter(expression: str) -> Occurrences:
    """croniter, with aware datetimes."""
    return iter(croniter(expression, START.astimezone(ZoneInfo(ZONE)), ret_type=datetime))


def by_cronsim(expression: str) -> Occurrences:
    """cronsim, with aware datetimes."""
    return iter(CronSim(expression, START.astimezone(ZoneInfo(ZONE))))


def by_apscheduler(fields: dict[str, str]) -> Occurrences:
    """APScheduler's trigger, asked again and again."""
    trigger = CronTrigger(timezone=ZoneInfo(ZONE), **fields)
    now = START
    while True:
        now = trigger.get_next_fire_time(now, now)
        yield now


def fresh(expression: str) -> Schedule:
    """The schedule parsed anew, without anything that is remembered."""
    forget()
    return parse(expression, "ssm")


def forget() -> None:
    """Drop every schedule that was parsed, and what is remembered of its days."""
    for remembered in (_parse, _month_numbers, _shape_days):
        remembered.cache_clear()


def drain(occurrences: Occurrences, count: int) -> int:
    """Take so many; how many there were (quarterly schedules end with AWS's years)."""
    return sum(1 for _ in islice(occurrences, count))


def measure(run: Callable[[], int]) -> float:
    """Microseconds of processor time an occurrence; short runs are repeated, so that all are measured alike."""
    began = time.process_time()
    count = run()
    while (spent := time.process_time() - began) < LEAST_SECONDS:
        count += run()
    return spent / count * 1e6


def compare(aws: str, cron: str, fields: dict[str, str]) -> dict[str, float]:
    """contestant -> microseconds an occurrence in its best round, for one schedule."""
    warm = fresh(aws)
    count = drain(this_engine(warm), COUNT)
    contestants: dict[str, Callable[[], int]] = {
        "cold": lambda: drain(this_engine(fresh(aws)), count),
        "warm": lambda: drain(this_engine(warm), count),
        "epochs": lambda: drain(this_engine_epochs(warm), count),
        "croniter": lambda: drain(by_croniter(cron), count),
        "cronsim": lambda: drain(by_cronsim(cron), count),
        "apscheduler": lambda: drain(by_apscheduler(fields), count),
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, run in contestants.items():
            times[name].append(measure(run))
    return {name: min(values) for name, values in times.items()}


def check_agreement(aws: str, cron: str) -> str:
    """Which library gives other instants than this engine: croniter and cronsim treat clock changes otherwise."""
    ours = list(islice(this_engine(parse(aws, "ssm")), COUNT))
    theirs = {"croniter": by_croniter(cron), "cronsim": by_cronsim(cron)}
    differing = []
    for name, occurrences in theirs.items():
        others = list(islice(occurrences, len(ours)))
        instants = [one.astimezone(UTC) for one in others if isinstance(one, datetime)]
        if instants != ours:
            differing.append(name)
    return ", ".join(differing)


def print_engine() -> dict[str, float]:
    """The table of all schedules, with the ratios to the cold and the warm engine; library -> its least warm ratio."""
    load_zone(ZONE)
    names = ("croniter", "cronsim", "apscheduler")
    ratios: dict[str, dict[str, list[float]]] = {state: {name: [] for name in names} for state in ("cold", "warm")}
    print(f"The next {COUNT:,} occurrences in {ZONE}, microseconds each, best of {ROUNDS} rounds; in brackets: times")
    print("slower than this engine, cold and warm; other: libraries that compute other instants, at clock changes")
    print(
        f"  {'':<27} {'cold':>6} {'warm':>6} {'epochs':>6} {'croniter':>21} {'cronsim':>21} {'APScheduler':>21}  other"
    )
    for aws, cron, fields in SCHEDULES:
        found = compare(aws, cron, fields)
        cells = []
        for name in names:
            for state, values in ratios.items():
                values[name].append(found[name] / found[state])
            cells.append(f"{found[name]:7.1f} ({ratios['cold'][name][-1]:.0f}x, {ratios['warm'][name][-1]:.0f}x)")
        ours = f"{found['cold']:6.2f} {found['warm']:6.2f} {found['epochs']:6.2f}"
        print(f"  {aws:<27} {ours} {' '.join(f'{cell:>21}' for cell in cells)}  {check_agreement(aws, cron)}")
    for state, values in ratios.items():
        cells = [
            f"{name} {min(found):.0f}x to {max(found):.0f}x, mean {statistics.geometric_mean(found):.0f}x"
            for name, found in values.items()
        ]
        print(f"  {state}: " + "; ".join(cells))
    return {name: min(found) for name, found in ratios["warm"].items()}


def prove_everything(*, distinct: bool) -> CheckResult:
    """The 10-year proof of 7 environments x 3 operating systems x every Region, from nothing.

    ``distinct``: no two lanes have the same schedules; else all have the shipped ones.
    """
    prove_order.cache_clear()
    forget()
    places = [
        Lane("111111111111", region.name, system, environment, "payments")
        for region in regions()
        if region.time_zone
        for system in ("amazonlinux", "ubuntu", "windows")
        for environment in ENVIRONMENTS
    ]
    lanes = [LaneConfig(lane, shifted_schedules(number) if distinct else {}) for number, lane in enumerate(places)]
    return check_lanes(lanes, "o-a1b2c3d4e5", START, 10)


def shifted_schedules(minutes: int) -> dict[str, str]:
    """Template parameters of a weekly cycle, so many minutes later than one whose backup is on Saturdays at 05:00."""

    def cron(hour: int, minute: int) -> str:
        days, rest = divmod(60 * hour + minute + minutes, 24 * 60)
        return f"cron({rest % 60} {rest // 60} ? * {(6 + days) % 7 + 1} *)"

    return {
        "BackupSchedule": cron(5, 0),
        "CheckBackUpJobAndEnableMaintenanceWindow": cron(8, 30),
        "MaintenanceWindowCronSchedule": cron(9, 0),
        "DisableMaintenanceWindow": cron(14, 10),
    }


def print_proof() -> float:
    """How long the proof takes, of the shipped schedules and where no two lanes are alike: the first's seconds.

    Lanes of equal schedules and zones share one proof: the shipped ones need one a zone, the others one a lane.
    """
    seconds = {}
    for title, distinct in (("the shipped schedules", False), ("every lane a minute later than another", True)):
        began = time.process_time()
        result = prove_everything(distinct=distinct)
        seconds[distinct] = time.process_time() - began
        proofs = len({one.proof.schedules for one in result.lanes})
        goal = "no goal" if distinct else f"goal: under {PROOF_SECONDS:.0f} s"
        print(
            f"Proof of order, 10 years, {len(result.lanes):,} lanes, {title}: {proofs} different proofs, "
            f"{result.windows:,} windows: {seconds[distinct]:.2f} s ({goal})"
        )
    return seconds[False]


def main() -> int:
    """Print both; the exit code is 1 when a goal is missed."""
    if not isinstance(parse("cron(0 5 ? * * *)", "ssm"), CronSchedule):
        return 1
    seconds = print_proof()
    least = print_engine()
    missed = [f"{name}: {least[name]:.0f}x, goal {goal}x" for name, goal in GOALS.items() if least[name] < goal]
    if seconds > PROOF_SECONDS:
        missed.append("the proof of order")
    print(f"missed: {'; '.join(missed)}" if missed else "every goal is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
