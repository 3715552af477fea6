"""Clients for every account of the organization: the caller's own credentials, and a role in each other account.

Credentials, profiles, SSO and endpoints are those of the SDK's own settings. The role is assumed when it is needed and
again before its hour is over. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError

from patchgate._version import __version__
from patchgate.aws.refusals import RefusedError, describe_refusal, refusals
from patchgate.operations.rollout.facts import Caller

WORKERS = 16
"""Calls at once; the adaptive retries of the SDK slow them down when AWS throttles."""

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


class Accounts:
    """Clients by account, Region and service. Usable from several threads.

    ``region`` is where the caller's identity is asked for. Raises RefusedError when there is no such profile.
    """

    def __init__(self, member_role: str, region: str, partition: str, *, profile: str | None = None) -> None:
        with refusals("reading the SDK's settings"):
            self._base = _session(profile)
            self._base.get_scoped_config()
        self._member_role = member_role
        self._region = region
        self._partition = partition
        self._lock = threading.Lock()
        self._sessions: dict[str, botocore.session.Session] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._caller: Caller | None = None
        self._config = Config(
            retries={"mode": "adaptive", "total_max_attempts": 8},
            max_pool_connections=WORKERS,
            connect_timeout=10,
            read_timeout=60,
            user_agent_extra=f"patchgate/{__version__}",
        )

    def caller(self) -> Caller:
        """Who asks. Raises RefusedError without credentials that AWS takes."""
        with self._lock:
            if self._caller is None:
                with refusals("asking who you are (sts:GetCallerIdentity)"):
                    answer = self._sts().get_caller_identity()
                self._caller = Caller(answer["Account"], answer["Arn"])
            return self._caller

    def client(self, account: str, region: str, service: str) -> Any:
        """A client of that service, as the caller in its own account and as the member role in any other."""
        own = self.caller().account
        with self._lock:
            key = (account, region, service)
            if key not in self._clients:
                with refusals(f"making a client of {service} in {account}/{region}"):
                    session = self._base if account == own else self._member(account)
                    self._clients[key] = session.create_client(service, region_name=region, config=self._config)
            return self._clients[key]

    def _sts(self) -> Any:
        return self._base.create_client("sts", region_name=self._region, config=self._config)

    def _member(self, account: str) -> botocore.session.Session:
        if account not in self._sessions:
            arn = f"arn:{self._partition}:iam::{account}:role/{self._member_role}"
            session = _session()
            resolver = CredentialResolver(providers=[MemberRole(self._sts(), arn)])
            session.register_component("credential_provider", resolver)
            self._sessions[account] = session
        return self._sessions[account]


def _session(profile: str | None = None) -> botocore.session.Session:
    """A session of the SDK; all of them share what they have read of its service models."""
    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", _models(session.get_config_variable("data_path") or ""))
    return session


@cache
def _models(search_path: str) -> botocore.loaders.Loader:
    return botocore.loaders.create_loader(search_path or None)


class MemberRole(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """Credentials of a role, as another account's principal gets them."""

    METHOD = "patchgate-member-role"

    def __init__(self, sts: Any, arn: str) -> None:
        super().__init__()
        self._sts = sts
        self._arn = arn

    def load(self) -> DeferredRefreshableCredentials:
        """What botocore asks a provider for; the role is assumed at the first call."""
        return DeferredRefreshableCredentials(refresh_using=self._fetch, method=self.METHOD)

    def _fetch(self) -> dict[str, str]:
        try:
            answer = self._sts.assume_role(RoleArn=self._arn, RoleSessionName="patchgate")["Credentials"]
        except (ClientError, BotoCoreError) as error:
            reason, _ = describe_refusal(f"assuming the role {self._arn}", error)
            remedy = (
                "make the role in that account and let it trust yours, or name another with deployment.member_role in "
                "the fleet file, or --member-role"
            )
            raise RefusedError(reason, remedy=remedy) from error
        return {
            "access_key": answer["AccessKeyId"],
            "secret_key": answer["SecretAccessKey"],
            "token": answer["SessionToken"],
            "expiry_time": answer["Expiration"].isoformat(),
        }


def fan_out(function: Callable[[_Item], _Found], items: Iterable[_Item], workers: int = WORKERS) -> list[_Found]:
    """The function of every item, in their order, several at once; the first exception ends it."""
    with ThreadPoolExecutor(workers, thread_name_prefix="aws") as pool:
        try:
            return list(pool.map(function, items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
