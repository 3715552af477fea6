"""The wire door: botocore's requests, parsed and answered with moto's machinery, carried out by the cloud.

    with WireDoor(cloud) as door:
        ssm = door.session("111122223333", "eu-west-1").client("ssm")

Needs the extra ``emulator``; nothing else in the embedded AWS imports moto.
"""

from __future__ import annotations

from patchgate.emulator.wire.door import WireDoor
from patchgate.emulator.wire.errors import NetworkRefusedError
from patchgate.emulator.wire.neighbour import MotoNeighbour
from patchgate.emulator.wire.protocol import ModelMismatchError

__all__ = ["ModelMismatchError", "MotoNeighbour", "NetworkRefusedError", "WireDoor"]
