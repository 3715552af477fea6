"""The contract: the tables of the source document, with the rulings on where it contradicts itself."""

from __future__ import annotations

from patchgate.templates import Template

ENVIRONMENTS = ("lab", "dev", "qa", "stg", "uat", "prd", "sit")
OPERATING_SYSTEMS = ("amazonlinux", "ubuntu", "windows")
REQUIRED = None

PARAMETERS: dict[str, dict[str, str | int | tuple[str, ...] | None]] = {
    "aws-create-s3-stack": {
        "PrincipalOrgID": REQUIRED,
        "PatchingLogsBucketName": "aws-mgt-patching-logs",
        "TargetOperatingSystem": REQUIRED,
        "Environment": REQUIRED,
    },
    "aws-backup-and-patch-stackset": {
        "Environment": REQUIRED,
        "BackupVaultNamePrefix": "backup-vault",
        "BackupSchedule": "cron(0 19 ? * 7 *)",
        "TargetOperatingSystem": REQUIRED,
        "SupportedUbuntuVersions": ("Ubuntu14.04", "Ubuntu16.04", "Ubuntu24.10"),
        "SupportedWindowsVersions": ("WindowsServer2012", "WindowsServer2022"),
        "SupportedAmazonLinuxVersions": ("AmazonLinux2012.03", "AmazonLinux2018.03"),
        "RetentionDays": 7,
        "S3Bucket": REQUIRED,
        "MaintenanceWindowCronSchedule": "cron(0 23 ? * 7 *)",
        "ScanRebootOption": "NoReboot",
        "InstallRebootOption": "RebootIfNeeded",
        "BackupStartWindowMinutes": 60,
        "BackupCompletionWindowMinutes": 120,
        "ApproveAfterDays": 7,
        "MaintenanceWindowDuration": 3,
        "MaintenanceWindowCutoff": 1,
    },
    "aws-monitoring-backup-stackset": {
        "Environment": REQUIRED,
        "TargetOperatingSystem": REQUIRED,
        "BackupVaultName": "",
        "BackupJobThreshold": 3,
        "MaintenanceWindowName": "",
        "CheckBackUpJobAndEnableMaintenanceWindow": "cron(30 22 ? * 7 *)",
        "DisableMaintenanceWindow": "cron(10 4 ? * 1 *)",
    },
}

RESOURCES = {
    "aws-create-s3-stack": {
        "PatchingLogsBucket": "AWS::S3::Bucket",
        "PatchingLogsBucketPolicy": "AWS::S3::BucketPolicy",
    },
    "aws-backup-and-patch-stackset": {
        "AWSBackupDefaultServiceRole": "AWS::IAM::Role",
        "BackupVault": "AWS::Backup::BackupVault",
        "BackupPlan": "AWS::Backup::BackupPlan",
        "BackupSelection": "AWS::Backup::BackupSelection",
        "UbuntuPatchBaseline": "AWS::SSM::PatchBaseline",
        "AmazonLinuxPatchBaseline": "AWS::SSM::PatchBaseline",
        "WindowsPatchBaseline": "AWS::SSM::PatchBaseline",
        "SsmMaintenanceWindow": "AWS::SSM::MaintenanceWindow",
        "SsmMaintenanceWindowTarget": "AWS::SSM::MaintenanceWindowTarget",
        "SsmMaintenanceWindowTaskScan": "AWS::SSM::MaintenanceWindowTask",
        "SsmMaintenanceWindowTaskInstall": "AWS::SSM::MaintenanceWindowTask",
    },
    "aws-monitoring-backup-stackset": {
        "EnableMaintenanceLambda": "AWS::Lambda::Function",
        "DisableMaintenanceLambda": "AWS::Lambda::Function",
        "EnableMaintenanceSchedule": "AWS::Scheduler::Schedule",
        "DisableMaintenanceSchedule": "AWS::Scheduler::Schedule",
        "EnableMaintenancePermission": "AWS::Lambda::Permission",
        "DisableMaintenancePermission": "AWS::Lambda::Permission",
        "EnableMaintenanceLambdaRole": "AWS::IAM::Role",
        "DisableMaintenanceLambdaRole": "AWS::IAM::Role",
    },
}

OUTPUTS: dict[str, set[str]] = {
    "aws-create-s3-stack": {"BucketName"},
    "aws-backup-and-patch-stackset": {"BackupVaultName", "MaintenanceWindowName", "PatchGroup"},
    "aws-monitoring-backup-stackset": set(),
}


def test_every_parameter_has_its_default(template: Template) -> None:
    defaults = {parameter.name: parameter.default for parameter in template.parameters}
    for name, default in PARAMETERS[template.name].items():
        if isinstance(default, tuple):
            versions = str(defaults[name]).split(",")
            assert (versions[0], versions[-1]) == (default[0], default[-1])
            assert set(default) <= set(versions)
        else:
            assert defaults[name] == default, name


def test_the_allowed_values_are_those_of_the_tables_and_the_catalogue(template: Template) -> None:
    allowed = {parameter.name: parameter.allowed for parameter in template.parameters}
    assert allowed["Environment"] == ENVIRONMENTS
    assert allowed["TargetOperatingSystem"][:3] == OPERATING_SYSTEMS
    assert len(allowed["TargetOperatingSystem"]) == 10


def test_every_resource_has_its_logical_id_and_type(template: Template) -> None:
    types = {name: resource["Type"] for name, resource in template.resources.items()}
    assert types.items() >= RESOURCES[template.name].items()


def test_every_output_is_there(template: Template) -> None:
    assert set(template.body()["Outputs"]) >= OUTPUTS[template.name]


def test_the_outputs_have_the_values_of_the_tables(patching: Template) -> None:
    outputs = {name: output["Value"] for name, output in patching.body()["Outputs"].items()}
    lane = "${TargetOperatingSystem}-${Environment}-${AWS::Region}"
    assert outputs["BackupVaultName"] == {"Fn::Sub": f"${{BackupVaultNamePrefix}}-{lane}"}
    assert outputs["MaintenanceWindowName"] == {"Fn::Sub": f"maintenance-window-{lane}"}
    assert outputs["PatchGroup"] == {"Fn::Sub": "${TargetOperatingSystem}-patch-group-${Environment}"}
    assert outputs["MaintenanceWindowId"] == {"Ref": "SsmMaintenanceWindow"}


def test_the_outputs_name_what_is_created(patching: Template) -> None:
    outputs = {name: output["Value"] for name, output in patching.body()["Outputs"].items()}
    assert outputs["BackupVaultName"] == patching.resources["BackupVault"]["Properties"]["BackupVaultName"]
    assert outputs["MaintenanceWindowName"] == patching.resources["SsmMaintenanceWindow"]["Properties"]["Name"]


def test_baselines_belong_to_their_operating_system(patching: Template) -> None:
    conditions = {
        name: resource["Condition"]
        for name, resource in patching.resources.items()
        if name in {"UbuntuPatchBaseline", "AmazonLinuxPatchBaseline", "WindowsPatchBaseline"}
    }
    assert conditions == {
        "AmazonLinuxPatchBaseline": "IsAmazonLinux",
        "UbuntuPatchBaseline": "IsUbuntu",
        "WindowsPatchBaseline": "IsWindows",
    }
