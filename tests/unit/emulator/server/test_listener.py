"""The sockets: what HTTP asks of a server, and who is not answered."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable

import pytest

from patchgate.emulator.server import CloudHost, EmulatorServer
from patchgate.emulator.server.listener import LARGEST_BODY
from patchgate.errors import InputError

Connect = Callable[[], http.client.HTTPConnection]
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIA111122223333/20260704/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
)


def signed(service: str, **headers: str) -> dict[str, str]:
    return {"Authorization": SIGNED.format(service)} | {name.replace("_", "-"): text for name, text in headers.items()}


def test_one_connection_serves_many_requests(connect: Connect) -> None:
    connection = connect()
    for _ in range(3):
        connection.request("GET", "/_patchgate/health")
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["status"]) == (200, "ok")


def test_requests_of_web_pages_are_refused(connect: Connect) -> None:
    connection = connect()
    connection.request("POST", "/_patchgate/reset", headers={"Origin": "https://example.com"})
    assert connection.getresponse().status == 403


@pytest.mark.parametrize(
    ("name", "status"),
    [("127.0.0.1", 200), ("localhost:80", 200), ("[::1]:4566", 200), ("rebound.example.com", 403), ("", 403)],
)
def test_only_names_of_its_own_are_answered(connect: Connect, name: str, status: int) -> None:
    connection = connect()
    connection.request("GET", "/_patchgate/health", headers={"Host": name})
    assert connection.getresponse().status == status


def test_an_unsigned_request_is_refused_as_aws_does(connect: Connect) -> None:
    connection = connect()
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["__type"]) == (403, "MissingAuthenticationToken")


def test_objects_with_heads_and_without_bodies(connect: Connect) -> None:
    connection = connect()
    for method, target, body, status in (
        ("PUT", "/bucket-of-tests", b"", 200),
        ("PUT", "/bucket-of-tests/a%20b/%C3%BC?", b"\x00\xffbytes", 200),
        ("HEAD", "/bucket-of-tests/a%20b/%C3%BC", b"", 200),
        ("GET", "/bucket-of-tests/a%20b/%C3%BC", b"", 200),
        ("DELETE", "/bucket-of-tests/a%20b/%C3%BC", b"", 204),
        ("HEAD", "/bucket-of-tests/a%20b/%C3%BC", b"", 404),
    ):
        connection.request(method, target, body, signed("s3"))
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == status, (method, target, content)
        if (method, status) == ("HEAD", 200):
            assert answer.headers["Content-Length"] == "7"
        if method == "GET":
            assert content == b"\x00\xffbytes"


def test_chunked_bodies(connect: Connect) -> None:
    connection = connect()
    headers = signed(
        "ssm", X_Amz_Target="AmazonSSM.DescribeMaintenanceWindows", Content_Type="application/x-amz-json-1.1"
    )
    connection.request("POST", "/", iter([b"{", b"}"]), headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)) == (200, {"WindowIdentities": []})


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: many\r\n\r\n",
        b"Content-Length: %d\r\n\r\n" % (LARGEST_BODY + 1),
        b"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n",
    ],
)
def test_bodies_that_cannot_be_read(server: EmulatorServer, framing: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"POST /_patchgate/clock HTTP/1.1\r\nHost: localhost\r\n" + framing)
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 400 ")


def test_what_the_embedded_aws_has_not_is_said(connect: Connect) -> None:
    connection = connect()
    headers = signed("ssm", X_Amz_Target="AmazonSSM.CreateOpsItem", Content_Type="application/x-amz-json-1.1")
    connection.request("POST", "/", b'{"Description": "d", "Source": "s", "Title": "t"}', headers)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["__type"]) == (501, "NotEmulated")


def test_a_port_in_use_is_said_in_one_line(server: EmulatorServer, host: CloudHost) -> None:
    with pytest.raises(InputError, match=rf"^cannot listen on 127\.0\.0\.1 port {server.port}: "):
        EmulatorServer.bind("127.0.0.1", server.port, host)


def test_the_url_is_one_that_clients_can_use(host: CloudHost) -> None:
    for name, url in (("127.0.0.1", "http://127.0.0.1"), ("localhost", "http://localhost"), ("", "http://127.0.0.1")):
        with EmulatorServer.bind(name or "0.0.0.0", 0, host) as server:  # noqa: S104 - for a moment
            assert server.url == f"{url}:{server.port}"
