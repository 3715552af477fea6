"""Schedules, functions, and API calls."""

from __future__ import annotations

from collections.abc import Iterator

from patchgate.rehearsal.campaign.adversary import CALL, CAPACITY, DELIVERY, REFUSAL
from patchgate.rehearsal.campaign.faults.catalogue import HOUR, Draw, fault
from patchgate.rehearsal.campaign.plan import Injection
from patchgate.rehearsal.campaign.terrain import SETTLED

ATTEMPTS = 8
"""How often the gate's SDK tries a call: what fails so often and once more fails once, and goes well again."""


@fault("F26", "a close comes while the window opens")
def _early_close(draw: Draw) -> Iterator[Injection]:
    yield draw.inject("invoke", draw.at(draw.cycle.start, -90, 90), program="close")


@fault("F27", "a gate, a close or a watchdog is late, is refused, or never comes", everyday=3)
def _late_or_missing(draw: Draw) -> Iterator[Injection]:
    labels = draw.coins.choice((("open",), ("open",), ("close",), ("watchdog",), ("close", "watchdog")))
    late = draw.coins.choice((60, 600, 1790, 1799, 1801, 1860, 2 * HOUR, 6 * HOUR, 20 * HOUR))
    delays: tuple[int, ...] = () if draw.coins.random() < 0.4 else (late,)
    span = (draw.at(draw.cycle.gate, -HOUR), draw.at(draw.cycle.close + SETTLED))
    if draw.coins.random() < 0.25:
        lasts = draw.coins.choice((60, 900, 2 * HOUR, 8 * HOUR))
        for label in labels:
            due = draw.cycle.gate if label == "open" else draw.cycle.close
            ends = draw.at(due + SETTLED) if label == "watchdog" else draw.at(due, lasts)
            yield draw.inject(REFUSAL, draw.at(due, -60), ends, schedule=label)
        return
    for label in labels:
        yield draw.inject(DELIVERY, *span, schedule=label, delays=delays)


@fault("F28", "a gate or a close is invoked twice, at once or much later", everyday=3)
def _duplicates(draw: Draw) -> Iterator[Injection]:
    label = draw.coins.choice(("open", "open", "close", "watchdog"))
    later = draw.coins.choice((0, 0, 1, 2, 30, 1800, 2 * HOUR, 10 * HOUR))
    span = (draw.at(draw.cycle.gate, -HOUR), draw.at(draw.cycle.close, 12 * HOUR))
    yield draw.inject(DELIVERY, *span, schedule=label, delays=(0, later))


def _calls(draw: Draw, which: str, effects: tuple[str, ...], times: tuple[int, ...]) -> Iterator[Injection]:
    program = draw.coins.choice(("open", "open", "close", "watchdog", "prove", "prove"))
    span = (draw.at(draw.cycle.gate, -HOUR), draw.until_close())
    if program == "watchdog":  # the close's function, invoked by another schedule once the cycle is over
        span = (draw.until_close(), draw.at(draw.cycle.close + SETTLED))
    yield draw.inject(
        CALL,
        *span,
        program="close" if program == "watchdog" else program,
        which=which,
        nth=draw.one_of_calls(program, which),
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
        program = draw.coins.choice(("close", "open"))
        due = draw.cycle.close if program == "close" else draw.cycle.gate
        yield draw.inject(CAPACITY, draw.at(due, -60), draw.at(due, 3 * HOUR), program=program)
    else:
        yield draw.inject(
            CALL,
            *span,
            program="close",
            which="any",
            nth=draw.one_of_calls("close", "any"),
            effect="fail",
            times=draw.coins.choice((ATTEMPTS + 1, 1000)),
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
