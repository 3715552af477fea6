"""The real AWS CLI deploys the three templates, reads what a cycle left behind, and deletes everything."""

from __future__ import annotations

import pytest

from tests.serving import Served

from .conftest import ACCOUNT, AFTER_THE_CYCLE, LANE, REGION, TEMPLATES, Tool

STACKS = {
    "logs": "aws-create-s3-stack",
    "patch": "aws-backup-and-patch-stackset",
    "monitoring": "aws-monitoring-backup-stackset",
}
WINDOW = f"maintenance-window-ubuntu-prd-{REGION}"


def deploy(aws: Tool, stack: str, **parameters: str) -> dict[str, str]:
    """``aws cloudformation deploy`` with a template of the repository; the stack's outputs."""
    given = [f"{name}={value}" for name, value in (LANE | parameters).items()]
    template = str(TEMPLATES / f"{STACKS[stack]}.yaml")
    options = ["--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides", *given]
    aws.run("cloudformation", "deploy", "--stack-name", stack, "--template-file", template, *options)
    (described,) = aws.ask("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"]
    assert described["StackStatus"] == "CREATE_COMPLETE"
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


@pytest.fixture(scope="module")
def outputs(aws: Tool, server: Served) -> dict[str, str]:
    """The outputs of all stacks, each deployed with what it needs of those before, a cycle later."""
    found = deploy(aws, "logs", PrincipalOrgID="o-a1b2c3d4e5")
    found |= deploy(aws, "patch", S3Bucket=found["BucketName"])
    found |= deploy(aws, "monitoring", S3Bucket=found["BucketName"], MinimumCoveragePercent="60")
    server.advance_to(AFTER_THE_CYCLE)
    return found


@pytest.fixture(scope="module")
def instances(aws: Tool) -> dict[str, str]:
    """Name of each instance -> its id."""
    reservations = aws.ask("ec2", "describe-instances")["Reservations"]
    found = [instance for reservation in reservations for instance in reservation["Instances"]]
    return {tag["Value"]: item["InstanceId"] for item in found for tag in item["Tags"] if tag["Key"] == "Name"}


def test_who_one_is(aws: Tool) -> None:
    assert aws.ask("sts", "get-caller-identity")["Account"] == ACCOUNT


def test_backup_jobs(aws: Tool, outputs: dict[str, str], instances: dict[str, str]) -> None:
    vault = outputs["BackupVaultName"]
    jobs = aws.ask("backup", "list-backup-jobs", "--by-backup-vault-name", vault)["BackupJobs"]
    states = {job["ResourceArn"].rpartition("/")[2]: job["State"] for job in jobs}
    assert {name: states[identifier] for name, identifier in instances.items()} == {
        "shop-1": "COMPLETED",
        "shop-2": "COMPLETED",
        "ledger": "FAILED",
    }


def test_windows_and_their_executions(aws: Tool, outputs: dict[str, str]) -> None:
    (window,) = aws.ask("ssm", "describe-maintenance-windows")["WindowIdentities"]
    assert (window["WindowId"], window["Name"]) == (outputs["MaintenanceWindowId"], WINDOW)
    assert window["Enabled"] is False
    executions = aws.ask("ssm", "describe-maintenance-window-executions", "--window-id", window["WindowId"])
    assert [execution["Status"] for execution in executions["WindowExecutions"]] == ["SUCCESS"]


def test_installs_of_the_proven_and_the_denial_of_the_other(
    aws: Tool, outputs: dict[str, str], instances: dict[str, str]
) -> None:
    runbook = f"Key=DocumentNamePrefix,Values={outputs['InstallRunbookName']}"
    found = aws.ask("ssm", "describe-automation-executions", "--filters", runbook)["AutomationExecutionMetadataList"]
    executions = {execution["Target"]: execution["AutomationExecutionId"] for execution in found}
    steps = {}
    for name, identifier in instances.items():
        asked = aws.ask("ssm", "get-automation-execution", "--automation-execution-id", executions[identifier])
        execution = asked["AutomationExecution"]
        assert execution["AutomationExecutionStatus"] == "Success"
        steps[name] = {step["StepName"]: step for step in execution["StepExecutions"]}
    assert steps["shop-1"]["install"]["StepStatus"] == steps["shop-2"]["install"]["StepStatus"] == "Success"
    assert steps["ledger"]["prove"]["Outputs"]["Decision"] == ["deny"]
    assert steps["ledger"].get("install", {}).get("StepStatus") != "Success"


def test_patch_states(aws: Tool, outputs: dict[str, str], instances: dict[str, str]) -> None:
    states = aws.ask("ssm", "describe-instance-patch-states", "--instance-ids", *instances.values())
    missing = {state["InstanceId"]: state["MissingCount"] for state in states["InstancePatchStates"]}
    assert {name: missing[identifier] for name, identifier in instances.items()} == {
        "shop-1": 0,
        "shop-2": 0,
        "ledger": 1,
    }


