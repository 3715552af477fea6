"""Who calls: access keys that stand for an account and a principal, and what a signed request says of its sender."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from patchgate.emulator.wire.private import key_owner
from patchgate.emulator.wire.services import service_of

SECRET = "the-embedded-aws-verifies-no-signature"  # noqa: S105 - the same for every key; signatures are not checked

DEFAULT_ACCOUNT = "123456789012"
_NAMED_ACCOUNT = re.compile(r"[A-Z]*(\d{12})")
_SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Identity:
    """The account, and the ARN of the role or user in it ("" is the operator of the run)."""

    account: str
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """The credential scope of a request (Signature Version 4), with the service that its signing name stands for."""

    access_key: str
    region: str
    service: str


def signature_of(request: Any) -> Signature | None:
    """The credential scope that a prepared request was signed for, in its header or its query; None when unsigned."""
    header = request.headers.get("Authorization") or ""
    text = header.decode() if isinstance(header, bytes) else header
    if not text and "X-Amz-Credential" in request.url:
        text = "Credential=" + parse_qs(urlsplit(request.url).query)["X-Amz-Credential"][0]
    match = _SCOPE.search(text)
    return Signature(match["key"], match["region"], service_of(match["service"], request)) if match else None


class KeyRing:
    """Access key ids minted for identities. The same identity has the same key in every run."""

    def __init__(self) -> None:
        self._owners: dict[str, Identity] = {}

    def mint(self, identity: Identity) -> str:
        """The access key id of an identity; long-lived (AKIA) for operators, temporary (ASIA) for roles."""
        digest = hashlib.sha256(f"{identity.account}|{identity.principal}".encode()).digest()
        key = ("ASIA" if identity.principal else "AKIA") + base64.b32encode(digest).decode()[:16]
        self._owners[key] = identity
        return key

    def owner(self, access_key: str) -> Identity | None:
        """Whose key this is: minted here, or handed out by IAM or STS; None when nobody's."""
        identity = self._owners.get(access_key)
        if identity is None and (found := key_owner(access_key)) is not None:
            identity = Identity(*found)
        return identity


class OpenKeyRing(KeyRing):
    """Takes any key, for the tools of people who bring their own. Keys that were handed out here stay whose they are.

    A key id that is an account id (``111122223333``), capital letters before it or not (``AKIA111122223333``), is an
    operator's of that account; every other one is an operator's of ``default_account``.
    """

    def __init__(self, default_account: str = DEFAULT_ACCOUNT) -> None:
        super().__init__()
        self._default_account = default_account

    def owner(self, access_key: str) -> Identity:
        """Whose key this is; never nobody's."""
        named = _NAMED_ACCOUNT.fullmatch(access_key)
        return super().owner(access_key) or Identity(named[1] if named else self._default_account)
