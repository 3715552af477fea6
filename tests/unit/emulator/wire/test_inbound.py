"""Requests that came in over HTTP are those that AWS's own endpoints would have got."""

from __future__ import annotations

import pytest

from patchgate.emulator.wire.inbound import prepare_request

CREDENTIAL = "AKIAX/20260704/eu-west-1/{}/aws4_request"


def headers(service: str) -> list[tuple[str, str]]:
    signature = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL.format(service)}, SignedHeaders=host, Signature=0"
    return [("Host", "127.0.0.1:4566"), ("Authorization", signature)]


@pytest.mark.parametrize(
    ("service", "target", "url"),
    [
        ("ssm", "/", "https://ssm.eu-west-1.amazonaws.com/"),
        ("s3", "/bucket/a%20b?x-id=PutObject", "https://s3.eu-west-1.amazonaws.com/bucket/a%20b?x-id=PutObject"),
        ("backup", "http://127.0.0.1:4566/backup-jobs/?a=b", "https://backup.eu-west-1.amazonaws.com/backup-jobs/?a=b"),
        ("sts", "http://127.0.0.1:4566", "https://sts.eu-west-1.amazonaws.com/"),
    ],
)
def test_a_signed_request_goes_to_the_service_it_was_signed_for(service: str, target: str, url: str) -> None:
    request = prepare_request("POST", target, headers(service), b"body")
    assert (request.method, request.url, request.body) == ("POST", url, b"body")
    assert request.headers.get_all("Host") == [url.split("/")[2]]


def test_a_presigned_request_says_it_in_its_query() -> None:
    query = "X-Amz-Credential=" + CREDENTIAL.format("s3").replace("/", "%2F")
    request = prepare_request("GET", f"/bucket/key?{query}", [("Host", "localhost")], b"")
    assert request.url == f"https://s3.eu-west-1.amazonaws.com/bucket/key?{query}"


def test_an_unsigned_request_goes_nowhere() -> None:
    assert prepare_request("GET", "/bucket", [("Host", "localhost")], b"").url == "https://unsigned.invalid/bucket"
