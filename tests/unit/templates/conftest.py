"""The three templates, by short names."""

from __future__ import annotations

import pytest

from patchgate.templates import Template, build_templates


@pytest.fixture
def logs() -> Template:
    return build_templates()["aws-create-s3-stack"]


@pytest.fixture
def patching() -> Template:
    return build_templates()["aws-backup-and-patch-stackset"]


@pytest.fixture
def monitoring() -> Template:
    return build_templates()["aws-monitoring-backup-stackset"]


@pytest.fixture(params=list(build_templates()))
def template(request: pytest.FixtureRequest) -> Template:
    """Each of them in turn."""
    return build_templates()[request.param]
