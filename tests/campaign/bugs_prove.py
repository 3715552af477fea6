"""Bugs in the proof at the point of use, and in the rules that only it has."""

from __future__ import annotations

from .seeding import Bug, SourceEdit, in_prove

_UNTIL = "not_after = min(until, started + timedelta(seconds=int(events["
_NOT_AFTER = _UNTIL + '"ProofMaxAgeSeconds"])))'
_CAUGHT = "    except Denied as denied:\n        answer |="


def _rules(old: str, new: str, only: str = "prove") -> SourceEdit:
    return SourceEdit("rules", old, new, only)


IGNORE_VOLUMES = _rules('missing = sorted(volumes - {snapshot["VolumeId"] for snapshot in found})', "missing = []")
STATE_IGNORED = _rules('if state != "COMPLETED":', 'if state not in ("COMPLETED", "RUNNING"):')
STATUS_IGNORED = in_prove(
    'state = self.backup.describe_recovery_point(BackupVaultName=vault, RecoveryPointArn=point)["Status"]',
    'state = "COMPLETED"',
)
NOT_LOOKED_FOR = in_prove('if point not in [p["RecoveryPointArn"] for p in kept]:', "if not point:")
NOTHING_HELD = (
    in_prove("            held += recovered_snapshots(point, self.images(point))\n", ""),
    in_prove(
        "oldest = check_coverage(attached_volumes(self.instance()), held, known, now, maximum_age)", "oldest = now"
    ),
)
IGNORE_ADMIT_UNTIL = _rules("if now >= until:", "if until < start:")
PROOF_OUTLIVES_LEASE = in_prove(_NOT_AFTER, _NOT_AFTER.replace("min(until, ", "max(started, "))

FREEZE_IGNORED = in_prove("        proof.check_freeze(started)\n", "")

LEASE_IGNORED = in_prove(
    'answer["Cycle"], until = proof.lease(started)', ('answer["Cycle"], until = "none", started + timedelta(hours=1)')
)

