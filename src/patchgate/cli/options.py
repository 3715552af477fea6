"""What the command line of the command that runs says."""

from __future__ import annotations

import click


def is_given(parameter: str) -> bool:
    """Whether somebody gave that option of the command that runs, and it is not only its default."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source not in (None, click.core.ParameterSource.DEFAULT)
