"""The lane: one (account, Region, operating system, environment), with its own vault, window and gate."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """Which instances are patched together: `account` is the 12-digit id, `os` a family's name, `env` an environment.

    `account_name` is only for people; two lanes that differ in nothing else are one lane.
    """

    account: str
    region: str
    os: str
    env: str
    account_name: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """The lane as people read it: ``<account name or id>/<region>/<os>/<env>``."""
        return f"{self.account_name or self.account}/{self.region}/{self.os}/{self.env}"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What identifies the lane."""
        return (self.account, self.region, self.os, self.env)
