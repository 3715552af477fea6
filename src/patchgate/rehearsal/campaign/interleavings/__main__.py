"""``python -m patchgate.rehearsal.campaign.interleavings``: every search, in several processes."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from patchgate.errors import PatchgateError, UnsafeError
from patchgate.rehearsal.campaign.interleavings.page import cast_label, render_json, render_page, render_text
from patchgate.rehearsal.campaign.interleavings.series import PARTS, explore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patchgate.rehearsal.campaign.interleavings.series import Row


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code: 0, or 3 for a broken promise."""
    parser = argparse.ArgumentParser(
        prog="python -m patchgate.rehearsal.campaign.interleavings",
        description="Search every order of the gate's API calls, and judge every history.",
    )
    parser.add_argument("--part", action="append", choices=list(PARTS), help="only this part; may be repeated")
    parser.add_argument("--output", choices=("text", "json"), default="text", help="how to print the results")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page of the documentation as well")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a CPU)")
    given = parser.parse_args(arguments)
    if given.jobs < 1:
        parser.error("--jobs must be at least 1")
    try:
        result = explore(given.part or tuple(PARTS), jobs=given.jobs, progress=_show)
    except PatchgateError as error:
        sys.stderr.write(f"{error}\n{error.remedy}".strip() + "\n")
        return error.exit_code
    if given.page is not None:
        given.page.write_text(render_page(result), encoding="utf-8", newline="\n")
    sys.stdout.write(render_json(result) if given.output == "json" else render_text(result))
    return 0 if result.held else UnsafeError.exit_code


def _show(done: int, of: int, rows: list[Row]) -> None:
    for row in rows:
        found, meeting = row.found, row.meeting
        broken = f", {len(found.counterexamples)} BROKEN" if found.counterexamples else ""
        where = f"{cast_label(meeting.actors)}; {meeting.situation.name}"
        reading = f"; {meeting.reading}" if meeting.reading else ""
        text = f"{done:4}/{of} {row.part}: {where}{reading}: {found.states} states, {found.ends} ends{broken}"
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
