"""Which Regions there are, and what AWS answers to a request that is signed for another one.

The list is the SDK's, whose clients resolve endpoints with it; only its data is read. Every Region of it is there and
enabled in every account.

Assumption: Regions that an account must opt into (https://docs.aws.amazon.com/accounts/latest/reference/
manage-acct-regions.html) are enabled; what AWS answers in one that is not is not emulated.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path

from patchgate.emulator.errors import AwsError
from patchgate.errors import MissingExtraError


@cache
def _regions() -> dict[str, str]:
    """Name of each Region, in every partition -> its description."""
    spec = importlib.util.find_spec("botocore")
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            "the list of Regions comes with botocore, which is not installed",
            remedy="pip install 'patchgate[emulator]'",
        )
    text = (Path(spec.origin).parent / "data" / "partitions.json").read_text(encoding="utf-8")
    partitions = json.loads(text)["partitions"]
    named = (item for partition in partitions for item in partition["regions"].items() if not is_pseudo(item[0]))
    return {name: facts.get("description", name) for name, facts in named}


@cache
def known_regions() -> frozenset[str]:
    """The Regions of every partition."""
    return frozenset(_regions())


def describe_region(region: str) -> str:
    """A Region as people read it: ``US East (N. Virginia)``."""
    return _regions()[region]


def is_pseudo(region: str) -> bool:
    """Whether a name stands for the one endpoint that a service has in a partition (``aws-global``)."""
    return region.endswith("-global")


def unknown_region(region: str, service: str, protocol: str) -> AwsError:
    """What AWS answers to a signature for a Region that does not exist.

    A client without an endpoint of its own does not get as far: no name resolves for such a Region
    (EndpointConnectionError). With one, the request arrives and its credential scope is wrong:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html#signature-v4-troubleshooting-credential-scope

    Assumptions: the texts of EC2 and S3, and that a client finds such an endpoint through the direct door, too.
    """
    message = f"Credential should be scoped to a valid region, not '{region}'."
    if service == "ec2":
        return AwsError("AuthFailure", message, status=401)
    if service == "s3":
        text = f"The authorization header is malformed; the region '{region}' is wrong; expecting 'us-east-1'"
        return AwsError("AuthorizationHeaderMalformed", text)
    if protocol == "query":
        return AwsError("SignatureDoesNotMatch", message, status=403)
    return AwsError("InvalidSignatureException", message, status=403 if protocol == "rest-json" else 400)
