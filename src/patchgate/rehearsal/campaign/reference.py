"""The reference page of campaigns, made from the code: every fault, every standard lane, every open question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.faults import ELSEWHERE, FAULTS
from patchgate.rehearsal.campaign.shapes import SHAPES


class FaultTests(NamedTuple):
    """Where a number is tested: ``own`` links to its test in campaigns' tests, ``others`` are files of further ones.

    Links and paths are relative to the repository.
    """

    own: str
    others: tuple[str, ...] = ()


ROOT = "../../"
"""The repository, from the page."""
_INTRODUCTION = """\
`patchgate rehearse --runs N --faults MIX` runs N short rehearsals, each from its seed: one lane, four machines, three
cycles, with whatever the seed makes go wrong. The judge reads each run's history and holds every
[promise](promises.md) against it. How to use it: [Run a campaign](../how-to/run-a-campaign.md).

A run's plan is drawn from its seed: a lane, a reading of every [open question of AWS](embedded-aws.md) ({questions} of
them), and injections. In three runs of five the storm ends after the first cycle: from then on liveness is judged,
every machine that is well must be patched in one of the two windows that are left. In the others it goes on.

| mix | what goes wrong |
|---|---|
| `none` | nothing |
| `default` | up to two of the everyday faults, the likelier the higher their number in the table |
| `all` | a pair of faults, the seeds take turns so that {pairs:,} seeds in a row meet every pair, and up to four more |
| `F16,F28` | the named ones: all their pairs in turn, and up to two more |"""

_FAULTS = """\
Every number of a fault links to the test that runs it alone and sees it strike; *more tests* of a number are the
functions `test_fNN_...` of these files. *Everyday* is its weight in `default`.
An API call that goes wrong does so at a drawn call of a drawn program (gate, close, watchdog, proof): throttled,
refused, failed, hanging, slow, or carried out without an answer. A crash is before a call or after it took effect. How
many calls a program makes on its longest path is measured on each lane before its first run."""

_ELSEWHERE = """\
These numbers of the failure modes are nothing that a run could inject:"""

_LANES = """\
Daily lanes have their three cycles on three days. On lanes that are not lively the judge does not ask for liveness:
their schedules do not meet, on purpose or under some reading of a clock change, or their window is too short for all.
On a standard lane, some beside a fault, every reading of every open question makes a history of its own."""


def build_campaigns_page(notice: str, tests: Mapping[str, FaultTests]) -> str:
    """The page, in Markdown. ``tests`` has every number of a fault, in capitals; KeyError where one is missing."""
    count = len(FAULTS)
    introduction = _INTRODUCTION.format(questions=len(Assumptions.variants()), pairs=count * (count + 1) // 2)
    faults = ["| fault | what goes wrong | everyday | more tests |", "|---|---|---|---|"]
    for each in FAULTS.values():
        found = tests[each.number.upper()]
        faults.append(f"| [{each.number}]({ROOT}{found.own}) | {each.says} | {each.everyday or ''} | {_files(found)} |")
    elsewhere = ["| fault | what covers it | more tests |", "|---|---|---|"]
    for key, text in ELSEWHERE.items():
        elsewhere.append(f"| [{key}]({ROOT}{tests[key].own}) | {text} | {_files(tests[key])} |")
    lanes = ["| lane | what it has | weight | lively |", "|---|---|---|---|"]
    lanes += [f"| `{one.name}` | {one.says} | {one.weight} | {'yes' if one.lively else 'no'} |" for one in SHAPES]
    parts = [notice, "# Campaigns", introduction, "## Faults", _FAULTS, "\n".join(faults), _ELSEWHERE]
    parts += ["\n".join(elsewhere), "## Standard lanes", _LANES, "\n".join(lanes)]
    return "\n\n".join(parts) + "\n"


def _files(tests: FaultTests) -> str:
    """Links to files by their names, without what all names have."""
    return ", ".join(f"[{path.rpartition('/')[2][5:-3]}]({ROOT}{path})" for path in tests.others)
