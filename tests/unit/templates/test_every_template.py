"""What holds for each of the three templates."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from cfnlint import core
from cfnlint.api import lint

from patchgate import __version__
from patchgate.domain.regions import PUBLIC_PARTITIONS, regions
from patchgate.templates import Template, build_templates
from patchgate.templates.document import MAXIMUM_BYTES
from patchgate.templates.gate_code import gate_hash
from patchgate.templates.intrinsics import walk

WAIVED: dict[str, str] = {}
"""cfn-lint rule -> why it is waived; the only place for waivers."""

PARAMETER_LIMIT = 200
DESCRIPTION_LIMIT = 1024


def _lint_at_every_level(text: str) -> list[str]:
    rules = core.get_rules([], list(WAIVED), ["I", "W", "E"], configure_rules={}, include_experimental=False)
    return [f"{match.rule.id} {match.message}" for match in lint(text, rules=rules)]


def test_cfn_lint_has_nothing_to_say(template: Template) -> None:
    assert _lint_at_every_level(template.text()) == []


def test_cfn_lint_would_say_it(template: Template) -> None:
    broken = template.text().replace("Type: AWS::IAM::Role", "Type: AWS::IAM::Rule").replace("AES256", "AES257")
    assert _lint_at_every_level(broken) != []


def test_it_fits_into_what_cloudformation_takes_inline(template: Template) -> None:
    assert len(template.text().encode()) <= MAXIMUM_BYTES


def test_it_is_the_same_in_another_process(template: Template) -> None:
    command = (
        "import sys; from patchgate.templates import build_templates as b; sys.stdout.write(b()[sys.argv[1]].text())"
    )
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", command, template.name],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        )
        assert done.stdout == template.text()


def test_it_carries_the_version_and_the_hash_of_the_gate(template: Template) -> None:
    body = template.body()
    assert body["Outputs"]["PatchgateVersion"]["Value"] == __version__
    assert body["Outputs"]["GateHash"]["Value"] == gate_hash()
    assert gate_hash() in template.text().splitlines()[0]


def test_the_console_shows_every_parameter_in_a_group(template: Template) -> None:
    groups = template.body()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert shown == list(template.body()["Parameters"])
    assert len(set(shown)) == len(shown) <= PARAMETER_LIMIT
    assert all(group["Label"]["default"] for group in groups)


def test_every_parameter_and_output_is_described(template: Template) -> None:
    described = [*template.body()["Parameters"].values(), *template.body()["Outputs"].values()]
    assert all(3 < len(entry["Description"]) <= DESCRIPTION_LIMIT for entry in described)


def test_every_parameter_is_as_tight_as_cloudformation_allows(template: Template) -> None:
    for parameter in template.parameters:
        bounded = parameter.minimum is not None and parameter.maximum is not None
        if parameter.type == "Number":
            assert bounded or parameter.allowed, parameter.name
        elif parameter.type == "String":
            assert parameter.pattern or parameter.allowed, parameter.name


def test_every_default_is_one_of_the_values_that_it_allows(template: Template) -> None:
    for parameter in template.parameters:
        if parameter.default is None:
            continue
        if parameter.allowed:
            assert parameter.default in parameter.allowed, parameter.name
        if parameter.pattern:
            assert re.search(parameter.pattern, str(parameter.default)), parameter.name
        if parameter.minimum is not None and parameter.maximum is not None:
            assert parameter.minimum <= int(parameter.default) <= parameter.maximum, parameter.name


def test_no_partition_is_written_out(template: Template) -> None:
    assert re.findall(r"arn:aws[a-z-]*:", template.text()) == []


def test_no_account_is_written_out(template: Template) -> None:
    assert re.findall(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", template.text()) == []


def test_a_parameter_of_two_templates_is_the_same_in_both() -> None:
    """`KmsKeyArn` and the logs' retention mean other resources in each template, and say so."""
    seen: dict[str, object] = {}
    for template in build_templates().values():
        for parameter in template.parameters:
            if parameter.name in {"KmsKeyArn", "LogRetentionDays"}:
                continue
            assert seen.setdefault(parameter.name, parameter) == parameter


@pytest.mark.parametrize("name", ["aws-backup-and-patch-stackset", "aws-monitoring-backup-stackset"])
def test_every_public_region_has_its_zone(name: str) -> None:
    mapping = build_templates()[name].body()["Mappings"]["RegionTimeZones"]
    public = {region.name: region.time_zone for region in regions() if region.partition in PUBLIC_PARTITIONS}
    assert {region: mapping[region]["Zone"] for region in public} == public


def test_schedules_are_in_the_zone_of_the_region_or_in_the_one_given(template: Template) -> None:
    zones = [
        node[key]
        for node in walk(template.body())
        if isinstance(node, dict)
        for key in ("ScheduleExpressionTimezone", "ScheduleTimezone")
        if key in node
    ]
    by_region = {"Fn::FindInMap": ["RegionTimeZones", {"Ref": "AWS::Region"}, "Zone"]}
    assert zones == [{"Fn::If": ["HasTimeZone", {"Ref": "TimeZone"}, by_region]}] * len(zones)
    assert len(zones) == {"aws-create-s3-stack": 0, "aws-backup-and-patch-stackset": 2}.get(template.name, 3)


def test_what_holds_evidence_or_backups_outlives_its_stack() -> None:
    kept = {
        name
        for template in build_templates().values()
        for name, resource in template.resources.items()
        if (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) == ("Retain", "Retain")
    }
    assert kept == {"PatchingLogsBucket", "BackupVault", "AWSBackupDefaultServiceRole"}
