"""The reference page of the promises, made from the code: what the judge holds a run to, and which reasons it knows."""

from __future__ import annotations

from collections.abc import Iterable

from patchgate.judge.promises import PROMISES
from patchgate.judge.reasons import REASONS, UNSAID
from patchgate.judge.verdicts import HELD

_INTRODUCTION = """\
After a rehearsal the judge reads the recorded [history](history.md), and nothing else, and holds these promises against
it. It shares no code with the gate. Each breach is a *violation*: the promise's name, when, where and of whom, and the
numbers of the records that show it. The names are an interface: JSON output carries them.

Whatever is asked of a reading (was there a recovery point, was the reason true) is asked of the span in which it was
read, from the begin of the invocation or runbook to what it said: what was so at any point of it is accepted, because
no check-then-act can say more. The proof of an install is read at most `ProofMaxAgeSeconds` before its command reached
the node.

Installs that an operator sends by hand past every window are nobody's promise: `doctor` names such paths.

Templates that have no gate of ours are judged by the same promises, as far as they are about installs, windows and
instances: what has no leases breaks the promises about leases."""

_REASONS = """\
A reason that the gate or a runbook gives is a violation (`reason`) when the history contradicts it. Judged are, of an
instance: {instances}. Of a whole cycle: {cycles}.

Not judged, because they are {unsaid}: {concluded}."""


def build_promises_page(notice: str) -> str:
    """The page: every promise with its name and the promise of the design it is part of, and the reasons."""
    rows = ["| name | part of | what it says |", "|---|---|---|"]
    rows += [f"| `{promise.name}` | {promise.part_of} | {promise.says} |" for promise in PROMISES]
    (why,) = set(UNSAID.values())
    reasons = _REASONS.format(instances=_listed(REASONS), cycles=_listed(HELD), unsaid=why, concluded=_listed(UNSAID))
    parts = [notice, "# Promises", _INTRODUCTION, "\n".join(rows), "## Reasons", reasons]
    return "\n\n".join(parts) + "\n"


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in sorted(codes))
