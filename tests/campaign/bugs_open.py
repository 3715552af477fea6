"""Bugs in the open function, and in the rules that only it has."""

from __future__ import annotations

from .seeding import Bug, SourceEdit, in_open


def _rules(old: str, new: str) -> SourceEdit:
    return SourceEdit("rules", old, new, "open_window")


_EVIDENCE = "    lane.write_evidence(cycle, record, findings)\n"
_NAMED = (
    "if named != [window_id]:\n"
    '            raise RuntimeError(f"expected one window {name} with id {window_id}, '
    "found {named or 'none'}\")\n"
    "        return window_id"
)

BY_NAME = in_open(_NAMED, "return named[-1]")
UNFROZEN = in_open("            lane.check_freeze(times[0])\n", "")
HOLD_LEAVES_WINDOW = in_open("        lane.enable_window(window_id, enabled=False)\n", "")

OPEN_BUGS = (
    Bug(
        "open-counts-jobs",
        "completed jobs are counted, whatever the mode",
        "F08",
        (in_open('if self.env["GATE_MODE"] == "threshold":', 'if self.env["GATE_MODE"]:'),),
        "F01,F02,F08",
        ("daily",),
    ),
    Bug(
        "open-coverage-ignored",
        "a single proven machine opens the window",
        "F08",
        (_rules("if covered * 100 < minimum_percent * len(running):", "if not covered:"),),
        "F02,F08",
    ),
    Bug(
        "open-coverage-strict",
        "`<=` for `<`: exactly enough is not enough",
        "F08",
        (_rules("if covered * 100 < minimum_percent", "if covered * 100 <= minimum_percent"),),
        "F02",
        ("calendar",),
    ),
    Bug(
        "open-threshold-strict",
        "`<=` for `<`: exactly as many jobs as are needed are too few",
        "F02",
        (_rules("if completed < threshold:", "if completed <= threshold:"),),
        "F08",
        ("counting",),
    ),
    Bug(
        "open-threshold-blind",
        "jobs that did not complete are not looked at where enough have",
        "F02",
        (_rules("if completed < len(states):", "if not states:"),),
        "F02",
        ("counting",),
    ),
    Bug(
        "open-no-evidence",
        "no jobs at all are no reason to hold",
        "F06",
        (
            _rules("if covered * 100 < minimum_percent * len(running):", "if covered * 100 > 100 * len(running):"),
            _rules('if all(f.reason == "no-backup-job" for f in running):', "if not findings:"),
        ),
        "F06",
    ),
    Bug(
        "open-undecided-denied",
        "a backup that still runs counts as none",
        "F01",
        (_rules('f.status in ("proven", "undecided", "unreachable")', 'f.status == "proven"'),),
        "F01",
    ),
    Bug(
        "open-look-back-now",
        "the look-back counts from when the gate runs, not from its schedule",
        "F10",
        (
            in_open(
                'since = scheduled - timedelta(hours=int(self.env["LOOK_BACK_HOURS"]))',
                'since = datetime.now(UTC) - timedelta(hours=int(self.env["LOOK_BACK_HOURS"]))',
            ),
        ),
        "F10,F27",
        ("edge",),
    ),
    Bug(
        "open-look-back-dropped",
        "the look-back is left out: yesterday's backup counts",
        "F09",
        (
            in_open("            ByCreatedAfter=since,\n", ""),
            in_open("since = scheduled - timedelta", "_ = scheduled - timedelta"),
        ),
        "F06,F08",
    ),
    Bug(
        "open-job-oldest",
        "the oldest job of a machine is taken for its newest",
        "F05",
        (_rules('job["CreationDate"] > other["CreationDate"]', 'job["CreationDate"] < other["CreationDate"]'),),
        "F05,F09",
    ),
    Bug(
        "open-backup-issues-ignored",
        "completed with issues counts as completed",
        "F04",
        (_rules('if issue != "SUCCESS" and issue not in waived:', "if not issue:"),),
        "F04",
    ),
    Bug(
        "open-job-any-resource",
        "a machine without a job gets its neighbour's",
        "F07",
        (
            in_open(
                "(jobs.get(arn) for arn in",
                "(jobs.get(arn) or next(iter(jobs.values()), None) for arn in",
            ),
        ),
        "F08",
    ),
    Bug(
        "open-window-by-name",
        "one of the windows of the name is opened, whichever comes last",
        "F22",
        (BY_NAME,),
        "F22",
        masked_by="the gate's role, which may switch the lane's own window alone",
        with_it="any-window-by-name",
    ),
    Bug(
        "open-lead-dropped",
        "whatever window comes next is opened, however far off it is",
        "F25, F27",
        (_rules("if not now < start <= cycle + maximum_lead:", "if not now < start:"),),
        "F27",
        ("daily", "unmet"),
    ),
    Bug(
        "open-lead-strict",
        "`<` for `<=`: a window that begins exactly at the end of the lead is not opened",
        "F25",
        (_rules("start <= cycle + maximum_lead", "start < cycle + maximum_lead"),),
        "none",
        ("narrow",),
    ),
    Bug(
        "open-stale-window",
        "the window is read before it is enabled, when it has no next execution",
        "F24",
        (
            in_open(
                (
                    "        self.ssm.update_maintenance_window(WindowId=window_id, Enabled=enabled)\n"
                    "        window = self.ssm.get_maintenance_window(WindowId=window_id)\n"
                ),
                (
                    "        window = self.ssm.get_maintenance_window(WindowId=window_id)\n"
                    "        self.ssm.update_maintenance_window(WindowId=window_id, Enabled=enabled)\n"
                    '        window["Enabled"] = enabled\n'
                ),
            ),
        ),
    ),
    Bug(
        "open-no-read-back",
        "what enabling answered is believed, and the next execution is guessed",
        "F24",
        (
            in_open(
                "window = self.ssm.get_maintenance_window(WindowId=window_id)",
                (
                    'window = self.ssm.get_maintenance_window(WindowId=window_id) | {"Enabled": enabled}\n'
                    '        window["NextExecutionTime"] = format_instant(datetime.now(UTC) + self.lead)'
                ),
            ),
        ),
    ),
    Bug(
        "open-cutoff-forgotten",
        "admission ends with the window, not with its cutoff",
        "F56",
        (_rules('end, end - timedelta(hours=window["Cutoff"])', "end, end"),),
        "F57",
    ),
    Bug(
        "open-local-time",
        "the offset of the window's next execution is left out",
        "F11",
        (
            _rules(
                'instant = datetime.fromisoformat(re.sub(r"\\[[\\w/+-]+\\]$", "", text))',
                (
                    'instant = datetime.fromisoformat(re.sub(r"([+-]\\d\\d:\\d\\d|Z)?(\\[[\\w/+-]+\\])?$", '
                    '"+00:00", text))'
                ),
            ),
        ),
    ),
    Bug(
        "open-freeze-ignored",
        "the gate does not read the freezes",
        "F53",
        (UNFROZEN,),
        "F53",
    ),
    Bug(
        "open-freeze-now",
        "the gate reads the freezes of now, not those of the window's start",
        "F53",
        (in_open("lane.check_freeze(times[0])", "lane.check_freeze(now)"),),
        "F53",
        ("calendar",),
    ),
    Bug(
        "open-lease-first",
        "the lease is created before the evidence",
        "F44",
        (
            in_open(_EVIDENCE, ""),
            in_open(
                "            return lane.obey(cycle, lane.leases()[cycle])\n    else:\n",
                "            return lane.obey(cycle, lane.leases()[cycle])\n"
                "        lane.write_evidence(cycle, record, findings)\n"
                "    else:\n        lane.write_evidence(cycle, record, findings)\n",
            ),
        ),
        "F44,F45",
    ),
    Bug(
        "open-evidence-missing",
        "the verdict is not written",
        "promise 4",
        (in_open(_EVIDENCE, ""),),
    ),
    Bug(
        "open-evidence-swallowed",
        "a verdict that cannot be written is left out",
        "F44",
        (
            in_open(
                _EVIDENCE,
                (
                    "    try:\n"
                    "        lane.write_evidence(cycle, record, findings)\n"
                    "    except Exception:\n"
                    "        pass\n"
                ),
            ),
        ),
        "F44,F45",
    ),
    Bug(
        "open-evidence-denied-only",
        "the verdict has no rows for machines that are let in",
        "promise 4",
        (
            in_open(
                "[finding._asdict() for finding in findings]",
                '[finding._asdict() for finding in findings if finding.status == "denied"]',
            ),
        ),
        "none",
    ),
    Bug(
        "open-evidence-shifted",
        "the verdict names each finding by its neighbour's id",
        "promise 4",
        (
            in_open(
                "found = [self.finding(*target, jobs, agents) for target in targets]",
                (
                    "found = [self.finding(*target, jobs, agents)._replace(instance=other[0]) for target, "
                    "other in zip(targets, targets[1:] + targets[:1])]"
                ),
            ),
        ),
        "F02",
    ),
    Bug(
        "open-lease-overwritten",
        "Overwrite=True: a concurrent gate writes the lease a second time",
        "F28",
        (in_open('Type="String", Overwrite=False)', 'Type="String", Overwrite=True)'),),
        "F28",
    ),
    Bug(
        "open-decides-again",
        "a duplicate decides again",
        "F28",
        (
            in_open(
                '    if "open" in lease or "closed" in lease:\n        return lane.obey(cycle, lease)\n    findings',
                "    findings",
            ),
        ),
        "F28",
    ),
    Bug(
        "open-hold-leaves-window",
        "a hold leaves the window as it is",
        "F23",
        (HOLD_LEAVES_WINDOW,),
        "F06,F23,F53",
        masked_by="the lease, without which nothing is installed",
        with_it="hold-leaves-window-without-lease",
    ),
    Bug(
        "open-hold-forgotten",
        "a hold is not remembered",
        "promise 4",
        (in_open("        lane.write_hold(cycle, record)\n", ""),),
        "F06,F53",
    ),
    Bug(
        "open-stopped-unnamed",
        "machines that are not running at the gate are not looked at",
        "F39",
        (in_open('["pending", "running", "stopping", "stopped"]', '["running"]'),),
        "F39",
    ),
    Bug(
        "open-tells-nobody",
        "a gate publishes nothing",
        "promise 4",
        (in_open("        lane.notify(record, findings)\n", "        pass\n"),),
        "F02,F06",
    ),
    Bug(
        "open-retry-tells-nobody",
        "a gate that died before people were told obeys its lease in silence",
        "promise 4",
        (in_open('if left_out and "told" not in lease:', "if not lease:"),),
        "F08,F30,crash",
    ),
)
