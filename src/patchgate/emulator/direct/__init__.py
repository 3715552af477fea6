"""The direct door: botocore's clients on the cloud, without a wire between them.

    with DirectDoor(cloud) as door:
        ssm = door.session("111122223333", "eu-west-1").client("ssm")

Needs boto3 of the extra ``emulator``, and nothing of moto.
"""

from __future__ import annotations

from patchgate.emulator.direct.door import DirectDoor

__all__ = ["DirectDoor"]
