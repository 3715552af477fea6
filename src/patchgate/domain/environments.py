"""The deployment environments that a lane can belong to."""

from __future__ import annotations

ENVIRONMENTS = ("lab", "dev", "qa", "stg", "uat", "prd", "sit")
