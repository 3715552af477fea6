"""Freezes, and a log bucket that takes nothing."""

from __future__ import annotations

import json
from datetime import timedelta

from patchgate.rehearsal.campaign.acts.scene import Given, Harm, Scene, act
from patchgate.rehearsal.campaign.ground import calendar_text


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
    """One of the change calendars is closed for ``minutes`` from now; ``which`` counts to it."""
    if not scene.terrain.calendars:
        return None
    name, now = scene.terrain.calendars[int(str(given["which"]))], scene.cloud.now
    _write_calendar(scene, name, calendar_text([(now, now + timedelta(minutes=int(str(given["minutes"]))))]))
    return Harm(lambda: _write_calendar(scene, name, calendar_text(())))


def _write_calendar(scene: Scene, name: str, text: str) -> None:
    known = scene.call("ssm", "GetDocument", Name=name)["Content"]
    if known == text:
        return
    request = {"Name": name, "Content": text, "DocumentFormat": "TEXT"}
    version = scene.call("ssm", "UpdateDocument", **request, DocumentVersion="$LATEST")["DocumentDescription"]
    latest = version["DocumentVersion"]
    scene.call("ssm", "UpdateDocumentDefaultVersion", Name=name, DocumentVersion=latest)


@act
def deny_bucket(scene: Scene, given: Given) -> Harm | None:  # noqa: ARG001 - as every act
    """The log bucket takes no more objects."""
    bucket, place = scene.terrain.bucket, scene.terrain.log_scope
    if not bucket:
        return None
    present = scene.cloud.invoke(place, "s3", "GetBucketPolicy", {"Bucket": bucket})["Policy"]
    before = scene.before(bucket, present)
    arn = f"arn:{scene.terrain.scope.partition}:s3:::{bucket}/*"
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    if present == policy:
        return None
    _write_policy(scene, policy)
    return Harm(lambda: _write_policy(scene, before))


def _write_policy(scene: Scene, policy: str) -> None:
    request = {"Bucket": scene.terrain.bucket, "Policy": policy}
    scene.cloud.invoke(scene.terrain.log_scope, "s3", "PutBucketPolicy", request)
