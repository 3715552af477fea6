"""In the child: every part of botocore that is no documented interface and that the faithful mode touches.

Each has a test that fails when an upgrade removes it or changes its shape. The clock needs none: botocore is imported
when the shims of ``time`` and ``datetime`` are in place already.

==================================================  ================================================================
name                                                what the mode needs it for
==================================================  ================================================================
``botocore.handlers.BUILTIN_HANDLERS``              the entry of ``generate_idempotent_uuid``, which draws client tokens
                                                    from the system's randomness: replaced
``botocore.retries.standard.ExponentialBackoff``    its argument ``random``: the jitter of the modes standard, adaptive
``botocore.retryhandler.random``                    jitter of the mode ``legacy``
``botocore.retries.adaptive.register_retry_handler``  waits on a thread's condition, in real time: refused
``botocore.utils.get_tzinfo_options``               in which zone instants come back: UTC, as the doors do
``botocore.httpsession.URLLib3Session``             its argument ``timeout``: an answer takes the parent real time, and
                                                    no virtual one
==================================================  ================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, NoReturn, Protocol


class Dice(Protocol):
    """What botocore draws."""

    def draw_token(self) -> str:
        """A client token."""

    def random(self) -> float:
        """A number in [0, 1)."""


def settle_botocore(dice: Dice) -> None:
    """Have every session that is made from now on draw its tokens and jitter from ``dice``, and wait without limit."""
    import botocore.handlers  # noqa: PLC0415 - not before the clock is in place, and only when the function uses it
    import botocore.httpsession  # noqa: PLC0415
    import botocore.retries.adaptive  # noqa: PLC0415
    import botocore.retries.standard  # noqa: PLC0415
    import botocore.retryhandler  # noqa: PLC0415
    import botocore.utils  # noqa: PLC0415

    _replace_handler(botocore.handlers, partial(_fill_tokens, dice.draw_token))
    standard = botocore.retries.standard
    standard.ExponentialBackoff = partial(standard.ExponentialBackoff, random=dice.random)
    botocore.retryhandler.random = SimpleNamespace(random=dice.random)
    botocore.retries.adaptive.register_retry_handler = _refuse_adaptive
    botocore.utils.get_tzinfo_options = partial(_only, botocore.utils.tzutc)
    session = botocore.httpsession.URLLib3Session
    session.__init__ = partial_method(session.__init__)


def partial_method(original: Callable[..., None]) -> Callable[..., None]:
    """The constructor of an HTTP session, which waits for an answer as long as it takes."""

    def init(self: Any, *args: Any, **named: Any) -> None:
        original(self, *args, **named | {"timeout": (60, None)})

    return init


def _replace_handler(handlers: Any, fill: Callable[..., None]) -> None:
    entries = handlers.BUILTIN_HANDLERS
    place = next(place for place, entry in enumerate(entries) if entry[1] is handlers.generate_idempotent_uuid)
    entries[place] = (entries[place][0], fill, *entries[place][2:])


def _fill_tokens(draw: Callable[[], str], params: dict[str, Any], model: Any, **_: Any) -> None:
    for name in model.idempotent_members:
        if name not in params:
            params[name] = draw()


def _only(zone: Any) -> tuple[Any]:
    return (zone,)


def _refuse_adaptive(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError("the embedded AWS does not implement retries of the mode adaptive in a child process")
