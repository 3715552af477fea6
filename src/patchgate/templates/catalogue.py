"""The three templates, in the order in which they are deployed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from patchgate.templates.backup_and_patch import build_backup_and_patch_template
from patchgate.templates.document import Template
from patchgate.templates.log_bucket import build_log_bucket_template
from patchgate.templates.monitoring import build_monitoring_template


@cache
def build_templates() -> Mapping[str, Template]:
    """name -> template: log bucket, backup-and-patch, monitoring."""
    templates = (build_log_bucket_template(), build_backup_and_patch_template(), build_monitoring_template())
    return MappingProxyType({template.name: template for template in templates})
