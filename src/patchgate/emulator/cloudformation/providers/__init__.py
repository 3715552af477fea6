"""Resource providers: what creates, updates and deletes a resource of each type, through API calls only."""

from __future__ import annotations

from collections.abc import Mapping

from patchgate.emulator.cloudformation.providers import (
    backup,
    events,
    functions,
    iam,
    keys,
    messaging,
    observability,
    s3,
    scheduler,
    ssm,
    windows,
)
from patchgate.emulator.cloudformation.providers.base import Provider

PROVIDERS: Mapping[str, Provider] = {
    provider.type: provider
    for module in (s3, iam, backup, ssm, windows, functions, scheduler, events, messaging, observability, keys)
    for provider in module.PROVIDERS
}
"""Every resource type that is emulated, by its name."""
