"""The catalogue of faults: for each F-number that a simulation can produce, what a run's seed makes of it.

A fault is drawn for one cycle of one lane, as one or more injections. Numbers that no simulated run can produce are in
``ELSEWHERE``, with what covers them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from patchgate.rehearsal.campaign.adversary import CALL, CAPACITY, DELIVERY
from patchgate.rehearsal.campaign.plan import Injection, Value

if TYPE_CHECKING:
    from datetime import datetime

    from patchgate.rehearsal.campaign.terrain import Cycle, Terrain

HOUR = 3600
CLOCK_ERROR_SECONDS = 299
"""Requests that are signed more than five minutes off are refused, so that a node whose clock is worse has no agent:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html"""


@dataclass(frozen=True, slots=True)
class Draw:
    """What a fault is drawn from: the run's coins, where it happens, and in which cycle."""

    coins: random.Random
    terrain: Terrain
    cycle: Cycle
    fault: str

    def inject(self, act: str, begins: int, ends: int | None = None, **given: Value) -> Injection:
        """An injection of this fault."""
        return Injection(self.fault, act, max(0, begins), ends, given)

    def at(self, when: datetime, low: int = 0, high: int = 0) -> int:
        """An instant in seconds since the run's start, up to so many seconds around it."""
        return self.terrain.seconds(when) + (self.coins.randint(low, high) if high > low else low)

    def before_backup(self) -> int:
        """Some minutes before the cycle's backup."""
        return self.at(self.cycle.backup, -3000, -60)

    def moment(self) -> int:
        """Any moment of the cycle; most often near something that is decided then."""
        cycle = self.cycle
        kind = self.coins.random()
        if kind < 0.25:
            return self.at(cycle.start, -5, 90)
        if kind < 0.45:
            return self.at(cycle.gate, -10, 120)
        if kind < 0.55:
            return self.at(cycle.close, -10, 60)
        if kind < 0.65:
            return self.at(cycle.start, 60, 3 * HOUR)
        if kind < 0.75:
            return self.at(cycle.end, -4000, 300)
        return self.coins.randint(self.at(cycle.backup, -600), self.at(cycle.close, 600))

    def someone(self) -> int:
        """One of the lane's machines."""
        return self.coins.randrange(len(self.terrain.instances))

    def some(self) -> list[int]:
        """One or more of the lane's machines."""
        everyone = range(len(self.terrain.instances))
        return self.coins.sample(everyone, self.coins.choice((1, 1, 1, 2, len(everyone))))

    def until_close(self) -> int:
        """When this cycle is over."""
        return self.at(self.cycle.close, 1800)


