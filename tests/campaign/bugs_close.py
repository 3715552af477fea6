"""Bugs in the close function, which is the watchdog too."""

from __future__ import annotations

from .seeding import Bug, in_close

_WINDOW = '    if found_open:\n        lane.disable_window(window["WindowId"])\n'
_WATCH = "    if watchdog and missed:\n"
_BEGIN = "    lane, now = Lane(os.environ, context.invoked_function_arn), datetime.now(UTC)\n"
_WATCHED = "    if watchdog:\n        lane.prune(leases, now)\n"
_NAMED = "for cycle in untold for i"
_MARKED = (
    '        self.ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)\n        return value\n'
)
_UNJUDGED = "    if not watchdog and not lane.judged(leases, scheduled, window) and due <= scheduled:\n"
_MISSED = '        problems.append(f"no gate judged the cycle that ended by {format_instant(scheduled)}")\n'

CLOSE_BUGS = (
    Bug(
        "close-lease-left",
        "leases are not marked closed",
        "F31",
        (in_close(_MARKED, "        return value\n"),),
    ),
    Bug("close-window-left", "the window is not disabled", "F31", (in_close(_WINDOW, ""),)),
    Bug(
        "close-live-window-left",
        "a window that is closed before its end is not disabled, because the lease is read before it is closed",
        "F26",
        (in_close('leases[cycle]["closed"] = lane.mark(', "lane.mark("),),
        "F26",
    ),
    Bug(
        "close-newest-only",
        "only the newest lease is closed",
        "F31",
        (in_close("for cycle in sorted(leases) if is_over", "for cycle in sorted(leases)[-1:] if is_over"),),
        "F27,F31",
    ),
    Bug(
        "close-own-cycle-only",
        "a close closes the newest cycle alone, and the watchdog nothing",
        "F31",
        (
            in_close(
                "for cycle in sorted(leases) if is_over", "for cycle in sorted(leases)[-1:] if not watchdog and is_over"
            ),
            in_close("    if found_open:\n", "    if found_open and not watchdog:\n"),
        ),
        "F27,F31",
    ),
    Bug(
        "watchdog-does-not-close",
        "the watchdog reports, and closes nothing",
        "F31",
        (
            in_close(
                "for cycle in sorted(leases) if is_over", "for cycle in sorted(leases) if not watchdog and is_over"
            ),
            in_close("    if found_open:\n", "    if found_open and not watchdog:\n"),
        ),
        "F27,F31",
    ),
    Bug(
        "close-errors-swallowed",
        "a window that cannot be disabled is no matter",
        "F30",
        (
            in_close(
                _WINDOW,
                (
                    "    if found_open:\n"
                    "        try:\n"
                    '            lane.disable_window(window["WindowId"])\n'
                    "        except Exception:\n"
                    "            pass\n"
                ),
            ),
        ),
        "F30,F31",
    ),
    Bug(
        "close-unreached-unnamed",
        "who was let in and not reached is not named",
        "F57",
        (
            in_close(
                _NAMED,
                "for cycle in untold[:0] for i",
            ),
        ),
        "F33,F57",
        ("daily", "narrow"),
    ),
    Bug(
        "close-unreached-all",
        "everybody who was let in is named as not reached",
        "F57",
        (in_close(' and f["instance"] not in seen]', "]"),),
    ),
    Bug(
        "close-missed-unreported",
        "a close does not say that no gate judged its cycle",
        "F27",
        (in_close(_MISSED, "        pass\n"),),
        "F27",
    ),
    Bug(
        "watchdog-missed-unreported",
        "the watchdog does not look for cycles without a gate",
        "F27",
        (in_close(_WATCH, "    if False:\n"),),
        "F27",
        masked_by="the close, which says it too",
        with_it="missed-unreported",
    ),
    Bug(
        "missed-unreported",
        "neither the close nor the watchdog says that no gate judged a cycle",
        "F27",
        (in_close(_MISSED, "        pass\n"), in_close(_WATCH, "    if False:\n")),
        "F27",
    ),
    Bug(
        "missed-always",
        "every close says that no gate judged its cycle",
        "promise 4",
        (
            in_close(
                _UNJUDGED,
                "    if not watchdog:\n",
            ),
        ),
    ),
    Bug(
        "close-first-page",
        "only the first page of the lane's parameters is read",
        "F21",
        (
            in_close(
                'read_leases([p for page in pages for p in page["Parameters"]]',
                'read_leases(next(iter(pages))["Parameters"]',
            ),
        ),
        "F21",
    ),
    Bug(
        "close-dies",
        "every close and every watchdog dies at once",
        "promise 2",
        (in_close(_BEGIN, _BEGIN + '    raise RuntimeError("dead")\n'),),
    ),
    Bug(
        "close-dies-half-way",
        "every close and every watchdog dies when the leases are closed, before the window is",
        "promise 2",
        (
            in_close(
                "    found_open = window", '    if closed:\n        raise RuntimeError("dead")\n    found_open = window'
            ),
        ),
    ),
    Bug(
        "watchdog-dies",
        "every watchdog dies",
        "promise 2",
        (in_close(_WATCHED, '    if watchdog:\n        raise RuntimeError("dead")\n'),),
    ),
    Bug(
        "close-unreached-every-other-day",
        "who was not reached is named every other day",
        "F57",
        (in_close(_NAMED, "for cycle in untold if int(cycle[7]) % 2 for i"),),
        "F33,F57",
        ("daily", "narrow"),
    ),
    Bug(
        "close-told-too-early",
        "a lease counts as told as soon as it is closed: who dies half-way has told nobody",
        "F31",
        (in_close('{"closed": format_instant(now), ', '{"closed": format_instant(now), "told": True, '),),
        "F31,F57,crash",
        ("narrow",),
    ),
    Bug(
        "close-tells-nobody",
        "a close and a watchdog publish nothing",
        "promise 4",
        (in_close("    lane.notify(record)\n", ""),),
        "F27,F31,F57",
    ),
)
