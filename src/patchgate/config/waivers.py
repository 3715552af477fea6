"""Waivers of a fleet file: backup message categories that count as success although the backup had issues."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field, model_validator

from patchgate.config.base import Model
from patchgate.config.values import Category, Day, Said
from patchgate.config.words import refusal


class Waiver(Model):
    """A backup message category that counts as success in the lanes that it is given for, until its last day."""

    category: Category = Field(description="The category, as AWS Backup writes it in `MessageCategory` of its jobs.")
    owner: Said = Field(description="Who answers for it.")
    reason: Said = Field(description="Why backups with such issues are good enough.")
    until: Day = Field(description="Its last day (UTC). From the next day on it is not deployed any more.")

    def holds_on(self, day: date) -> bool:
        """Whether it is still in force on a day (UTC)."""
        return day <= self.until

    @model_validator(mode="before")
    @classmethod
    def _refuse_instances(cls, value: Any) -> Any:
        """What people ask for and the gate does not know: it waives a category for all instances of a lane."""
        asked = sorted({"instance", "instances", "instance_id"} & set(value)) if isinstance(value, dict) else []
        if asked:
            raise refusal(
                f"a waiver holds for whole lanes: '{asked[0]}' is not possible",
                "give the instance an environment of its own, or repair its backups",
            )
        return value
