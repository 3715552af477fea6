"""Backups: late, failed, missing, too old, deleted, and of something else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from patchgate.rehearsal.campaign.faults.catalogue import HOUR, Draw, fault
from patchgate.rehearsal.campaign.ground import VOLUMES
from patchgate.rehearsal.campaign.plan import Injection, Value


def _part(draw: Draw) -> dict[str, Value]:
    """Which volume of a machine it befalls; nothing for all of them, and where machines are backed up whole."""
    if draw.terrain.facts.backup_resources != "volumes" or draw.coins.random() < 0.4:
        return {}
    return {"volume": draw.coins.randrange(max(VOLUMES))}


@fault("F01", "backups still run when the gate decides", everyday=4)
def _late_backup(draw: Draw) -> Iterator[Injection]:
    minutes = draw.coins.choice((90, 170, 205, 211, 230, 300, 500))
    for instance in draw.some():
        whose: dict[str, Value] = {"instance": instance, **_part(draw)}
        if draw.coins.random() < 0.5:
            yield draw.inject("backup", draw.before_backup(), draw.until_close(), **whose, minutes=minutes)
        else:
            late, long = draw.at(draw.cycle.gate, -1500, -60), draw.coins.choice((25, 40, 100))
            yield draw.inject("backup", late - 60, draw.until_close(), **whose, minutes=long)
            yield draw.inject("back-up-now", late, None, **whose)


@fault("F02", "backup jobs fail, are aborted or expire", everyday=6)
def _failed_backup(draw: Draw) -> Iterator[Injection]:
    for instance in draw.some():
        given: dict[str, Value] = {"instance": instance, "outcome": draw.coins.choice(("FAILED", "ABORTED", "EXPIRED"))}
        yield draw.inject("backup", draw.before_backup(), draw.until_close(), **given, **_part(draw))


@fault("F03", "a backup job ends PARTIAL")
def _partial_backup(draw: Draw) -> Iterator[Injection]:
    given: dict[str, Value] = {"instance": draw.someone(), "outcome": "PARTIAL", **_part(draw)}
    yield draw.inject("backup", draw.before_backup(), draw.until_close(), **given)


@fault("F04", "a backup completes with issues", everyday=2)
def _backup_with_issues(draw: Draw) -> Iterator[Injection]:
    category = draw.coins.choice(("VSS_ERROR", "FAILURE", "NONE", ""))
    for instance in draw.some():
        given: dict[str, Value] = {"instance": instance, "category": category, **_part(draw)}
        yield draw.inject("backup", draw.before_backup(), draw.until_close(), **given)


@fault("F05", "a failed backup is repeated on demand and completes, or a completed one fails", everyday=1)
def _repeated_backup(draw: Draw) -> Iterator[Injection]:
    whose, first = {"instance": draw.someone(), **_part(draw)}, draw.before_backup()
    fails_first = draw.coins.random() < 0.7
    again = draw.at(draw.cycle.backup, 2400, 12_000)
    bad: dict[str, Value] = {**whose, "outcome": draw.coins.choice(("FAILED", "ABORTED"))}
    if fails_first:
        yield draw.inject("backup", first, again - 60, **bad)
    else:
        yield draw.inject("backup", again - 60, again + 2 * HOUR, **bad)
    yield draw.inject("back-up-now", again, None, **whose, elsewhere=draw.coins.random() < 0.3)


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
            given: dict[str, Value] = {"instance": instance, "outcome": "NONE", **_part(draw)}
            yield draw.inject("backup", draw.before_backup(), draw.until_close(), **given)
    else:
        yield draw.inject("launch", draw.moment(), without_volumes=draw.coins.random() < 0.2)


@fault("F09", "a failed job of the day before stands beside today's")
def _old_failure(draw: Draw) -> Iterator[Injection]:
    whose: dict[str, Value] = {"instance": draw.someone(), **_part(draw)}
    earlier = draw.at(draw.cycle.backup, -12 * HOUR, -HOUR)
    bad: dict[str, Value] = {**whose, "outcome": draw.coins.choice(("FAILED", "ABORTED", "EXPIRED"))}
    yield draw.inject("backup", earlier - 10, earlier + 50 * 60, **bad)
    yield draw.inject("back-up-now", earlier, None, **whose)


@fault("F10", "a job is created on the edge of the look-back")
def _edge_job(draw: Draw) -> Iterator[Injection]:
    hours, whose = draw.coins.choice((3, 12)), {"instance": draw.someone(), **_part(draw)}
    edge = draw.at(draw.cycle.gate, -hours * HOUR - 90, -hours * HOUR + 90)
    yield draw.inject("backup", draw.before_backup(), draw.until_close(), **whose, outcome="NONE")
    yield draw.inject("backup", edge - 30, draw.until_close(), **whose)
    yield draw.inject("back-up-now", edge, None, **whose)


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


@fault("F14", "recovery points are deleted, or expire, before the patch", everyday=2)
def _deleted_point(draw: Draw) -> Iterator[Injection]:
    if draw.terrain.facts.maximum_proof_age > timedelta(days=1) and draw.coins.random() < 0.5:
        yield draw.inject("strip-backup-role", draw.at(draw.cycle.backup, 2 * HOUR, 6 * HOUR), draw.until_close())
    newest = draw.coins.random() < 0.7
    for instance in draw.some():
        yield draw.inject(
            "delete-recovery-points", draw.moment(), None, instance=instance, newest=newest, **_part(draw)
        )


@fault("F15", "the backup role may not use the key")
def _key_denied(draw: Draw) -> Iterator[Injection]:
    message = "The ciphertext refers to a customer master key that does not exist or you are not allowed to access."
    given: dict[str, Value] = {"outcome": "FAILED", "message": message}
    for instance in draw.some():
        whose: dict[str, Value] = {"instance": instance, **_part(draw)}
        yield draw.inject("backup", draw.before_backup(), draw.until_close(), **whose, **given)


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
    given: dict[str, Value] = {"instance": draw.someone(), "minutes": 1000, **_part(draw)}
    yield draw.inject("backup", draw.before_backup(), None, **given)
