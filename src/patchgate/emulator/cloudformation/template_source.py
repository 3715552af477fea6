"""Where a template comes from: a request's TemplateBody, or an object in S3 that its TemplateURL names.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html

Assumptions: the Region that a TemplateURL names is not compared with its bucket's; the caller reads the object, not the
stack's service role; the texts of the refusals are those that users of CloudFormation have reported.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from patchgate.emulator.cloud import Cloud, Params, Scope
from patchgate.emulator.cloudformation.reader import MAX_OBJECT_BYTES, MAX_TEMPLATE_BYTES, invalid, refuse_size
from patchgate.emulator.errors import AwsError, NotEmulatedError

_S3_HOST = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.)?s3(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-\d)?"
    r"\.amazonaws\.com(?:\.cn)?"
)
_MORE = "For more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"


class DeployedTemplate(str):  # noqa: SLOT000 - a str with slots cannot be pickled by every protocol
    """A template's text that was found good before: as long as it is, it may be a TemplateBody."""


@dataclass(frozen=True, slots=True)
class TemplateObject:
    """The object that a TemplateURL names; ``version`` "" is the latest."""

    bucket: str
    key: str
    version: str = ""


def given_template(cloud: Cloud, scope: Scope, params: Params) -> str | None:
    """The text that a request gives, None where it gives none; ValidationError where it cannot be had or is too long.

    An object may have 1 MB, a TemplateBody 51,200 bytes.
    """
    body, url = params.get("TemplateBody"), params.get("TemplateURL")
    if body is not None and url is not None:
        raise invalid("You can specify either Template URL or Template Body, but not both.")
    if url is not None:
        return _read(cloud, scope, locate(str(url)))
    if body is not None and not isinstance(body, DeployedTemplate):
        refuse_size(str(body), MAX_TEMPLATE_BYTES)
    return None if body is None else str(body)


def needed_template(cloud: Cloud, scope: Scope, params: Params) -> str:
    """``given_template``, or ValidationError where there is none."""
    body = given_template(cloud, scope, params)
    if body is None:
        raise invalid("Either Template URL or Template Body must be specified.")
    return body


def locate(url: str) -> TemplateObject:
    """The object of a TemplateURL, in virtual-hosted or path style; ValidationError for what is no address of S3.

    The address of a server of the embedded AWS, an IP address or ``localhost``, is S3's in path style.
    """
    if url.startswith("ssm-doc:"):
        raise NotEmulatedError("TemplateURL with a Systems Manager document")
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError as error:
        raise invalid("TemplateURL must be a supported URL.") from error
    found = _S3_HOST.fullmatch(host)
    if parts.scheme not in ("http", "https") or not host:
        raise invalid("TemplateURL must be a supported URL.")
    if (found is None and not _is_own(host)) or (parts.scheme == "http" and found is not None):
        raise invalid(f"Domain name specified in {host} is not a valid S3 domain")
    path = unquote(parts.path).removeprefix("/")
    bucket = found["bucket"] if found is not None else None
    if not bucket:
        bucket, _, path = path.partition("/")
    if not bucket or not path:
        raise invalid("TemplateURL must reference a valid S3 object to which you have access.")
    return TemplateObject(bucket, path, parse_qs(parts.query).get("versionId", [""])[0])


def _is_own(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _read(cloud: Cloud, scope: Scope, named: TemplateObject) -> str:
    params = {"Bucket": named.bucket, "Key": named.key} | ({"VersionId": named.version} if named.version else {})
    try:
        content = cloud.invoke(scope, "s3", "GetObject", params)["Body"]
    except NotEmulatedError:
        raise
    except AwsError as error:
        said = "Access Denied" if error.code == "AccessDenied" else error.message
        raise invalid(f"S3 error: {said}\n{_MORE}") from error
    if len(content) > MAX_OBJECT_BYTES:
        raise invalid(f"Template may not exceed {MAX_OBJECT_BYTES} bytes in size.")
    try:
        return str(content.decode())
    except UnicodeDecodeError as error:
        raise invalid("Template format error: the object is not UTF-8 text.") from error
