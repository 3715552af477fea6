"""Parameters that matter for a stack, and those that change nothing in it."""

from __future__ import annotations

import pytest

from patchgate.domain.operating_systems import operating_systems
from patchgate.templates import build_templates
from patchgate.templates.usage import used_parameters

PATCH = "aws-backup-and-patch-stackset"
SYSTEMS = [each.name for each in operating_systems()]


@pytest.mark.parametrize("os", SYSTEMS)
def test_a_stack_uses_the_versions_of_its_own_system_alone(os: str) -> None:
    used = used_parameters(PATCH, {"TargetOperatingSystem": os, "Environment": "dev"})
    supported = {name for name in used if name.startswith("Supported")}
    wanted = {"amazonlinux": {"SupportedAmazonLinux", "SupportedAmazonLinux2", "SupportedAmazonLinux2023"}}
    assert supported == {f"{each}Versions" for each in wanted.get(os, {f"Supported{os.capitalize()}"})}
    assert ("ApproveAfterDays" in used) == (os not in ("ubuntu", "debian"))


def test_what_every_stack_uses() -> None:
    always = {"BackupSchedule", "RetentionDays", "MaintenanceWindowDuration", "InstallMaxConcurrency", "S3Bucket"}
    assert always <= used_parameters(PATCH, {"TargetOperatingSystem": "ubuntu"})
    for name, template in build_templates().items():
        unused = {each.name for each in template.parameters} - used_parameters(name, {"TargetOperatingSystem": "suse"})
        assert {each for each in unused if not each.startswith("Supported")} == set()


def test_the_side_of_a_choice_that_is_not_taken_is_not_used() -> None:
    monitoring = "aws-monitoring-backup-stackset"
    assert "NotificationEmail" in used_parameters(monitoring, {"NotificationEmail": ""})  # its condition reads it
    assert "TimeZone" in used_parameters(monitoring, {})
