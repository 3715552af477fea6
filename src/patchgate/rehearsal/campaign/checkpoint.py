"""A long series in a file: what is done survives an interruption, and the rest is done later.

A checkpoint belongs to a series and to the code that ran it: what another gate, template, embedded AWS or judge came to
says nothing of this one, and is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from patchgate.errors import InputError
from patchgate.rehearsal.campaign.series import CHUNK, Failure, FaultTally, Series, Tally

SCHEMA = 2
ROOMS = ("domain", "emulator", "gate", "judge", "plan", "rehearsal", "schedule", "templates")
"""The rooms whose code decides what a run comes to."""
_SUFFIXES = (".py", ".toml", ".csv", ".yaml", ".json")


@dataclass(slots=True)
class Checkpoint:
    """What of a series is done: the tally of the chunks that begin at the seeds in ``done``."""

    series: Series
    tally: Tally = field(default_factory=Tally)
    done: set[int] = field(default_factory=set)

    def rest(self) -> list[int]:
        """The first seeds of the chunks that are still to be run, ascending."""
        return [first for first in self.series.chunks() if first not in self.done]

    def done_spans(self) -> list[tuple[int, int]]:
        """The first and the last seed of every unbroken row of seeds that is done, ascending."""
        return [(first, self.series.last_of(last)) for first, last in _spans(sorted(self.done))]

    def add(self, first: int, part: Tally) -> None:
        """A chunk is done."""
        self.tally.add(part)
        self.done.add(first)


def read_checkpoint(path: Path, series: Series) -> Checkpoint:
    """The checkpoint of a series in a file; a new one when there is no such file.

    Raises InputError for a file that is none or that is damaged, one of another series or of other code, and one that
    holds more runs than the series has: what those came to cannot be taken out of it.
    """
    if series.runs % CHUNK:
        raise InputError(
            f"a campaign with a checkpoint has runs in steps of {CHUNK}, not {series.runs}",
            remedy=f"give --runs {(series.runs // CHUNK + 1) * CHUNK}",
        )
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Checkpoint(series)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", remedy="give another --checkpoint") from error
    remedy = f"give another --checkpoint, or remove {path}"
    try:
        value = json.loads(content.decode())
        known = value["schema"] == SCHEMA
        identity, done, tally = value["series"], value["done"], value["tally"]
        whole = not known or value["sha256"] == _digest(value)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path} is no checkpoint of a campaign, or is damaged", remedy=remedy) from None
    if not whole:
        raise InputError(f"{path} is damaged: its content is not what a campaign wrote", remedy=remedy)
    if not known or identity != _identity(series):
        raise InputError(f"{path} belongs to another campaign, or to one that other code ran", remedy=remedy)
    checkpoint = Checkpoint(series, _read_tally(tally), set(_spelled(done)))
    _refuse_further(checkpoint, path)
    return checkpoint


def _refuse_further(checkpoint: Checkpoint, path: Path) -> None:
    """Raise InputError for a checkpoint with seeds that its series has not: the tally of a whole has no parts."""
    series = checkpoint.series
    further = max(checkpoint.done, default=series.first) + CHUNK - series.first
    if further > series.runs:
        raise InputError(
            f"{path} holds runs up to seed {series.first + further - 1}, beyond the {series.runs} that are asked for",
            remedy=f"give --runs {further} or more, or another --checkpoint",
        )


def write_checkpoint(checkpoint: Checkpoint) -> str:
    """A checkpoint as text, with a digest of the rest, so that one that was damaged or changed is known."""
    value = {
        "schema": SCHEMA,
        "series": _identity(checkpoint.series),
        "done": list(_spans(sorted(checkpoint.done))),
        "tally": _tally_value(checkpoint.tally),
    }
    return json.dumps(value | {"sha256": _digest(value)}, indent=1, sort_keys=True) + "\n"


def _digest(value: dict[str, Any]) -> str:
    """The SHA-256 of a checkpoint but for that of itself."""
    rest = {key: each for key, each in value.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _identity(series: Series) -> dict[str, Any]:
    """What two series have in common that may share a checkpoint: all but how many runs they want."""
    shapes = json.dumps([asdict(shape) for shape in series.shapes], sort_keys=True, default=str)
    return {
        "first": series.first,
        "faults": series.mix,
        "door": series.door,
        "shapes": hashlib.sha256(shapes.encode()).hexdigest(),
        "code": code_digest(),
    }


def code_digest() -> str:
    """The SHA-256 of everything that decides what a run comes to: the sources and data of those rooms."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for name, content in sorted(_files(resources.files(f"patchgate.{room}"), room)):
            digest.update(f"{name}\n{len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def _files(directory: Any, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in directory.iterdir():
        name = f"{prefix}/{entry.name}"
        if entry.is_dir():
            yield from _files(entry, name)
        elif entry.name.endswith(_SUFFIXES):
            yield name, entry.read_bytes().replace(b"\r\n", b"\n")


def _spans(firsts: Iterable[int]) -> Iterator[list[int]]:
    """[first, last] of every unbroken row of chunks."""
    span: list[int] = []
    for first in firsts:
        if span and first == span[1] + CHUNK:
            span[1] = first
        else:
            if span:
                yield span
            span = [first, first]
    if span:
        yield span


def _spelled(spans: Iterable[list[int]]) -> Iterator[int]:
    for first, last in spans:
        yield from range(first, last + 1, CHUNK)


def _tally_value(tally: Tally) -> dict[str, Any]:
    counters = {"shapes": dict(tally.shapes), "promises": dict(tally.promises)}
    return asdict(tally) | counters | {"digest": f"{tally.digest:064x}", "pairs": sorted(map(list, tally.pairs))}


def _read_tally(value: dict[str, Any]) -> Tally:
    failures = [
        Failure(**each | {"faults": tuple(each["faults"]), "promises": tuple(each["promises"])})
        for each in value["failures"]
    ]
    return Tally(
        **value
        | {
            "digest": int(value["digest"], 16),
            "shapes": Counter(value["shapes"]),
            "promises": Counter(value["promises"]),
            "faults": {number: FaultTally(**each) for number, each in value["faults"].items()},
            "pairs": {(one, other) for one, other in value["pairs"]},
            "failures": failures,
        }
    )
