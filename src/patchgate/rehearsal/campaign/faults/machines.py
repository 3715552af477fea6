"""Machines: stopped, replaced, with wrong or hostile tags."""

from __future__ import annotations

from collections.abc import Iterator

from patchgate.rehearsal.campaign.faults.catalogue import HOUR, Draw, fault
from patchgate.rehearsal.campaign.plan import Injection


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
