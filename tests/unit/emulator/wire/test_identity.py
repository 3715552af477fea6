"""Keys stand for one identity each, and a request's credential scope is read from its header or its query."""

from __future__ import annotations

import re

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from patchgate.emulator.wire.identity import Identity, KeyRing, OpenKeyRing, Signature, signature_of


def prepared(url: str, **headers: str | bytes) -> AWSPreparedRequest:
    carried = HTTPHeaders()
    for name, value in headers.items():
        carried[name] = value
    return AWSPreparedRequest("GET", url, carried, b"", stream_output=False)


def test_keys_look_like_awss_and_are_the_same_in_every_run() -> None:
    operator, role = Identity("111122223333"), Identity("111122223333", "arn:aws:iam::111122223333:role/gate")
    keys = [KeyRing().mint(identity) for identity in (operator, role)]
    assert keys == [KeyRing().mint(identity) for identity in (operator, role)]
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", keys[0])
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", keys[1])


def test_a_key_leads_back_to_its_owner_and_to_nobody_else() -> None:
    ring = KeyRing()
    identity = Identity("111122223333", "arn:aws:iam::111122223333:role/gate")
    assert ring.owner(ring.mint(identity)) == identity
    assert ring.owner("AKIAIOSFODNN7EXAMPLE") is None


@pytest.mark.parametrize("convert", [str, str.encode])
def test_signature_in_the_header(convert: type) -> None:
    header = "AWS4-HMAC-SHA256 Credential=AKIAX/20260704/eu-west-1/ssm/aws4_request, SignedHeaders=host, Signature=0"
    request = prepared("https://ssm.eu-west-1.amazonaws.com/", Authorization=convert(header))
    assert signature_of(request) == Signature("AKIAX", "eu-west-1", "ssm")


def test_signature_in_a_presigned_url() -> None:
    url = "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIAX%2F20260704%2Fcn-north-1%2Fs3%2Faws4_request&X-Amz-Date=1"
    assert signature_of(prepared(url)) == Signature("AKIAX", "cn-north-1", "s3")


def test_no_signature() -> None:
    assert signature_of(prepared("https://ssm.eu-west-1.amazonaws.com/")) is None
    assert signature_of(prepared("https://ssm.eu-west-1.amazonaws.com/", Authorization="Bearer x")) is None


@pytest.mark.parametrize(
    ("key", "account"),
    [
        ("111122223333", "111122223333"),
        ("AKIA111122223333", "111122223333"),
        ("ASIA111122223333", "111122223333"),
        ("AKIAIOSFODNN7EXAMPLE", "999999999999"),
        ("AKIA1111222233334", "999999999999"),
        ("test", "999999999999"),
    ],
)
def test_an_open_ring_takes_any_key(key: str, account: str) -> None:
    assert OpenKeyRing("999999999999").owner(key) == Identity(account)


def test_an_open_ring_knows_the_keys_that_it_handed_out() -> None:
    ring, identity = OpenKeyRing(), Identity("111122223333", "arn:aws:iam::111122223333:role/gate")
    assert ring.owner(ring.mint(identity)) == identity
