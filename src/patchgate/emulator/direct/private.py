"""Every part of botocore that is no documented interface and that the direct door uses.

What both doors use alike is in emulator/sdk_private.py. Nothing else in ``emulator.direct`` touches these names. Each
has a test that fails when an upgrade removes it or changes its shape.

==================================================  ================================================================
name                                                what the door needs it for
==================================================  ================================================================
``botocore.client.BaseClient._make_api_call``       every call of a client's methods goes through it: overridden
``botocore.client.BaseClient._service_model``       asks ``meta`` for the model: overridden, as ``meta`` is a
                                                    client's own once it was asked for
``BaseClient._PY_TO_OP_NAME``, ``BaseClient._cache``  names and settings of paginators, which are made once here
``botocore.client.ClientMeta._client_config``       with the other arguments of ``ClientMeta``: a client's own ``meta``
``botocore.handlers.generate_idempotent_uuid``      draws client tokens from the system's randomness: taken out
``botocore.handlers.json_decode_policies``          undoes an encoding that answers do not have here: taken out
``botocore.handlers.ParameterAlias._original_name``  whether a handler's parameter is one of an operation's
``botocore.hooks.EventAliaser._emitter``            with ``HierarchicalEmitter._handlers``: who listens to an event
``botocore.retries.standard``                       ``register_retry_handler`` and ``ExponentialBackoff``: rules, quota
                                                    and jitter of the mode ``standard``
``botocore.retryhandler``                           retry rules of the mode ``legacy``
``botocore.translate.build_retry_config``           what those rules are made from
==================================================  ================================================================
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from functools import partial
from types import SimpleNamespace
from typing import Any

import botocore.client
import botocore.handlers
import botocore.retries.standard
import botocore.retryhandler
import botocore.translate

from patchgate.emulator.sdk_private import Waiting

RetryDelay = Callable[..., Any]
"""Called as botocore emits ``needs-retry``: seconds until the next attempt, or None when there is none."""

_IDLE = frozenset(
    {"_handle_request_validation_mode_member", "block_endpoint_discovery_required_operations", "release_retry_quota"}
)
"""Handlers of every call that change nothing here; the quota is that of a prototype, on which nobody draws."""


def take_out_handlers(session: Any) -> None:
    """Clients of the session fill in no client tokens, and leave policies of IAM as they are."""
    session.unregister("before-parameter-build", botocore.handlers.generate_idempotent_uuid)
    session.unregister("after-call.iam", botocore.handlers.json_decode_policies)


def is_heard(events: Any, event: str, members: Collection[str]) -> bool:
    """Whether a handler that does something listens to an event of an operation with those parameters."""
    handlers = events._emitter._handlers.prefix_search(event)  # noqa: SLF001
    return any(
        getattr(handler, "__name__", "") not in _IDLE and not _renames_none(handler, members) for handler in handlers
    )


def _renames_none(handler: Any, members: Collection[str]) -> bool:
    """Whether a handler takes another name for a parameter that the operation does not have."""
    alias = getattr(handler, "__self__", None)
    return isinstance(alias, botocore.handlers.ParameterAlias) and alias._original_name not in members  # noqa: SLF001


def own_meta(meta: Any) -> Any:
    """A client's ``meta`` with events of its own."""
    return botocore.client.ClientMeta(
        copy.copy(meta.events),
        meta._client_config,  # noqa: SLF001
        meta.endpoint_url,
        meta.service_model,
        meta.method_to_api_mapping,
        meta.partition,
    )


def pages_of(client: Any, method: str) -> tuple[dict[str, Any], Any]:
    """How an operation pages, by its Python name, and its model."""
    operation = client._PY_TO_OP_NAME[method]  # noqa: SLF001
    return client._cache["page_config"][operation], client._service_model.operation_model(operation)  # noqa: SLF001


def retry_delay(meta: Any, loader: Any, waiting: Waiting) -> tuple[RetryDelay, Callable[..., None] | None]:
    """The retry rules of a client's mode, with a fresh quota, and what gives capacity back after a call.

    ValueError for a mode that only the wire door has.
    """
    retries = meta.config.retries
    mode = retries["mode"]
    if mode == "standard":
        return _standard(meta.service_model, retries, waiting)
    if mode == "legacy":
        return _legacy(meta.service_model, retries, loader), None
    raise ValueError(f"retries of the mode {mode}")


def _standard(service: Any, retries: dict[str, Any], waiting: Waiting) -> tuple[RetryDelay, Callable[..., None]]:
    """What ``register_retry_handler`` registers, with the run's jitter."""
    standard = botocore.retries.standard
    registered: dict[str, Callable[..., Any]] = {}

    def register(event: str, handler: Callable[..., Any], **_: Any) -> None:
        registered[event.split(".", maxsplit=1)[0]] = handler

    meta = SimpleNamespace(service_model=service, events=SimpleNamespace(register=register))
    backoff = standard.ExponentialBackoff
    standard.ExponentialBackoff = partial(backoff, random=waiting.random)
    try:
        standard.register_retry_handler(SimpleNamespace(meta=meta), retries.get("total_max_attempts"))
    finally:
        standard.ExponentialBackoff = backoff
    return registered["needs-retry"], registered["after-call"]


def _legacy(service: Any, retries: dict[str, Any], loader: Any) -> RetryDelay:
    """As ``ClientCreator._register_legacy_retries``."""
    given = dict(retries)
    if "total_max_attempts" in given:
        given["max_attempts"] = given.pop("total_max_attempts") - 1
    prefix = service.endpoint_prefix
    known = loader.load_data("_retry")
    config = botocore.translate.build_retry_config(prefix, known["retry"], known["definitions"], given)
    handler: RetryDelay = botocore.retryhandler.create_retry_handler(config, prefix)
    return handler
