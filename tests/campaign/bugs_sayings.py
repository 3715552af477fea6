"""Bugs in what is said: reasons, evidence, messages, and terms that deny whoever is well."""

from __future__ import annotations

from .seeding import Bug, SourceEdit, in_open, in_prove, in_rules

_DENIALS = "F02,F14,F16"
_LANES = ("daily", "lenient")
_TERMS = 'return start, end, end - timedelta(hours=window["Cutoff"])'
_PROVEN = "    proof.write_evidence(answer, started)\n"


_PRUNES_AT_ONCE = SourceEdit("close_window", "if cycle < cycle_key(now - KEPT):", "if cycle < cycle_key(now):")

SAYING_BUGS = (
    Bug(
        "lease-admits-nobody",
        "a lease admits until its window begins",
        "promise 3",
        (in_rules(_TERMS, "return start, end, start"),),
        shapes=_LANES,
    ),
    Bug(
        "lease-ends-early",
        "a lease takes its window for an hour long",
        "F56",
        (in_rules('end = start + timedelta(hours=window["Duration"])', "end = start + timedelta(hours=1, minutes=1)"),),
        shapes=_LANES,
    ),
    Bug(
        "hold-for-another-reason",
        "a gate holds whatever it finds, for a reason that nobody knows",
        "promise 3",
        (
            in_rules(
                '    if not running:\n        return Verdict("hold", "no-targets")\n',
                '    return Verdict("hold", "risk")\n',
            ),
        ),
        shapes=_LANES,
    ),
    Bug(
        "reason-misspelt",
        "a reason is misspelt",
        "promise 4",
        (in_rules('raise Denied("backup-with-issues"', 'raise Denied("backup-with-issue"'),),
        "F04",
        _LANES,
    ),
    Bug(
        "denial-without-its-reason",
        "a proof denies without saying why",
        "promise 4",
        (
            in_prove(
                '{"Reason": denied.reason, "Detail": denied.detail}', '{"Reason": "denied", "Detail": denied.detail}'
            ),
        ),
        _DENIALS,
        _LANES,
    ),
    Bug(
        "denial-without-evidence",
        "a proof writes evidence of its admissions only",
        "promise 4",
        (in_prove(_PROVEN, f'    if answer["Decision"] == "admit":\n    {_PROVEN}'),),
        _DENIALS,
        _LANES,
    ),
    Bug(
        "denial-is-an-error",
        "a denial fails the runbook, and uses up the error budget",
        "F34",
        (
            in_prove(
                _PROVEN, f'{_PROVEN}    if answer["Decision"] == "deny":\n        raise ValueError(answer["Reason"])\n'
            ),
        ),
        "F38",
        _LANES,
    ),
    Bug(
        "verdict-without-reasons",
        "the evidence of a verdict says of nobody why",
        "promise 4",
        (
            in_open(
                "rows = [record] + [finding._asdict() for finding in findings]",
                'rows = [record] + [finding._replace(reason="", detail="")._asdict() for finding in findings]',
            ),
        ),
        _DENIALS,
        _LANES,
    ),
    Bug(
        "verdict-calls-it-other",
        "the evidence of a verdict calls who is left out by a word of its own",
        "promise 4",
        (
            in_open(
                "rows = [record] + [finding._asdict() for finding in findings]",
                'rows = [record] + [finding._asdict() | {"status": finding.status[:4]} for finding in findings]',
            ),
        ),
        shapes=_LANES,
    ),
    Bug(
        "message-cut-short",
        "every message is cut short",
        "promise 4",
        (in_open("MESSAGE_BYTES = 200_000", "MESSAGE_BYTES = 150"),),
        _DENIALS,
        _LANES,
    ),
    Bug(
        "message-without-reasons",
        "a message says who is left out, and not why",
        "promise 4",
        (
            in_open(
                'lines += [f"{f.instance}  {f.status}: {f.reason} {f.detail}" for f in left_out]',
                "lines += [f.instance for f in left_out]",
            ),
        ),
        _DENIALS,
        _LANES,
    ),
    Bug(
        "watchdog-prunes-at-once",
        "a watchdog forgets every cycle that is over, and then misses its verdict",
        "promise 4",
        (_PRUNES_AT_ONCE,),
        masked_by="the close, which has it wait for the next cycle",
        with_it="watchdog-prunes-what-it-waits-for",
    ),
    Bug(
        "watchdog-prunes-what-it-waits-for",
        "the same, and only the watchdog remembers when the window starts next",
        "promise 4",
        (_PRUNES_AT_ONCE, SourceEdit("close_window", "    if watchdog or not missed:\n", "    if watchdog:\n")),
    ),
)
