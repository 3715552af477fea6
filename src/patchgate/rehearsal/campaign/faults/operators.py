"""Operators: windows, stacks, freezes, and patches by hand."""

from __future__ import annotations

from collections.abc import Iterator

from patchgate.rehearsal.campaign.adversary import PAGES
from patchgate.rehearsal.campaign.faults.catalogue import HOUR, Draw, fault
from patchgate.rehearsal.campaign.plan import Injection


@fault("F19", "a second window runs the lane's install on the lane's machines")
def _twin_window(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("twin-window", draw.moment(), None, minutes=draw.coins.choice((1, 10, 60, 180)))


@fault("F20", "the window is renamed")
def _renamed_window(draw: Draw) -> Iterator[Injection]:
    ends = draw.moment() if draw.coins.random() < 0.5 else None
    yield draw.inject("rename-window", draw.moment(), ends, name="somebody-renamed-it")


@fault("F21", "the window, the lease, or anything else is beyond the first page of its list", lasts=True)
def _beyond_the_first_page(draw: Draw) -> Iterator[Injection]:
    match draw.coins.randrange(4):
        case 0:
            yield draw.inject("further-windows", draw.moment(), None, count=12, same_name=False)
        case 1:
            yield draw.inject("further-parameters", draw.moment(), None, count=12)
        case _:
            first = draw.coins.choice((draw.before_backup(), draw.moment()))
            yield draw.inject(PAGES, first, None, size=draw.coins.choice((0, 1, 1, 2)))


@fault("F22", "two windows have the same name")
def _same_name(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("further-windows", draw.moment(), None, count=1, same_name=True)


@fault("F23", "the window is enabled by hand at any moment", everyday=1)
def _enabled_by_hand(draw: Draw) -> Iterator[Injection]:
    closed = draw.at(draw.cycle.close, 60, 6 * HOUR)  # when it is disabled, but for a gate that holds
    yield draw.inject("window", draw.coins.choice((draw.moment(), closed, closed)), enabled=True)


@fault("F24", "a stack is updated, or the window's replaced, at any moment", everyday=2)
def _stack_change(draw: Draw) -> Iterator[Injection]:
    if draw.coins.random() < 0.25:
        closed = draw.at(draw.cycle.close, 60, 9 * HOUR)
        begins = draw.coins.choice((draw.moment(), draw.moment(), closed))
        yield draw.inject("redeploy-stack", begins, begins + draw.coins.choice((1, 30, 600, 2 * HOUR)))
        return
    seconds = draw.coins.choice((0, 0, 2, 20))
    yield draw.inject("update-stack", draw.moment(), stack=draw.coins.choice((0, 0, 0, 1)), seconds=seconds)


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


@fault("F51", "two stack updates at once, while functions run: the one that comes while the other lasts is refused")
def _two_updates(draw: Draw) -> Iterator[Injection]:
    when, seconds = draw.moment(), draw.coins.choice((1, 5, 20))
    yield draw.inject("update-stack", when, stack=0, seconds=seconds)
    second = when + draw.coins.choice((0, 1, 5, 30))
    yield draw.inject("update-stack", second, stack=draw.coins.choice((0, 0, 1)), seconds=seconds)


@fault("F53", "a freeze is put, and lifted, at any moment", everyday=2)
def _freeze(draw: Draw) -> Iterator[Injection]:
    begins = draw.moment()
    ends = begins + draw.coins.choice((30, 600, 5 * HOUR)) if draw.coins.random() < 0.7 else None
    if draw.terrain.calendars and draw.coins.random() < 0.6:
        minutes = draw.coins.choice((1, 30, 300))
        which = draw.coins.randrange(len(draw.terrain.calendars))
        yield draw.inject("close-calendar", begins, ends, minutes=minutes, which=which)
    else:
        yield draw.inject("freeze", begins, ends, which=draw.coins.randrange(2))


@fault("F59", "somebody writes or overwrites evidence: a role with every permission, of this account or another")
def _forged_evidence(draw: Draw) -> Iterator[Injection]:
    for _ in range(draw.coins.randint(1, 3)):
        kind = draw.coins.choice(("proof", "proof", "open", "hold"))
        who = {"foreign": draw.coins.random() < 0.5, "namesake": draw.coins.random() < 0.5}
        yield draw.inject("forge-evidence", draw.moment(), instance=draw.someone(), kind=kind, **who)


@fault("F60", "somebody patches a machine by hand")
def _patch_now(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("patch-now", draw.moment(), instance=draw.someone())
