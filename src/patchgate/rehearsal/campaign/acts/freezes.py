"""Freezes, and a log bucket that takes nothing."""

from __future__ import annotations

import json
from datetime import timedelta

from patchgate.rehearsal.campaign.acts.scene import Given, Harm, Scene, act
from patchgate.rehearsal.campaign.ground import CLOSED_CALENDAR, calendar_text


@act
def freeze(scene: Scene, given: Given) -> Harm | None:
    """An operator freezes the lane (``which`` 1) or everything (0) with a parameter."""
    if not scene.terrain.freezes:
        return None
    name = scene.terrain.freezes[int(str(given["which"]))]
    if scene.call("ssm", "GetParameters", Names=[name])["Parameters"]:
        return None
    scene.call("ssm", "PutParameter", Name=name, Value="an incident", Type="String", Overwrite=True)

    def undo() -> None:
        if scene.call("ssm", "GetParameters", Names=[name])["Parameters"]:
            scene.call("ssm", "DeleteParameter", Name=name)

    return Harm(undo)


@act
def close_calendar(scene: Scene, given: Given) -> Harm | None:
    """The change calendar is closed for ``minutes`` from now."""
    if not scene.terrain.calendar:
        return None
    now = scene.cloud.now
    _write_calendar(scene, calendar_text([(now, now + timedelta(minutes=int(str(given["minutes"]))))]))
    return Harm(lambda: _write_calendar(scene, calendar_text(())))


def _write_calendar(scene: Scene, text: str) -> None:
    known = scene.call("ssm", "GetDocument", Name=CLOSED_CALENDAR)["Content"]
    if known == text:
        return
    request = {"Name": CLOSED_CALENDAR, "Content": text, "DocumentFormat": "TEXT"}
    version = scene.call("ssm", "UpdateDocument", **request, DocumentVersion="$LATEST")["DocumentDescription"]
    latest = version["DocumentVersion"]
    scene.call("ssm", "UpdateDocumentDefaultVersion", Name=CLOSED_CALENDAR, DocumentVersion=latest)


@act
def deny_bucket(scene: Scene, given: Given) -> Harm | None:  # noqa: ARG001 - as every act
    """The log bucket takes no more objects."""
    bucket = scene.terrain.bucket
    if not bucket:
        return None
    present = scene.call("s3", "GetBucketPolicy", Bucket=bucket)["Policy"]
    before = scene.before(bucket, present)
    arn = f"arn:{scene.terrain.scope.partition}:s3:::{bucket}/*"
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    if present == policy:
        return None
    scene.call("s3", "PutBucketPolicy", Bucket=bucket, Policy=policy)
    return Harm(lambda: scene.call("s3", "PutBucketPolicy", Bucket=bucket, Policy=before))
