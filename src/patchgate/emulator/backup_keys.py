"""The keys that a backup needs: those that the volumes are encrypted with.

https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html: recovery points of EC2 and EBS are encrypted as
their source is, with its key.

Assumptions: a backup asks the key of each encrypted volume for kms:DescribeKey and kms:CreateGrant with its role, which
are what AWS's own policy for it allows; a key that cannot be used in its state fails the job; the texts are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.kms import Kms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from patchgate.emulator.cloud import Cloud, Scope
    from patchgate.emulator.ec2_resources import Volume

_ASKED = ("DescribeKey", "CreateGrant")


def key_denial(cloud: Cloud, acting: Scope, volumes: Iterable[Volume]) -> str:
    """Why the role of ``acting`` cannot back the volumes up for the sake of their keys, or nothing."""
    if not cloud.has_component(Kms):
        return ""
    for volume in volumes:
        key = cloud.component(Kms).find(acting, volume.key_arn) if volume.key_arn else None
        if key is None:
            continue
        try:
            for operation in _ASKED:
                cloud.authority.check(acting, "kms", operation, {"KeyId": key.arn, "ViaService": "ec2"})
            key.check_usable()
        except NotEmulatedError:
            raise
        except AwsError as error:
            return f"Access denied trying to call AWS KMS for volume {volume.volume_id}. {error.message}"
    return ""