Drawing = Callable[[Draw], Iterator[Injection]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the catalogue. ``everyday`` faults are in the mix ``default``, the more often the higher.

    What ``lasts`` goes on in the calm, unless it ends by itself: it must keep nobody from being patched.
    """

    number: str
    says: str
    draw: Drawing = field(repr=False)
    everyday: int = 0
    lasts: bool = False


FAULTS: dict[str, Fault] = {}


def fault(number: str, says: str, everyday: int = 0, *, lasts: bool = False) -> Callable[[Drawing], Drawing]:
    """Puts a drawing into the catalogue."""

    def enter(drawing: Drawing) -> Drawing:
        if number in FAULTS:
            raise ValueError(f"{number} is in the catalogue already")
        FAULTS[number] = Fault(number, says, drawing, everyday, lasts)
        return drawing

    return enter


ELSEWHERE = {
    "F11": "a DST shift inside of the look-back: the standard lanes `autumn` and `spring`",
    "F12": "schedules in a DST gap or overlap: the standard lanes `autumn` and `spring`, and `patchgate check`",
    "F25": "schedules that do not meet: the standard lane `unmet`, and `patchgate check`",
    "F37": "reboots that are left out: the standard lane `counting`",
    "F48": "Regions, partitions and names: every name in every Region is checked when templates are built",
    "F49": "the operator's credentials: nothing of a run rests on them",
    "F54": "there is no override",
    "F59": "forged evidence: `make permissions` shows who may write it",
}
"""Numbers that no run of a campaign injects, and what covers them."""


# Backups


@fault("F01", "backups still run when the gate decides", everyday=4)
def _late_backup(draw: Draw) -> Iterator[Injection]:
    minutes = draw.coins.choice((90, 170, 205, 211, 230, 300, 500))
    for instance in draw.some():
        if draw.coins.random() < 0.5:
            yield draw.inject("backup", draw.before_backup(), draw.until_close(), instance=instance, minutes=minutes)
        else:
            late, long = draw.at(draw.cycle.gate, -1500, -60), draw.coins.choice((25, 40, 100))
            yield draw.inject("backup", late - 60, draw.until_close(), instance=instance, minutes=long)
            yield draw.inject("back-up-now", late, instance=instance)


@fault("F02", "backup jobs fail, are aborted or expire", everyday=6)
def _failed_backup(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        outcome = draw.coins.choice(("FAILED", "ABORTED", "EXPIRED"))
        yield draw.inject("backup", draw.before_backup(), draw.until_close(), instance=instance, outcome=outcome)


@fault("F03", "a backup job ends PARTIAL")
def _partial_backup(draw: Draw) -> Iterator[Injection]:
    given: dict[str, Value] = {"instance": draw.someone(), "outcome": "PARTIAL"}
    yield draw.inject("backup", draw.before_backup(), draw.until_close(), **given)


@fault("F04", "a backup completes with issues", everyday=2)
def _backup_with_issues(draw: Draw) -> Iterator[Injection]:
    category = draw.coins.choice(("VSS_ERROR", "FAILURE", "NONE", ""))
    for instance in draw.some():
        yield draw.inject("backup", draw.before_backup(), draw.until_close(), instance=instance, category=category)


@fault("F05", "a failed backup is repeated on demand and completes, or a completed one fails", everyday=1)
def _repeated_backup(draw: Draw) -> Iterator[Injection]:
    instance, first = draw.someone(), draw.before_backup()
    fails_first = draw.coins.random() < 0.7
    again = draw.at(draw.cycle.backup, 2400, 12_000)
    bad: dict[str, Value] = {"instance": instance, "outcome": draw.coins.choice(("FAILED", "ABORTED"))}
    if fails_first:
        yield draw.inject("backup", first, again - 60, **bad)
    else:
        yield draw.inject("backup", again - 60, again + 2 * HOUR, **bad)
    yield draw.inject("back-up-now", again, instance=instance, elsewhere=draw.coins.random() < 0.3)


@fault("F06", "no backup job at all", everyday=1)
def _no_backup_at_all(draw: Draw) -> Iterator[Injection]:
    first = draw.before_backup()
    for instance in range(len(draw.terrain.instances)):
        yield draw.inject("backup", first, draw.until_close(), instance=instance, outcome="NONE")


@fault("F07", "another resource's job is in the vault")
def _foreign_job(draw: Draw) -> Iterator[Injection]:
    missing = draw.someone()
    yield draw.inject("backup", draw.before_backup(), draw.until_close(), instance=missing, outcome="NONE")
    for _ in range(draw.coins.randint(1, 3)):
        yield draw.inject("back-up-now", draw.at(draw.cycle.backup, -600, 9000), instance=-1)


@fault("F08", "a machine without a backup job: not selected, or launched later", everyday=3)
def _no_job(draw: Draw) -> Iterator[Injection]:
    if draw.coins.random() < 0.5:
        for instance in draw.some():
            yield draw.inject("backup", draw.before_backup(), draw.until_close(), instance=instance, outcome="NONE")
    else:
        yield draw.inject("launch", draw.moment())


@fault("F09", "a failed job of the day before stands beside today's")
def _old_failure(draw: Draw) -> Iterator[Injection]:
    instance = draw.someone()
    earlier = draw.at(draw.cycle.backup, -12 * HOUR, -HOUR)
    bad: dict[str, Value] = {"instance": instance, "outcome": draw.coins.choice(("FAILED", "ABORTED", "EXPIRED"))}
    yield draw.inject("backup", earlier - 10, earlier + 50 * 60, **bad)
    yield draw.inject("back-up-now", earlier, instance=instance)


@fault("F10", "a job is created on the edge of the look-back")
def _edge_job(draw: Draw) -> Iterator[Injection]:
    instance, hours = draw.someone(), draw.coins.choice((3, 12))
    edge = draw.at(draw.cycle.gate, -hours * HOUR - 90, -hours * HOUR + 90)
    yield draw.inject("backup", draw.before_backup(), draw.until_close(), instance=instance, outcome="NONE")
    yield draw.inject("backup", edge - 30, draw.until_close(), instance=instance)
    yield draw.inject("back-up-now", edge, instance=instance)


@fault("F13", "the newest recovery point is too old")
def _old_point(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        yield draw.inject("backup", draw.before_backup(), draw.until_close(), instance=instance, outcome="NONE")
        if draw.coins.random() < 0.5:
            age = draw.coins.choice((240, 300, 700, 719, 721, 740))
            early = draw.at(draw.cycle.start, -age * 60, -age * 60 + 600)
            yield draw.inject("backup", early - 30, early + HOUR, instance=instance)
            yield draw.inject("back-up-now", early, instance=instance)
            if draw.coins.random() < 0.3:
                yield draw.inject("back-up-now", draw.at(draw.cycle.backup, 0, HOUR), instance=instance, part=True)


@fault("F14", "recovery points are deleted before the patch", everyday=2)
def _deleted_point(draw: Draw) -> Iterator[Injection]:
    newest = draw.coins.random() < 0.7
    for instance in draw.some():
        yield draw.inject("delete-recovery-points", draw.moment(), instance=instance, newest=newest)


@fault("F15", "the backup role may not use the key")
def _key_denied(draw: Draw) -> Iterator[Injection]:
    message = "The ciphertext refers to a customer master key that does not exist or you are not allowed to access."
    given: dict[str, Value] = {"outcome": "FAILED", "message": message}
    for instance in draw.some():
        yield draw.inject("backup", draw.before_backup(), draw.until_close(), instance=instance, **given)


@fault("F16", "a volume is attached or swapped after the backup", everyday=3)
def _late_volume(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        yield draw.inject("attach", draw.moment(), instance=instance, swap=draw.coins.random() < 0.4)


@fault("F17", "a machine and its volumes are both backed up")
def _both_backed_up(draw: Draw) -> Iterator[Injection]:
    instance = draw.someone()
    if draw.coins.random() < 0.5:
        outcome = draw.coins.choice(("FAILED", "NONE"))
        yield draw.inject(
            "backup", draw.before_backup(), draw.at(draw.cycle.backup, 7200), instance=instance, outcome=outcome
        )
    yield draw.inject("back-up-now", draw.at(draw.cycle.backup, 7300, 11_000), instance=instance, volumes=True)


@fault("F46", "every backup is refused: the vault's lock keeps longer than the rule")
def _vault_lock(draw: Draw) -> Iterator[Injection]:
    message = "Retention settings don't conform to the backup vault's lock configuration."
    first = draw.before_backup()
    for instance in range(len(draw.terrain.instances)):
        given: dict[str, Value] = {"instance": instance, "outcome": "FAILED", "message": message}
        yield draw.inject("backup", first, draw.until_close(), **given)


@fault("F58", "the completion window cancels the same backup every time")
def _never_finishes(draw: Draw) -> Iterator[Injection]:
    instance = draw.someone()
    yield draw.inject("backup", draw.before_backup(), None, instance=instance, minutes=1000)


# Machines


@fault("F18", "a tag is missing, in the wrong case, or has a space")
def _wrong_tag(draw: Draw) -> Iterator[Injection]:
    key = draw.coins.choice(tuple(draw.terrain.tags))
    right = draw.terrain.tags[key]
    value = draw.coins.choice(("", right.upper(), f" {right}", f"{right} "))
    for instance in draw.some():
        ends = draw.moment() if draw.coins.random() < 0.5 else None
        yield draw.inject("tag", draw.moment(), ends, instance=instance, key=key, value=value)


@fault("F39", "a machine is stopped or terminated", everyday=3)
def _stopped(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        wanted = draw.coins.choice(("stopped", "stopped", "terminated"))
        begins = draw.moment()
        ends = begins + draw.coins.randint(60, 3 * HOUR) if draw.coins.random() < 0.7 else None
        yield draw.inject("state", begins, ends, instance=instance, state=wanted)


@fault("F43", "Auto Scaling replaces a machine", everyday=2)
def _replaced(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("launch", draw.moment(), instance=draw.someone())


@fault("F52", "names and tags hold markup, quotes, control characters", lasts=True)
def _hostile_tag(draw: Draw) -> Iterator[Injection]:
    texts = ("<script>alert(1)</script>", "=cmd|' /C calc'!A0", '","verdict":"open"', "{{ssm:secret}}", "a\x1b[2J\r\nb")
    for instance in draw.some():
        yield draw.inject("tag", draw.moment(), None, instance=instance, key="Name", value=draw.coins.choice(texts))


# Agents and patches


@fault("F33", "installs run into the cutoff")
def _slow_install(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        minutes = draw.coins.choice((45, 100, 119, 130, 200))
        yield draw.inject("pace", draw.before_backup(), draw.until_close(), instance=instance, minutes=minutes)


@fault("F34", "an install fails: the others go on, within the error budget", everyday=2)
def _one_error(draw: Draw) -> Iterator[Injection]:
    given: dict[str, Value] = {"instance": draw.someone(), "failing": 2, "reason": "dependency problems"}
    yield draw.inject("patches", draw.before_backup(), draw.until_close(), **given)


@fault("F35", "scans and installs are cancelled by hand")
def _cancelled_commands(draw: Draw) -> Iterator[Injection]:
    for _ in range(draw.coins.randint(1, 3)):
        yield draw.inject("cancel-commands", draw.at(draw.cycle.start, 1, 2 * HOUR))


@fault("F36", "the patch group has no baseline")
def _no_baseline(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("deregister-patch-group", draw.moment())


@fault("F38", "agents are silent or old", everyday=4)
def _silent_agent(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        begins = draw.moment()
        if draw.coins.random() < 0.2:
            yield draw.inject(
                "agent", begins, None, instance=instance, version=draw.coins.choice(("2.3.50.0", "3.0.501.0"))
            )
        else:
            ends = begins + draw.coins.choice((5, 60, 600, HOUR, 5 * HOUR))
            yield draw.inject("agent", begins, ends, instance=instance, silent=True)


@fault("F40", "a patch leaves the machine impaired", everyday=1)
def _impaired(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("impair", draw.at(draw.cycle.start, 60, 2 * HOUR), None, instance=draw.someone())


@fault("F41", "a machine is patched by half", everyday=1)
def _half_patched(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        given: dict[str, Value] = {"instance": instance, "failing": 1, "reason": "unmet dependencies"}
        yield draw.inject("patches", draw.before_backup(), draw.until_close(), **given)


@fault("F42", "the disk is full", everyday=1)
def _full_disk(draw: Draw) -> Iterator[Injection]:
    given: dict[str, Value] = {"instance": draw.someone(), "failing": 2, "reason": "No space left on device"}
    yield draw.inject("patches", draw.before_backup(), draw.until_close(), **given)


@fault("F55", "an agent is lost between proof and install, and comes back after the close", everyday=1)
def _lost_agent(draw: Draw) -> Iterator[Injection]:
    begins = draw.at(draw.cycle.start, 1, 40)
    ends = draw.coins.choice(
        (begins + draw.coins.randint(30, 400), draw.at(draw.cycle.end, -3700, 600), draw.until_close())
    )
    for instance in draw.some():
        yield draw.inject("agent", begins, ends, instance=instance, silent=True)


@fault("F56", "deliveries are slow and machines take turns, up to the cutoff and past it")
def _slow_delivery(draw: Draw) -> Iterator[Injection]:
    for instance in range(len(draw.terrain.instances)):
        seconds = draw.coins.choice((30, 59, 60, 61, 119, 121, 600))
        yield draw.inject("agent", draw.before_backup(), draw.until_close(), instance=instance, delivery=seconds)
        if draw.coins.random() < 0.5:
            yield draw.inject("pace", draw.before_backup(), draw.until_close(), instance=instance, minutes=40)


@fault("F57", "there is more to patch than the window holds")
def _capacity(draw: Draw) -> Iterator[Injection]:
    for instance in range(len(draw.terrain.instances)):
        yield draw.inject("pace", draw.before_backup(), draw.until_close(), instance=instance, minutes=75)


# Windows, stacks, operators


@fault("F19", "a second window runs the lane's install on the lane's machines")
def _twin_window(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("twin-window", draw.moment(), None, minutes=draw.coins.choice((1, 10, 60, 180)))


@fault("F20", "the window is renamed")
def _renamed_window(draw: Draw) -> Iterator[Injection]:
    ends = draw.moment() if draw.coins.random() < 0.5 else None
    yield draw.inject("rename-window", draw.moment(), ends, name="somebody-renamed-it")


@fault("F21", "the window, or the lease, is beyond the first page of all windows or parameters", lasts=True)
def _beyond_the_first_page(draw: Draw) -> Iterator[Injection]:
    if draw.coins.random() < 0.5:
        yield draw.inject("further-windows", draw.moment(), None, count=12, same_name=False)
    else:
        yield draw.inject("further-parameters", draw.moment(), None, count=12)


@fault("F22", "two windows have the same name")
def _same_name(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("further-windows", draw.moment(), None, count=1, same_name=True)


@fault("F23", "the window is enabled by hand at any moment", everyday=1)
def _enabled_by_hand(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("window", draw.moment(), enabled=True)


@fault("F24", "a stack is updated at any moment", everyday=2)
def _stack_update(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("update-stack", draw.moment(), stack=draw.coins.choice((0, 0, 0, 1)))


@fault("F32", "the window is disabled, or its execution cancelled, while it runs", everyday=1)
def _disabled_midway(draw: Draw) -> Iterator[Injection]:
    when = draw.at(draw.cycle.start, 1, 2 * HOUR)
    if draw.coins.random() < 0.5:
        yield draw.inject("window", when, enabled=False)
    else:
        yield draw.inject("cancel-executions", when)


@fault("F50", "the window is there and its gate is not")
def _no_gate(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("delete-stack", draw.moment(), None, stack=1)


@fault("F51", "two stack updates at once, while functions run")
def _two_updates(draw: Draw) -> Iterator[Injection]:
    when = draw.moment()
    yield draw.inject("update-stack", when, stack=0)
    yield draw.inject("update-stack", when + draw.coins.choice((0, 1, 30)), stack=draw.coins.choice((0, 1)))


@fault("F53", "a freeze is put, and lifted, at any moment", everyday=2)
def _freeze(draw: Draw) -> Iterator[Injection]:
    begins = draw.moment()
    ends = begins + draw.coins.choice((30, 600, 5 * HOUR)) if draw.coins.random() < 0.7 else None
    if draw.terrain.calendar and draw.coins.random() < 0.6:
        minutes = draw.coins.choice((1, 30, 300))
        yield draw.inject("close-calendar", begins, ends, minutes=minutes)
    else:
        yield draw.inject("freeze", begins, ends, which=draw.coins.randrange(2))


@fault("F60", "somebody patches a machine by hand")
def _patch_now(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("patch-now", draw.moment(), instance=draw.someone())


# Schedules, functions, calls


@fault("F26", "a close comes while the window opens")
def _early_close(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("invoke", draw.at(draw.cycle.start, -90, 90), program="close")


@fault("F27", "a gate, a close or a watchdog is late, or never comes", everyday=3)
def _late_or_missing(draw: Draw) -> Iterator[Injection]:
    label = draw.coins.choice(("open", "open", "close", "watchdog"))
    late = draw.coins.choice((60, 600, 1790, 1799, 1801, 1860, 2 * HOUR, 6 * HOUR, 20 * HOUR))
    delays: tuple[int, ...] = () if draw.coins.random() < 0.4 else (late,)
    span = (draw.at(draw.cycle.gate, -HOUR), draw.at(draw.cycle.close, 12 * HOUR))
    yield draw.inject(DELIVERY, *span, schedule=label, delays=delays)


@fault("F28", "a gate or a close is invoked twice, at once or much later", everyday=3)
def _duplicates(draw: Draw) -> Iterator[Injection]:
    label = draw.coins.choice(("open", "open", "close", "watchdog"))
    later = draw.coins.choice((0, 0, 1, 2, 30, 1800, 2 * HOUR, 10 * HOUR))
    span = (draw.at(draw.cycle.gate, -HOUR), draw.at(draw.cycle.close, 12 * HOUR))
    yield draw.inject(DELIVERY, *span, schedule=label, delays=(0, later))


CALLS = {"open": (10, 4), "close": (7, 3), "prove": (13, 1)}
"""program -> (reads, writes) that one invocation makes, about."""


def _calls(draw: Draw, which: str, effects: tuple[str, ...], times: tuple[int, ...]) -> Iterator[Injection]:
    program = draw.coins.choice(("open", "open", "close", "prove", "prove"))
    reads, writes = CALLS[program]
    calls = {"read": reads, "write": writes, "any": reads + writes}.get(which, 1)
    span = (draw.at(draw.cycle.gate, -HOUR), draw.until_close())
    yield draw.inject(
        CALL,
        *span,
        program=program,
        which=which,
        nth=draw.coins.randrange(calls),
        effect=draw.coins.choice(effects),
        times=draw.coins.choice(times),
        seconds=draw.coins.choice((1, 30, 100, 130, 250)),
    )


@fault("F29", "reads are throttled, fail, or hang", everyday=4)
def _bad_reads(draw: Draw) -> Iterator[Injection]:
    yield from _calls(draw, "read", ("throttle", "throttle", "fail", "hang", "slow"), (1, 3, 9, 40, 1000))


@fault("F30", "writes are throttled, fail, or take effect without an answer", everyday=4)
def _bad_writes(draw: Draw) -> Iterator[Injection]:
    effects = ("throttle", "fail", "lose-after", "lose-after", "hang-after", "slow-after", "slow")
    yield from _calls(draw, "write", effects, (1, 3, 9, 40, 1000))


@fault("F31", "the close fails, or Lambda has no capacity", everyday=2)
def _failing_close(draw: Draw) -> Iterator[Injection]:
    span = (draw.at(draw.cycle.close, -60), draw.at(draw.cycle.close, 3 * HOUR))
    if draw.coins.random() < 0.5:
        yield draw.inject(CAPACITY, *span, program=draw.coins.choice(("close", "open")))
    else:
        yield draw.inject(
            CALL, *span, program="close", which="any", nth=draw.coins.randrange(10), effect="fail", times=1000
        )


@fault("F44", "the log bucket denies the write", everyday=1)
def _bucket_denies(draw: Draw) -> Iterator[Injection]:
    begins = draw.moment()
    ends = begins + draw.coins.choice((60, HOUR)) if draw.coins.random() < 0.6 else None
    yield draw.inject("deny-bucket", begins, ends)


@fault("F45", "a key denies a call")
def _kms_denies(draw: Draw) -> Iterator[Injection]:
    yield from _calls(
        draw, draw.coins.choice(("s3:PutObject", "sns:Publish", "read", "write")), ("deny",), (1, 3, 1000)
    )


@fault("F47", "rates are exceeded everywhere")
def _throttled_everywhere(draw: Draw) -> Iterator[Injection]:
    span = (draw.at(draw.cycle.gate, -HOUR), draw.until_close())
    for program in ("open", "close", "prove"):
        nth, times = draw.coins.randrange(3), draw.coins.choice((5, 20, 60))
        yield draw.inject(CALL, *span, program=program, which="any", nth=nth, effect="throttle", times=times)


@fault("crash", "a function or a script dies at a call, before or after it took effect", everyday=3)
def _crash(draw: Draw) -> Iterator[Injection]:
    yield from _calls(draw, "any", ("crash", "crash-after"), (1, 1, 2, 3, 20))


@fault("clock", "the clocks of machines are wrong, by less than what Systems Manager still talks to", everyday=1)
def _wrong_clock(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        skew = draw.coins.choice((-CLOCK_ERROR_SECONDS, -60, 60, CLOCK_ERROR_SECONDS))
        yield draw.inject("agent", draw.before_backup(), draw.until_close(), instance=instance, skew=skew)
