"""The page of what the full campaigns came to, made from their checkpoints.

    python -m tests.campaign.results CHECKPOINT... [--page FILE]

``make campaign-full`` calls it. A campaign that is not done is on the page as far as it came.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patchgate.rehearsal.campaign.checkpoint import ROOMS, code_digest
from patchgate.rehearsal.campaign.faults import FAULTS
from patchgate.rehearsal.campaign.mixes import read_mix
from patchgate.rehearsal.campaign.shapes import SHAPES

AIMS = {"all": 100_000, "default": 1_000_000}
"""How many runs of a mix `make campaign-full` asks for."""
_PAGE = """\
<!-- Made by `make campaign-full` from what the campaigns came to. Edit `tests/campaign/results.py`, not this. -->

# What the full campaigns came to

`make campaign-full` runs these, and writes this page. A campaign that was stopped goes on where it was.

{commands}

What can go wrong, and how plans are drawn, is in [Campaigns](campaigns.md); what the judge asks of every run in
[Promises](promises.md); that it finds bugs in [Seeded bugs](campaign-sanity.md).

## In all

{totals}

*Patched* are machines that were patched at least once in their run. *Denied* and *held* count what the gate did not let
in: machines, and whole lanes. Pairs are of faults that met in a run.

{broken}

## By fault

*Runs* are those that the fault was planned for, *struck* those in which something really went wrong by it.

{faults}

## By lane

{lanes}

## To check it

The seeds are from 0 on. Any part of a campaign can be run again (`patchgate rehearse --runs 1000 --faults all --seed
5000`), and any run told (`patchgate rehearse --faults all --replay 5000`). The same seeds give the same histories; the
sums of their SHA-256, modulo 2 to the 256th, under Python {python}:

{digests}

The code that decides what a run comes to (the rooms {rooms}) has the SHA-256 `{code}`.
"""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What of a campaign is done: its checkpoint's series and tally."""

    mix: str
    code: str
    tally: dict[str, Any]

    @property
    def runs(self) -> int:
        return int(self.tally["runs"])


def read_campaign(path: Path) -> Campaign:
    """A campaign from its checkpoint. ValueError for one that this code did not run, or not through the usual door."""
    value = json.loads(path.read_text(encoding="utf-8"))
    series = value["series"]
    if series["code"] != code_digest():
        raise ValueError(f"{path} is of other code")
    if series["first"] or series["door"] != "direct" or series["faults"] not in AIMS:
        raise ValueError(f"{path} is no part of the full campaigns")
    return Campaign(series["faults"], series["code"], value["tally"])


def build_page(campaigns: Sequence[Campaign]) -> str:
    """The page, in Markdown."""
    return _PAGE.format(
        commands=_commands(campaigns),
        totals=_totals(campaigns),
        broken=_broken(campaigns),
        faults=_faults(campaigns),
        lanes=_lanes(campaigns),
        digests=_table(["mix", "runs", "sum"], [[f"`{each.mix}`", each.runs, _digest(each)] for each in campaigns]),
        python=".".join(platform.python_version_tuple()[:2]),
        rooms=", ".join(ROOMS),
        code=campaigns[0].code,
    )


def _commands(campaigns: Sequence[Campaign]) -> str:
    rows = []
    for each in campaigns:
        aim = AIMS[each.mix]
        command = f"`patchgate rehearse --runs {aim} --faults {each.mix} --checkpoint FILE`"
        rows.append([command, "all" if each.runs >= aim else f"{each.runs:,} of {aim:,}"])
    return _table(["command", "runs done"], rows)


def _digest(campaign: Campaign) -> str:
    return f"`{campaign.tally['digest']}`"


def _totals(campaigns: Sequence[Campaign]) -> str:
    names = {
        "runs": "runs",
        "that broke a promise": "failed_runs",
        "events": "events",
        "installs": "installs",
        "machines patched": "patched",
        "machines denied": "denied",
        "lanes held": "holds",
        "runs repeated, with the same history": "repeated",
    }
    rows: list[list[object]] = [[said, *(each.tally[key] for each in campaigns)] for said, key in names.items()]
    rows.append(["pairs of faults met", *(_pairs(each) for each in campaigns)])
    return _table(["", *(f"`{each.mix}`" for each in campaigns)], rows)


def _pairs(campaign: Campaign) -> str:
    faults = len(read_mix(campaign.mix).faults)
    met = sum(one != other for one, other in campaign.tally["pairs"])
    return f"{met:,} of {faults * (faults - 1) // 2:,}"


def _broken(campaigns: Sequence[Campaign]) -> str:
    failures = [(each.mix, failure) for each in campaigns for failure in each.tally["failures"]]
    if not failures:
        return "**No promise was broken.**"
    rows = [
        [f"`{mix}`", str(failure["seed"]), failure["shape"], ", ".join(failure["promises"]), failure["what"]]
        for mix, failure in failures
    ]
    return "**Promises were broken**; the first runs that did:\n\n" + _table(
        ["mix", "seed", "lane", "promise", "what"], rows
    )


def _faults(campaigns: Sequence[Campaign]) -> str:
    columns = [f"{mix.mix}: {name}" for mix in campaigns for name in ("runs", "struck", "broken")]
    rows = [
        [number, FAULTS[number].says, *(_counts(each.tally["faults"].get(number)) for each in campaigns)]
        for number in FAULTS
    ]
    flat = [[*row[:2], *(count for counts in row[2:] for count in counts)] for row in rows]
    return _table(["fault", "what goes wrong", *columns], flat)


def _counts(tally: dict[str, int] | None) -> list[int | str]:
    return ["", "", ""] if tally is None else [tally["planned"], tally["struck"], tally["violated"]]


def _lanes(campaigns: Sequence[Campaign]) -> str:
    rows = [
        [f"`{one.name}`", one.says, *(each.tally["shapes"].get(one.name, 0) for each in campaigns)] for one in SHAPES
    ]
    return _table(["lane", "what it has", *(f"runs with `{each.mix}`" for each in campaigns)], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    numeric = [all(isinstance(row[column], int) or row[column] == "" for row in rows) for column in range(len(head))]
    lines = [list(head), ["---:" if each else "---" for each in numeric], *(list(map(_cell, row)) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else " ".join(str(value).replace("|", "\\|").split())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code: 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.results", description="What did campaigns come to?")
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--page", type=Path, help="write the page there, instead of to standard output")
    options = parser.parse_args(arguments)
    try:
        campaigns = [read_campaign(path) for path in options.checkpoints]
    except (OSError, ValueError, KeyError) as error:
        print(f"results: {error}", file=sys.stderr)
        return 2
    text = build_page(campaigns)
    if options.page is None:
        print(text, end="")
    else:
        options.page.write_text(text, encoding="utf-8")
    return 1 if any(each.tally["failed_runs"] for each in campaigns) else 0


if __name__ == "__main__":
    raise SystemExit(main())
