"""What all models of a fleet file have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A mapping of a fleet file: unknown keys are refused, values are taken as they are written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