PROVE_BUGS = (
    Bug("volumes-dropped", "the volume check is dropped", "F16", (IGNORE_VOLUMES,), "F16"),
    Bug(
        "volumes-attaching",
        "volumes that are still attaching are not counted",
        "F16",
        (_rules('if "Ebs" in m}', 'if m.get("Ebs", {}).get("Status") == "attached"}'),),
        "F16",
    ),
    Bug(
        "volumes-first-only",
        "only the root volume is looked at",
        "F16",
        (_rules('for m in instance.get("BlockDeviceMappings", [])', 'for m in instance["BlockDeviceMappings"][:1]'),),
        "F16",
    ),
    Bug(
        "age-dropped",
        "the age of a proof is not checked",
        "F13",
        (_rules("<= now - oldest <= maximum_age", "<= now - oldest"),),
        "F13",
        ("calendar", "edge"),
    ),
    Bug(
        "age-in-hours",
        "the age in minutes is read as hours",
        "F13",
        (
            in_prove(
                'timedelta(minutes=int(self.given["MaximumProofAgeMinutes"]))',
                'timedelta(hours=int(self.given["MaximumProofAgeMinutes"]))',
            ),
        ),
        "F13",
        ("calendar", "edge"),
    ),
    Bug(
        "age-of-newest",
        "the age is that of the newest snapshot",
        "F13",
        (
            _rules(
                'min(snapshot["StartTime"] for snapshot in found)', 'max(snapshot["StartTime"] for snapshot in found)'
            ),
        ),
        "F13",
        ("volumes",),
    ),
    Bug(
        "backup-state-ignored",
        "a job that still runs counts",
        "F01",
        (STATE_IGNORED,),
        "F01",
        ("calendar",),
    ),
    Bug(
        "backup-issues-ignored",
        "completed with issues counts as completed",
        "F04",
        (_rules('if issue != "SUCCESS" and issue not in waived:', "if not issue:", ""),),
        "F04",
    ),
    Bug(
        "backup-category-missing",
        "a job without a message category is taken for waived: `''.split(',')` holds the empty text",
        "F04",
        (_rules('job.get("MessageCategory") or "NONE"', 'job.get("MessageCategory") or ""', ""),),
        "F04",
    ),
    Bug(
        "job-oldest",
        "the oldest job is taken for the newest",
        "F05",
        (_rules('job["CreationDate"] > other["CreationDate"]', 'job["CreationDate"] < other["CreationDate"]'),),
        "F05,F09",
    ),
    Bug(
        "vault-not-filtered",
        "recovery points of any vault are a proof",
        "F07",
        (
            in_prove("paginate(ByResourceArn=arn, ByBackupVaultName=vault)", "paginate(ByResourceArn=arn)"),
            in_prove('if p["BackupVaultName"] == vault]', "]"),
            in_prove(
                "BackupVaultName=vault, RecoveryPointArn=point)",
                'BackupVaultName=newest["BackupVaultName"], RecoveryPointArn=point)',
            ),
        ),
        "F05",
        ("calendar",),
    ),
    Bug(
        "resource-not-filtered",
        "the newest job of the vault counts, whoever's it is",
        "F07",
        (in_prove("paginate(ByResourceArn=arn, ByBackupVaultName=vault)", "paginate(ByBackupVaultName=vault)"),),
        "F07",
    ),
    Bug(
        "point-not-looked-for",
        "the job's word is enough: nobody looks whether its recovery point is still there",
        "F14",
        (NOT_LOOKED_FOR,),
        "F14",
        masked_by="DescribeRecoveryPoint, which finds none",
        with_it="point-believed",
    ),
    Bug(
        "point-status-ignored",
        "a recovery point's status is not read",
        "F14",
        (STATUS_IGNORED,),
        "F14",
        masked_by="ListRecoveryPointsByResource and the image's state",
        with_it="point-believed",
    ),
    Bug(
        "point-believed",
        "the job's word is enough: neither recovery point nor image nor snapshots are looked at",
        "F14",
        (NOT_LOOKED_FOR, STATUS_IGNORED, *NOTHING_HELD),
        "F14",
    ),
    Bug("coverage-dropped", "image, snapshots, volumes and age are not looked at", "F16", NOTHING_HELD, "F16"),
    Bug(
        "not-after-lease",
        "a proof lives as long as its lease",
        "F55",
        (in_prove(_NOT_AFTER, "not_after = until"),),
        "F30,F55,F56",
    ),
    Bug(
        "not-after-late",
        "a proof's life begins when it was read, not when reading began",
        "F55",
        (in_prove(_NOT_AFTER, _NOT_AFTER.replace("started +", "datetime.now(UTC) +")),),
        "F29,F47",
    ),
    Bug(
        "not-after-past-lease",
        "a proof may outlive its lease",
        "F56",
        (PROOF_OUTLIVES_LEASE,),
        "F30,F55,F56",
    ),
    Bug(
        "lease-ignored",
        "the lease is not read",
        "F23",
        (LEASE_IGNORED,),
        "F23,F26,F27",
    ),
    Bug(
        "lease-closed-ignored",
        "a closed lease admits",
        "F32",
        (_rules('if "closed" in lease:\n        raise', 'if "closing" in lease:\n        raise'),),
        "F23,F24,F26",
    ),
    Bug(
        "lease-end-ignored",
        "an expired lease admits",
        "F31",
        (IGNORE_ADMIT_UNTIL,),
        "F19,F57",
    ),
    Bug(
        "lease-end-forgotten",
        "an expired lease admits, and a proof may outlive it",
        "F31",
        (IGNORE_ADMIT_UNTIL, PROOF_OUTLIVES_LEASE),
        "F19,F57",
    ),
    Bug(
        "lease-oldest",
        "the oldest lease is obeyed",
        "F28",
        (_rules("opened[-1], leases[opened[-1]]", "opened[0], leases[opened[0]]"),),
    ),
    Bug(
        "lease-start-ignored",
        "a lease admits before its window begins",
        "F25",
        (_rules("if now < start - CLOCK_SLACK:", "if until < start:"),),
        "F19,F23",
    ),
    Bug(
        "lease-first-page",
        "only the first page of the lane's parameters is read",
        "F21",
        (
            in_prove(
                'read_leases([p for page in pages for p in page["Parameters"]]',
                'read_leases(next(iter(pages))["Parameters"]',
            ),
        ),
        "F21",
    ),
    Bug(
        "prove-outlives-itself",
        "a proof whose reads took longer than it lives admits all the same",
        "promise 1",
        (in_prove('    if answer["Decision"] == "admit" and datetime', "    if not answer and datetime"),),
        "F29,F30",
    ),
    Bug(
        "freeze-ignored",
        "the freezes are not read",
        "F53",
        (FREEZE_IGNORED,),
        "F53",
    ),
    Bug(
        "freeze-global-only",
        "only the freeze of everything is read",
        "F53",
        (in_prove('Names=["/patchgate/freeze", self.prefix + "freeze"]', 'Names=["/patchgate/freeze"]'),),
        "F53",
    ),
    Bug(
        "freeze-calendar-ignored",
        "a closed change calendar does not matter",
        "F53",
        (in_prove('if state["State"] != "OPEN":', 'if not state["State"]:'),),
        "F53",
        ("calendar",),
    ),
    Bug(
        "tags-ignored",
        "the lane's tags are not checked again",
        "F18, F43",
        (_rules("if wrong:", "if not tags:"),),
        "F18",
    ),
    Bug(
        "agent-ignored",
        "the agent is not asked for",
        "F38",
        (in_prove("        check_agent(self.ssm", "        list(self.ssm"),),
        "F38,F55",
    ),
    Bug(
        "errors-admit",
        "any error is caught, and the instance admitted",
        "F29",
        (
            in_prove(
                _CAUGHT,
                (
                    "    except Exception as denied:\n"
                    "        if not isinstance(denied, Denied):\n"
                    '            answer |= {"Decision": "admit", "NotAfter": str(int((started + '
                    "timedelta(minutes=2)).timestamp()))}\n"
                    '            denied = Denied("")\n'
                    "        answer |="
                ),
            ),
        ),
        "F02,F29,F47",
    ),
    Bug(
        "errors-deny",
        "any error is caught, and the instance denied for whatever reason comes first",
        "F29",
        (in_prove(_CAUGHT, '    except Exception:\n        denied = Denied("agent-offline")\n        answer |='),),
        "F29,F47",
    ),
    Bug(
        "evidence-missing",
        "the proof's evidence is not written",
        "promise 4",
        (in_prove("    proof.write_evidence(answer, started)\n", ""),),
    ),
    Bug(
        "evidence-error-swallowed",
        "evidence that cannot be written is left out",
        "F44",
        (
            in_prove(
                "    proof.write_evidence(answer, started)\n",
                "    try:\n        proof.write_evidence(answer, started)\n    except Exception:\n        pass\n",
            ),
        ),
        "F44,F45",
    ),
    Bug(
        "evidence-of-denials",
        "evidence is written of denials only",
        "promise 4",
        (
            in_prove(
                "    proof.write_evidence(answer, started)\n",
                '    if answer["Decision"] == "deny":\n        proof.write_evidence(answer, started)\n',
            ),
        ),
    ),
    Bug(
        "evidence-false",
        "the evidence is written before the answer is known",
        "promise 4",
        (
            in_prove("    proof.write_evidence(answer, started)\n", ""),
            in_prove(
                '    try:\n        answer["Cycle"]',
                '    proof.write_evidence(answer, started)\n    try:\n        answer["Cycle"]',
            ),
        ),
    ),
    Bug(
        "evidence-wrong-place",
        "the evidence lies in no cycle",
        "promise 4",
        (in_prove('answer["Cycle"] or "no-cycle"', '"no-cycle"'),),
    ),
)