def test_evidence_in_the_bucket(aws: Tool, outputs: dict[str, str]) -> None:
    bucket = outputs["BucketName"]
    verdicts = [
        key
        for key in aws.run("s3", "ls", "--recursive", f"s3://{bucket}/evidence/").split()
        if key.endswith("/open.jsonl")
    ]
    assert len(verdicts) == 1
    assert '"open"' in aws.run("s3", "cp", f"s3://{bucket}/{verdicts[0]}", "-")


def test_refusals_are_awss(aws: Tool) -> None:
    refused = aws.attempt("ssm", "get-parameter", "--name", "/nothing")
    assert refused.returncode != 0
    assert "An error occurred (ParameterNotFound) when calling the GetParameter operation" in refused.stderr
    template = TEMPLATES / "aws-create-s3-stack.yaml"
    unacknowledged = aws.attempt("cloudformation", "deploy", "--stack-name", "other", "--template-file", str(template))
    assert unacknowledged.returncode != 0
    assert "Parameters: [" in unacknowledged.stderr
    assert "must have values" in unacknowledged.stderr


def test_a_second_deployment_changes_nothing(aws: Tool, outputs: dict[str, str]) -> None:
    template = str(TEMPLATES / "aws-create-s3-stack.yaml")
    options = ["--stack-name", "logs", "--template-file", template, "--no-fail-on-empty-changeset"]
    assert "No changes to deploy" in aws.run("cloudformation", "deploy", *options)
    (stack,) = aws.ask("cloudformation", "describe-stacks", "--stack-name", "logs")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_everything_is_deleted(aws: Tool, outputs: dict[str, str]) -> None:
    for stack in ("monitoring", "patch", "logs"):
        aws.run("cloudformation", "delete-stack", "--stack-name", stack)
        aws.run("cloudformation", "wait", "stack-delete-complete", "--stack-name", stack)
    assert aws.ask("cloudformation", "describe-stacks")["Stacks"] == []
    assert aws.ask("ssm", "describe-maintenance-windows")["WindowIdentities"] == []
    assert aws.ask("lambda", "list-functions")["Functions"] == []
    assert aws.ask("scheduler", "list-schedules")["Schedules"] == []


def test_what_the_templates_keep_is_deleted_by_hand(aws: Tool, outputs: dict[str, str]) -> None:
    vault, bucket = outputs["BackupVaultName"], outputs["BucketName"]
    points = aws.ask("backup", "list-recovery-points-by-backup-vault", "--backup-vault-name", vault)["RecoveryPoints"]
    assert len(points) == 2
    for point in points:
        named = ["--backup-vault-name", vault, "--recovery-point-arn", point["RecoveryPointArn"]]
        aws.run("backup", "delete-recovery-point", *named)
    aws.run("backup", "delete-backup-vault", "--backup-vault-name", vault)
    query = "{Objects: Versions[].{Key: Key, VersionId: VersionId}}"
    versions = aws.run("s3api", "list-object-versions", "--bucket", bucket, "--query", query)
    aws.run("s3api", "delete-objects", "--bucket", bucket, "--delete", versions)
    aws.run("s3", "rb", f"s3://{bucket}")
    assert aws.ask("s3api", "list-buckets")["Buckets"] == []
    assert aws.ask("ec2", "describe-snapshots", "--owner-ids", "self")["Snapshots"] == []


def test_a_large_template_is_deployed_by_way_of_a_bucket(aws: Tool) -> None:
    aws.run("s3", "mb", "s3://templates-of-mine")
    body = (TEMPLATES / "aws-create-s3-stack.yaml").read_text(encoding="utf-8")
    (aws.directory / "large.yaml").write_text(body + "# " + "x" * 60_000 + "\n", encoding="utf-8")
    lane = [
        f"{name}={value}" for name, value in (LANE | {"PrincipalOrgID": "o-a1b2c3d4e5", "Environment": "dev"}).items()
    ]
    named = ["--stack-name", "large", "--template-file", "large.yaml", "--parameter-overrides", *lane]
    assert "must be deployed via an S3 Bucket" in aws.attempt("cloudformation", "deploy", *named).stderr
    aws.run("cloudformation", "deploy", *named, "--s3-bucket", "templates-of-mine", "--s3-prefix", "p")
    (described,) = aws.ask("cloudformation", "describe-stacks", "--stack-name", "large")["Stacks"]
    assert described["StackStatus"] == "CREATE_COMPLETE"
    aws.run("cloudformation", "delete-stack", "--stack-name", "large")
