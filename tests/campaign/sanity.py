"""Seeds every bug, one at a time, and counts in how many runs of a campaign the judge finds it.

    python -m tests.campaign.sanity [--runs N] [--limit N] [--bugs NAME,...] [--faults MIX] [--jobs N]
                                    [--output text|json] [--page FILE]

Each bug runs ``--runs`` seeds with the faults and on the lanes that it names (``--faults`` overrides the faults); one
that is not found then goes on, up to ``--limit`` seeds. The same seeds without any bug are the control, in which
nothing may be found. A bug that another layer makes harmless names the bug with that layer off, which must be found;
one that breaks no promise, or that no history shows, says why: neither counts as found.
Exits 1 when a bug is not found, or when the control breaks a promise.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from patchgate.rehearsal.campaign.ground import Grounds
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix, shape_of
from patchgate.rehearsal.campaign.run import carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES, Shape

from .bugs import BUGS
from .seeding import SOUND, Bug, open_broken_grounds

RUNS, LIMIT = 10, 150
_PAGE = """\
<!-- Made by `make campaign-sanity`. Do not edit. -->

# Seeded bugs

A [campaign](campaigns.md) that finds nothing proves something only if it would have found it. So bugs are seeded into
the gate and the templates, one at a time, and campaigns are run against them:

```text
{command}
```

Each is a plausible error, as an exact replacement in the gate's sources or of a value in a built template
(`tests/campaign/`); a test holds that every one still applies. Each runs {runs} seeds with the faults and on the
[lanes](campaigns.md) named here, and goes on to {limit} seeds while it is not found. It is found in the runs in which
the judge, who knows nothing of it, sees a [promise](promises.md) broken.

{said}

{found}
"""


@dataclass(frozen=True, slots=True)
class Search:
    """What is run for one bug: ``runs`` seeds from 0 on, and up to ``limit`` until something is found."""

    bug: str
    faults: str
    shapes: tuple[str, ...]
    runs: int
    limit: int

    @property
    def field(self) -> tuple[str, tuple[str, ...]]:
        """What a control must have in common with it."""
        return self.faults, self.shapes


@dataclass(slots=True)
class Found:
    """What came of a search. ``promises`` counts the runs in which each was broken, ``what`` is the first breach."""

    search: Search
    runs: int = 0
    found: int = 0
    first_seed: int | None = None
    promises: Counter[str] = field(default_factory=Counter)
    what: str = ""

    @property
    def promise(self) -> str:
        """The promises that were broken, the most frequent first."""
        return ", ".join(name for name, _ in self.promises.most_common())


def search(what: Search) -> Found:
    """Seed one bug (SOUND's name: none) and run its seeds."""
    bug, mix = BUGS.get(what.bug, SOUND), read_mix(what.faults)
    shapes = tuple(shape for shape in SHAPES if shape.name in what.shapes)
    result = Found(what)
    with open_broken_grounds(bug) as grounds:
        for seed in range(what.limit):
            if seed >= what.runs and result.found:
                break
            _run(seed, mix.name, shapes, grounds, result)
    gc.unfreeze()
    return result


def _run(seed: int, mix: str, shapes: tuple[Shape, ...], grounds: Grounds, result: Found) -> None:
    shape = shape_of(seed, shapes)
    ground = grounds.of(shape)
    plan = draw_plan(seed, read_mix(mix), shape, ground.terrain)
    violations = carry_out(grounds, ground, plan).violations
    result.runs += 1
    if violations:
        result.found += 1
        result.promises.update({violation.promise for violation in violations})
        if result.first_seed is None:
            result.first_seed, result.what = seed, str(violations[0])


def searches(bugs: Iterable[Bug], runs: int, limit: int, faults: str = "") -> list[Search]:
    """The search of each bug. One that is not to be found is given ``runs`` seeds only."""
    return [
        Search(bug.name, faults or bug.faults, bug.shapes, runs, max(runs, limit) if bug.is_to_be_found else runs)
        for bug in bugs
    ]


def controls(results: Sequence[Found]) -> list[Search]:
    """The same seeds without a bug: for each mix and its lanes as many as any bug took."""
    needed: dict[tuple[str, tuple[str, ...]], int] = {}
    for result in results:
        needed[result.search.field] = max(needed.get(result.search.field, 0), result.runs)
    return [Search(SOUND.name, *key, runs, runs) for key, runs in needed.items()]


def carry_out_all(wanted: Sequence[Search], jobs: int) -> Iterator[Found]:
    """Every search, in so many spawned processes (1: in this one), as they end."""
    if jobs == 1:
        yield from map(search, wanted)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, _ignore_interrupts, maxtasksperchild=4) as pool:
        yield from pool.imap_unordered(search, wanted)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers


