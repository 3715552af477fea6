"""Agents, installs and the clocks of machines."""

from __future__ import annotations

from collections.abc import Iterator

from patchgate.rehearsal.campaign.faults.catalogue import HOUR, Draw, fault
from patchgate.rehearsal.campaign.plan import Injection, Value

CLOCK_ERROR_SECONDS = 299
"""Requests that are signed more than five minutes off are refused, so that a node whose clock is worse has no agent:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html"""


@fault("F33", "installs run into the cutoff")
def _slow_install(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        minutes = draw.coins.choice((45, 100, 119, 130, 200))
        yield draw.inject("pace", draw.before_backup(), draw.until_close(), instance=instance, minutes=minutes)


@fault("F34", "an install fails: the others go on, within the error budget", everyday=2, lasts=True)
def _one_error(draw: Draw) -> Iterator[Injection]:
    given: dict[str, Value] = {"instance": draw.someone(), "failing": 2, "reason": "dependency problems"}
    yield draw.inject("patches", draw.before_backup(), None, **given)


@fault("F35", "scans and installs are cancelled by hand")
def _cancelled_commands(draw: Draw) -> Iterator[Injection]:
    for _ in range(draw.coins.randint(1, 3)):
        yield draw.inject("cancel-commands", draw.at(draw.cycle.start, 1, 2 * HOUR))


@fault("F36", "the patch group has no baseline")
def _no_baseline(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("deregister-patch-group", draw.moment())


@fault("F38", "agents are silent, for a while or for good, or old", everyday=4, lasts=True)
def _silent_agent(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        begins = draw.moment()
        if draw.coins.random() < 0.2:
            yield draw.inject(
                "agent", begins, None, instance=instance, version=draw.coins.choice(("2.3.50.0", "3.0.501.0"))
            )
        else:
            seconds = draw.coins.choice((5, 60, 600, HOUR, 5 * HOUR, None))
            ends = None if seconds is None else begins + seconds
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


@fault("clock", "the clocks of machines are wrong, by less than what Systems Manager still talks to", everyday=1)
def _wrong_clock(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        skew = draw.coins.choice((-CLOCK_ERROR_SECONDS, -60, 60, CLOCK_ERROR_SECONDS))
        yield draw.inject("agent", draw.before_backup(), draw.until_close(), instance=instance, skew=skew)
