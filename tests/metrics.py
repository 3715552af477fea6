"""Metrics as other people's programs read them."""

from __future__ import annotations

from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families


def read_metrics(text: str) -> list[Any]:
    """The metric families of an exposition. Raises ValueError for one that is not OpenMetrics."""
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
