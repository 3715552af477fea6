"""Bugs where volumes are backed up and not machines: found only where the volumes of one machine fare differently."""

from __future__ import annotations

from .bugs_prove import IGNORE_VOLUMES
from .seeding import Bug, SourceEdit, in_open, in_prove

_LANE = ("volumes",)
_FOUND = 'found = sorted((jobs.get(arn) for arn in arns or [""]), key=is_unfinished)'
_PROTECTED = 'for arn in protected_resources(instance, self.arn_prefix, self.given["BackupResources"]):'
_POINT = "            point = self.recovery_point(arn)\n"


FIRST_PROVEN = in_prove(_PROTECTED, _PROTECTED.replace("):", ")[:1]:"))
ANY_PROVEN = in_prove(
    _POINT,
    f"            try:\n    {_POINT}            except Denied:\n                continue\n",
)
NO_VOLUMES_PROVEN = in_open('for arn in arns or [""]', "for arn in arns")
STORE_ROOTS_TAKEN = SourceEdit(
    "rules", 'if instance.get("RootDeviceType") != "ebs":', 'if "RootDeviceType" not in instance:'
)

VOLUME_BUGS = (
    Bug(
        "open-first-volume",
        "the gate takes the first volume's backup for that of all",
        "promise 4",
        (in_open(_FOUND, 'found = [jobs.get(arn) for arn in (arns or [""])[:1]]'),),
        "F02,F03,F04,F08",
        _LANE,
    ),
    Bug(
        "open-any-volume",
        "one volume whose backup completed speaks for the others in the gate",
        "promise 4",
        (
            in_open(
                _FOUND,
                'known = [jobs.get(arn) for arn in arns or [""]]\n'
                '            found = [job for job in known if job and job["State"] == "COMPLETED"][:1] or known',
            ),
        ),
        "F02,F03,F08",
        _LANE,
    ),
    Bug(
        "open-missing-volumes-passed-over",
        "the gate passes over volumes without a job",
        "F08",
        (in_open(_FOUND, "found = [job for arn in arns if (job := jobs.get(arn))] or [None]"),),
        "F08",
        _LANE,
    ),
    Bug(
        "open-running-volume-speaks-first",
        "a volume's backup that still runs hides another's that failed",
        "promise 4",
        (in_open(_FOUND, 'found = sorted((jobs.get(arn) for arn in arns or [""]), key=is_unfinished, reverse=True)'),),
        "F01,F02",
        _LANE,
    ),
    Bug(
        "prove-first-volume",
        "the proof looks at the first volume's recovery point only",
        "promise 1",
        (FIRST_PROVEN,),
        "F02,F14",
        _LANE,
    ),
    Bug(
        "prove-first-volume-installs",
        "the proof looks at the first volume's recovery point only, and does not ask whether all are held",
        "promise 1",
        (FIRST_PROVEN, IGNORE_VOLUMES),
        "F02,F14",
        _LANE,
    ),
    Bug(
        "prove-any-volume",
        "one volume's recovery point proves the machine",
        "promise 1",
        (ANY_PROVEN, IGNORE_VOLUMES),
        "F02,F14",
        _LANE,
    ),
    Bug(
        "no-volumes-proven",
        "a machine without volumes is proven in the gate",
        "F08",
        (NO_VOLUMES_PROVEN,),
        "F08",
        _LANE,
        masked_by="the check of the root device: nothing else is without volumes while it runs",
        with_it="no-volumes-proven-on-any-root",
    ),
    Bug(
        "no-volumes-proven-on-any-root",
        "a machine without volumes is proven in the gate, and its root is not looked at",
        "F08",
        (NO_VOLUMES_PROVEN, STORE_ROOTS_TAKEN),
        "F08",
        _LANE,
    ),
)
