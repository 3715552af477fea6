"""The same script for Windows: PowerShell, and nothing else than the AWS CLI.

It keeps to what Windows PowerShell 5.1 and PowerShell 7 have in common. Before 7.3 PowerShell loses the quotation marks
of what it hands to programs (https://learn.microsoft.com/powershell/scripting/learn/experimental-features, feature
PSNativeCommandArgumentPassing): there the script escapes them itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from patchgate._version import __version__
from patchgate.domain.regions import region as find_region
from patchgate.operations.deployment import CAPABILITIES
from patchgate.operations.export.calls import Call, list_calls, list_carried
from patchgate.operations.export.files import BUCKET
from patchgate.operations.export.stacks import ROOT

if TYPE_CHECKING:
    from patchgate.operations.export.stack_sets import SetFiles
    from patchgate.operations.export.stacks import Exported

_HEAD = r"""# Written by patchgate %VERSION% from %SOURCE%: deploys the stacks of the files beside it with the AWS CLI.
# In other accounts than the one of the credentials it takes the role $env:ROLE.
# For Windows PowerShell 5.1 and every PowerShell since.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false
Set-Location -LiteralPath $PSScriptRoot
$Role = if ($env:ROLE) { $env:ROLE } else { %ROLE% }
$Wait = if ($env:WAIT) { [double]$env:WAIT } else { 5 }
$Legacy = 100 * $PSVersionTable.PSVersion.Major + $PSVersionTable.PSVersion.Minor -lt 703
$Identity = 'AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'
$Bucket = ''
$Root = ''

# A word as this PowerShell hands it to a program unchanged
function ConvertTo-Word {
    param([string]$Text)
    if (-not $Legacy) { return $Text }
    $escaped = $Text -replace '(\\*)"', '$1$1\"'
    if ($escaped -match '\s') { $escaped = $escaped -replace '(\\+)$', '$1$1' }
    $escaped
}

# The AWS CLI: what it printed, what it complained of, and whether it failed
function Test-Aws {
    param([string[]]$Words)
    $ErrorActionPreference = 'Continue'
    $given = @($Words | ForEach-Object { ConvertTo-Word $_ })
    $said = @(& aws @given 2>&1)
    $failed = $LASTEXITCODE -ne 0
    $complaint = [System.Management.Automation.ErrorRecord]
    $complaints = @($said | Where-Object { $_ -is $complaint } | ForEach-Object { "$_" })
    $printed = @($said | Where-Object { $_ -isnot $complaint } | ForEach-Object { "$_" })
    @{ Failed = $failed; Printed = ($printed -join "`n").Trim(); Complaints = $complaints -join "`n" }
}

# The AWS CLI: what it printed; ends the script when it fails
function Invoke-Aws {
    param([string[]]$Words)
    $answer = Test-Aws $Words
    if ($answer.Complaints) { [Console]::Error.WriteLine($answer.Complaints) }
    if ($answer.Failed) {
        [Console]::Error.WriteLine($answer.Printed)
        throw "aws $($Words[0]) $($Words[1]) failed"
    }
    $answer.Printed
}

function Set-Identity {
    param([hashtable]$Values)
    foreach ($name in $Identity) {
        if ($Values[$name]) { Set-Item -Path "Env:$name" -Value $Values[$name] }
        elseif (Test-Path "Env:$name") { Remove-Item -Path "Env:$name" }
    }
}

