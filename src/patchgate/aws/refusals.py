"""What AWS or the SDK refuses, in words: what was asked, what was said, and what to do. Never a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from patchgate.errors import PatchgateError

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException")
_STALE = (
    "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
    "RequestExpired", "SignatureDoesNotMatch", "AuthFailure", "OptInRequired",
)  # fmt: skip
_SLOW = (
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
    "TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "PriorRequestNotComplete",
)  # fmt: skip
_NO_REMEDIES: Mapping[str, str] = MappingProxyType({})
_LOG_IN = "log in (aws sso login, aws configure), or name a profile that has credentials with --profile"


class RefusedError(PatchgateError):
    """AWS, or the SDK before it, refused a call."""


@contextmanager
def refusals(what: str, remedies: Mapping[str, str] = _NO_REMEDIES) -> Iterator[None]:
    """What the SDK raises inside becomes RefusedError; ``what`` says what was tried, and where.

    ``remedies``: what to do about error codes that mean something of their own here.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        reason, remedy = describe_refusal(what, error)
        if isinstance(error, ClientError):
            remedy = remedies.get(error.response["Error"].get("Code", ""), remedy)
        raise RefusedError(reason, remedy=remedy) from error


def describe_refusal(what: str, error: Exception) -> tuple[str, str]:
    """(what was refused and why, what to do) of an exception of the SDK."""
    if isinstance(error, ClientError):
        said = error.response["Error"]
        code = said.get("Code", "Unknown")
        retries = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
        times = f" (asked {retries + 1} times)" if retries else ""
        return f"{what} was refused: {code}: {said.get('Message', '')}{times}", remedy_for(code)
    return f"{what} failed: {error}", _describe_sdk(error)


def remedy_for(code: str) -> str:
    """What to do about an error code of AWS."""
    if code in _DENIED:
        return "allow this call to the role that you use"
    if code in _STALE:
        return "renew your credentials for this account; if one Region alone says so, enable it in that account"
    if code in _SLOW:
        return "wait a few minutes, and run this again: AWS limits how often it is asked"
    if code == "InsufficientCapabilitiesException":
        return "the template makes IAM resources: acknowledge them with the capability that is named"
    return "correct what the message names and run this again"


def is_said(error: Exception, code: str, text: str = "") -> bool:
    """Whether AWS answered with that code, and a message that contains the text."""
    if not isinstance(error, ClientError):
        return False
    said = error.response["Error"]
    return bool(said.get("Code") == code and text in said.get("Message", ""))


def _describe_sdk(error: Exception) -> str:
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return _LOG_IN
    if isinstance(error, SSOError | TokenRetrievalError):
        return "log in again: aws sso login"
    if isinstance(error, ProfileNotFound):
        return "aws configure list-profiles lists those that are there"
    if isinstance(error, NoRegionError):
        return "name a Region with AWS_DEFAULT_REGION"
    if isinstance(error, ConnectionError | HTTPClientError):
        return "see whether the network and AWS_ENDPOINT_URL are right, and whether the Region is enabled"
    return "correct what the message names and run this again"
