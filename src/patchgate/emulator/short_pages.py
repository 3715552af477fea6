"""Lists that AWS answers with fewer items than were asked for, and a token for the rest: a fault that is none of AWS's.

"The number of items returned, however, can be between zero and the value of MaxResults":
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html

"The response might contain fewer keys but will never contain more":
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html

What a caller asks for is a maximum elsewhere, too: "The maximum number of items to return", with a token for the next
ones. Assumption: then a page may hold fewer as well, but not none.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindows.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupJobs.html
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByResource.html

EC2 pages where MaxResults is given, and only there.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

LISTS: Mapping[tuple[str, str], str] = {
    ("backup", "ListBackupJobs"): "BackupJobs",
    ("backup", "ListRecoveryPointsByBackupVault"): "RecoveryPoints",
    ("backup", "ListRecoveryPointsByResource"): "RecoveryPoints",
    ("ec2", "DescribeInstances"): "Reservations",
    ("s3", "ListObjectsV2"): "Contents",
    ("ssm", "DescribeInstanceInformation"): "InstanceInformationList",
    ("ssm", "DescribeMaintenanceWindows"): "WindowIdentities",
    ("ssm", "GetParametersByPath"): "Parameters",
}
"""(service, operation) -> the member that holds the items. All but S3's page with NextToken."""

MAY_BE_EMPTY = frozenset({("ssm", "GetParametersByPath")})
"""Lists whose page may hold nothing, and a token all the same."""

_TOKEN = re.compile(r"rest-(\d+)-(.*)", re.DOTALL)
_Ask = Callable[[dict[str, Any]], dict[str, Any]]


def is_short(service: str, operation: str, params: Mapping[str, Any]) -> bool:
    """Whether this list may be answered with fewer items than it is asked for."""
    return (service, operation) in LISTS and (service != "ec2" or bool(params.get("MaxResults")))


def smallest(service: str, operation: str, size: int) -> int:
    """A page's size as this list may have it: 0 only where AWS says so."""
    return size if (service, operation) in MAY_BE_EMPTY else max(size, 1)


def shortened_listing(params: dict[str, Any], size: int | None) -> dict[str, Any]:
    """The parameters of ListObjectsV2 with at most that many keys; S3's own token does the rest."""
    if size is None:
        return params
    return params | {"MaxKeys": min(size, int(params.get("MaxKeys", size)))}


def answer_in_short_pages(
    service: str, operation: str, params: dict[str, Any], size: int | None, ask: _Ask
) -> tuple[dict[str, Any], bool]:
    """(one page, whether it was cut short): at most ``size`` items of what ``ask`` answers; None: all of those.

    A page of size 0 is followed by one that holds the rest of what was asked for. Not for S3, which has
    ``shortened_listing``.
    """
    given = _TOKEN.fullmatch(str(params.get("NextToken") or ""))
    place = int(given[1]) if given else 0
    if given:
        params = {name: value for name, value in params.items() if name != "NextToken"}
        params |= {"NextToken": given[2]} if given[2] else {}
    answer = ask(params)
    if size is None and not place:
        return answer, False
    member = LISTS[service, operation]
    items = answer[member]
    end = len(items) if size is None or (given and not size) else min(place + size, len(items))
    cut = end < len(items)
    page = answer | {member: items[place:end]}
    return (page | {"NextToken": f"rest-{end}-{params.get('NextToken') or ''}"} if cut else page), cut