def measure(bugs: Sequence[Bug], runs: int, limit: int, jobs: int, faults: str = "") -> tuple[list[Found], list[Found]]:
    """(what was found of each bug, in their order; the controls), with progress on stderr."""
    order = {bug.name: number for number, bug in enumerate(bugs)}
    results: list[Found] = []
    for result in carry_out_all(searches(bugs, runs, limit, faults), jobs):
        results.append(result)
        said = f"found in {result.found} of {result.runs} runs" if result.found else f"not found in {result.runs} runs"
        print(f"[{len(results)}/{len(bugs)}] {result.search.bug}: {said}", file=sys.stderr, flush=True)
    checked: list[Found] = []
    wanted = controls(results)
    for result in carry_out_all(wanted, jobs):
        checked.append(result)
        said = f"{result.search.faults}: {result.found} of {result.runs} runs break a promise"
        print(f"[{len(checked)}/{len(wanted)}] without a bug, {said}", file=sys.stderr, flush=True)
    return sorted(results, key=lambda result: order[result.search.bug]), checked


def problems(results: Sequence[Found], checked: Sequence[Found]) -> list[str]:
    """What must not be: bugs that are not found, masked ones that are, and breaches without a bug."""
    said = [
        f"without a bug, seed {control.first_seed} with {control.search.faults} breaks a promise: {control.what}"
        for control in checked
        if control.found
    ]
    for result in results:
        bug = BUGS[result.search.bug]
        if result.found and not bug.is_to_be_found:
            said.append(f"{bug.name} is found, and is listed as harmless or unseen: seed {result.first_seed}")
        elif bug.is_to_be_found and not result.found:
            said.append(f"{bug.name} is not found in {result.runs} runs")
    return said


def table(results: Sequence[Found]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| bug | what is wrong | endangers | faults | lanes | found in | first seed | promises |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        bug = BUGS[result.search.bug]
        found = f"{result.found} of {result.runs} runs"
        if bug.masked_by:
            found = f"masked by {bug.masked_by}; see `{bug.with_it}`"
        elif bug.unseen:
            found = f"not found: {bug.unseen}"
        seed = "" if result.first_seed is None else str(result.first_seed)
        cells = (
            f"`{bug.name}`",
            bug.says,
            bug.endangers,
            result.search.faults,
            ", ".join(bug.shapes),
            found,
            seed,
            result.promise,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def as_json(result: Found) -> dict[str, Any]:
    """A result as JSON values: ``asdict`` of Python 3.11 takes a counter's items for what it counts."""
    return {each.name: getattr(result, each.name) for each in fields(result)} | {"search": asdict(result.search)}


def summary(results: Sequence[Found], checked: Sequence[Found]) -> str:
    """How many bugs there are, and how many were found."""
    bugs = [BUGS[result.search.bug] for result in results]
    found = sum(1 for result in results if result.found and BUGS[result.search.bug].is_to_be_found)
    masked, unseen = sum(bool(bug.masked_by) for bug in bugs), sum(bool(bug.unseen) for bug in bugs)
    return (
        f"{found} of {len(bugs)} bugs are found; {masked} are masked by another layer and found without it; {unseen} "
        f"break no promise or are not seen. Of {sum(control.runs for control in checked)} runs of the same seeds "
        f"without a bug, {sum(control.found for control in checked)} break a promise."
    )


def page(said: str, found: str, options: argparse.Namespace) -> str:
    """The page of the documentation: how it is made, the summary and the table."""
    command = f"python -m tests.campaign.sanity --runs {options.runs} --limit {options.limit}"
    return _PAGE.format(command=command, runs=options.runs, limit=options.limit, said=said, found=found)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    options = _parse(arguments)
    bugs = list(BUGS.values())
    if options.bugs:
        unknown = [name for name in options.bugs if name not in BUGS]
        if unknown:
            print(f"there is no bug {unknown[0]!r}; give some of {', '.join(BUGS)}", file=sys.stderr)
            return 2
        bugs = [BUGS[name] for name in options.bugs]
    results, checked = measure(bugs, options.runs, options.limit, options.jobs, options.faults)
    wrong = problems(results, checked)
    said = summary(results, checked)
    if options.page:
        options.page.write_text(page(said, table(results), options), encoding="utf-8")
    if options.output == "json":
        whole = {
            "summary": said,
            "bugs": [as_json(result) for result in results],
            "controls": [as_json(control) for control in checked],
            "problems": wrong,
        }
        print(json.dumps(whole, indent=2))
    else:
        print(table(results))
        print(f"\n{said}")
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.sanity", description="Is every seeded bug found?")
    parser.add_argument("--runs", type=int, default=RUNS, help="seeds for each bug")
    parser.add_argument("--limit", type=int, default=LIMIT, help="seeds for a bug that is not found sooner")
    parser.add_argument("--bugs", type=lambda text: text.split(","), default=[], help="names, with commas between")
    parser.add_argument("--faults", default="", help="a mix or F-numbers in the place of the bugs' own")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--page", type=Path, help="write the page of the documentation there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