# The AWS CLI, in that account
function Invoke-AwsIn {
    param([string]$Account, [string[]]$Words)
    if ($Account -eq $Own) { return Invoke-Aws $Words }
    $keys = (Invoke-Aws @('sts', 'assume-role', '--region', %REGION%, '--role-session-name', 'patchgate',
            '--role-arn', "arn:%PARTITION%:iam::${Account}:role/$Role", '--output', 'text',
            '--query', 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]')) -split '\s+'
    $before = @{}
    foreach ($name in $Identity) { $before[$name] = [Environment]::GetEnvironmentVariable($name) }
    try {
        Set-Identity @{
            AWS_ACCESS_KEY_ID = $keys[0]; AWS_SECRET_ACCESS_KEY = $keys[1]; AWS_SESSION_TOKEN = $keys[2]
        }
        Invoke-Aws $Words
    }
    finally { Set-Identity $before }
}

# A copy of the file with what only AWS knew; -Overrides: as both versions of the AWS CLI take parameters of deploy
function Copy-Filled {
    param([string]$Path, [switch]$Overrides)
    $text = [System.IO.File]::ReadAllText((Join-Path $PSScriptRoot $Path))
    $text = $text.Replace('%BUCKET%', $script:Bucket).Replace('%ROOT%', $script:Root)
    if ($Overrides) { $text = $text -replace '\{"ParameterKey": "([^"]*)", "ParameterValue": "(.*)"\}', '"$1=$2"' }
    $filled = Join-Path $Work 'filled.json'
    [System.IO.File]::WriteAllText($filled, $text)
    "file://$filled"
}

function Publish-Stack {
    param([string]$Account, [string]$Region, [string]$Name, [string]$Template, [string]$Parameters, [string[]]$Tags)
    Write-Output "$Account/$Region/$Name"
    $words = @('cloudformation', 'deploy', '--region', $Region, '--stack-name', $Name, '--template-file', $Template,
        '--no-fail-on-empty-changeset', '--capabilities', %CAPABILITIES%)
    if ($Parameters) { $words += @('--parameter-overrides', (Copy-Filled $Parameters -Overrides)) }
    if ($Tags) { $words += @('--tags') + $Tags }
    [Console]::Error.WriteLine((Invoke-AwsIn $Account $words))
}

# The log bucket of that stack is the one of the stacks that follow
function Read-Bucket {
    param([string]$Account, [string]$Region, [string]$Name)
    $script:Bucket = Invoke-AwsIn $Account @('cloudformation', 'describe-stacks', '--region', $Region,
        '--stack-name', $Name, '--output', 'text',
        '--query', "Stacks[0].Outputs[?OutputKey=='BucketName'].OutputValue")
}
"""

_SETS = r"""
$Sets = %SETS%

# Waits for the operation's end, and ends the script unless it succeeded
function Wait-Operation {
    param([string]$Name, [string]$Operation)
    $which = @('--region', $Sets, '--stack-set-name', $Name, '--operation-id', $Operation, '--output', 'text')
    while ($true) {
        $status = Invoke-Aws (@('cloudformation', 'describe-stack-set-operation') + $which +
            @('--query', 'StackSetOperation.Status'))
        if ('RUNNING', 'QUEUED', 'STOPPING' -notcontains $status) { break }
        Start-Sleep -Milliseconds ([int](1000 * $Wait))
    }
    if ($status -eq 'SUCCEEDED') { return }
    [Console]::Error.WriteLine((Invoke-Aws (@('cloudformation', 'list-stack-set-operation-results') + $which +
                @('--query', "Summaries[?Status!='SUCCEEDED'].[Account,Region,Status,StatusReason]"))))
    throw "stack set ${Name}: operation $Operation is $status"
}

# Makes the set and its instances, or updates both
function Publish-StackSet {
    param([string]$Name, [string]$Template, [string]$Definition, [string[]]$Instances)
    Write-Output "stack set $Name"
    $ask = @('--region', $Sets, '--query', 'OperationId', '--output', 'text', '--cli-input-json')
    $found = Test-Aws @('cloudformation', 'describe-stack-set', '--region', $Sets, '--stack-set-name', $Name)
    $call = 'update'
    if (-not $found.Failed) {
        Wait-Operation $Name (Invoke-Aws (@('cloudformation', 'update-stack-set') + $ask + @((Copy-Filled $Definition),
                    '--template-body', "file://$Template")))
    }
    elseif ($found.Complaints -match 'StackSetNotFoundException') {
        $call = 'create'
        Invoke-Aws @('cloudformation', 'create-stack-set', '--region', $Sets, '--template-body', "file://$Template",
            '--cli-input-json', (Copy-Filled $Definition)) | Out-Null
    }
    else { throw $found.Complaints }
    foreach ($file in $Instances) {
        $request = $ask + @((Copy-Filled $file))
        $answer = Test-Aws (@('cloudformation', "$call-stack-instances") + $request)
        if ($answer.Failed -and $call -eq 'update' -and $answer.Complaints -match 'StackInstanceNotFoundException') {
            Wait-Operation $Name (Invoke-Aws (@('cloudformation', 'create-stack-instances') + $request))
        }
        elseif ($answer.Failed) { throw $answer.Complaints }
        else { Wait-Operation $Name $answer.Printed }
    }
}
"""

_BEGIN = """
$Work = Join-Path ([System.IO.Path]::GetTempPath()) ([Guid]::NewGuid().ToString())
New-Item -ItemType Directory -Path $Work | Out-Null
try {
    $Own = Invoke-Aws @('sts', 'get-caller-identity', '--region', %REGION%, '--query', 'Account', '--output', 'text')
"""

_ROOT = """\
    $Root = Invoke-Aws @('organizations', 'list-roots', '--region', %REGION%, '--query', 'Roots[0].Id',
        '--output', 'text')
    $Management = Invoke-Aws @('organizations', 'describe-organization', '--region', %REGION%, '--output', 'text',
        '--query', 'Organization.MasterAccountId')
    if (%CARRIED% -contains $Management) {
        throw "stack sets do not reach the management account: write these files anew, " +
        "with patchgate synth --management-account $Management"
    }
"""

_END = """\
}
finally { Remove-Item -LiteralPath $Work -Recurse -Force }
"""
_FUNCTIONS = {"stack": "Publish-Stack", "bucket": "Read-Bucket", "set": "Publish-StackSet"}
_MARK = "\ufeff"
"""Without it Windows PowerShell takes a text for one in the system's old encoding."""


def build_powershell(exported: Exported, sets: tuple[tuple[SetFiles, ...], ...]) -> str:
    """The script; ``sets`` are the files of the stack sets of every wave."""
    home = next(exported.stacks)
    facts = {
        "VERSION": __version__,
        "SOURCE": " ".join(exported.fleet.source.split()),
        "ROLE": quote(exported.fleet.deployment.member_role),
        "REGION": quote(home.region),
        "PARTITION": find_region(home.region).partition,
        "BUCKET": BUCKET,
        "ROOT": ROOT,
        "CAPABILITIES": ", ".join(map(quote, CAPABILITIES)),
        "SETS": quote(exported.administration.region) if exported.administration else "",
        "CARRIED": _list(list_carried(exported)),
    }
    text = re.sub("%([A-Z]+)%", lambda found: facts[found[1]], "".join(_parts(exported)))
    text += "".join(_line(call) for call in list_calls(exported, sets)) + _END
    return text if text.isascii() else _MARK + text


def quote(text: str) -> str:
    """The text as a word that PowerShell takes as it is; it knows more than one apostrophe."""
    return "'" + "".join(each * 2 if each in "'\u2018\u2019\u201a\u201b" else each for each in text) + "'"


def _parts(exported: Exported) -> Iterator[str]:
    yield _HEAD
    if exported.administration is not None:
        yield _SETS
    yield _BEGIN
    if exported.administration is not None and exported.administration.mode == "service-managed":
        yield _ROOT


def _line(call: Call) -> str:
    if call.kind == "wave":
        return f"\n    # {call.words[0]}\n"
    further = [_list(call.further)] if call.kind != "bucket" else []
    return f"    {' '.join([_FUNCTIONS[call.kind], *map(quote, call.words), *further])}\n"


def _list(words: list[str] | tuple[str, ...]) -> str:
    return f"@({', '.join(map(quote, words))})"
