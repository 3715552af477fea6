"""A shell script of AWS CLI calls that deploys what was exported. POSIX sh, nothing else is needed.

It stops at the first failure, and can be run again: what is as it should be stays untouched.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from patchgate._version import __version__
from patchgate.domain.regions import region as find_region
from patchgate.operations.deployment import CAPABILITIES
from patchgate.operations.export.files import BUCKET, parameters_path, template_path
from patchgate.operations.export.stack_sets import SetFiles
from patchgate.operations.export.stacks import ROOT, Exported

if TYPE_CHECKING:
    from patchgate.operations.rollout.desired import DesiredStack

_HEAD = """\
#!/bin/sh
# Written by patchgate {version} from {source}: deploys the stacks of the files beside it with the AWS CLI.
# In other accounts than the one of the credentials it takes the role $ROLE.
set -eu
cd "$(dirname "$0")"
ROLE=${{ROLE:-{role}}}
WAIT=${{WAIT:-5}}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
OWN=$(aws sts get-caller-identity --region {region} --query Account --output text)
export AWS_PAGER=

# in_account ACCOUNT ARGUMENT...: the AWS CLI, in that account
in_account() (
    account=$1
    shift
    if [ "$account" != "$OWN" ]; then
        keys=$(aws sts assume-role --region {region} --role-arn "arn:{partition}:iam::$account:role/$ROLE" \\
            --role-session-name patchgate --output text \\
            --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]')
        unset AWS_PROFILE AWS_DEFAULT_PROFILE
        AWS_ACCESS_KEY_ID=$(printf '%s' "$keys" | cut -f 1)
        AWS_SECRET_ACCESS_KEY=$(printf '%s' "$keys" | cut -f 2)
        AWS_SESSION_TOKEN=$(printf '%s' "$keys" | cut -f 3)
        export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    fi
    aws "$@"
)

# fill FILE [EXPRESSION]: the file with what only AWS knew, changed by sed; where the copy is
fill() {{
    sed -e "s|{bucket}|$BUCKET|" -e "s|{root}|$ROOT|" -e "${{2-}}" "$1" >"$WORK/filled.json"
    printf '%s' "$WORK/filled.json"
}}

# A parameter as both versions of the AWS CLI take it in a file of overrides: "NAME=VALUE"
OVERRIDE='s|{{"ParameterKey": "\\([^"]*\\)", "ParameterValue": "\\(.*\\)"}}|"\\1=\\2"|'

# stack ACCOUNT REGION NAME TEMPLATE PARAMETERS [TAG...]
stack() {{
    place="$1/$2/$3"
    target=$1 area=$2 name=$3 template=$4 parameters=$5
    shift 5
    if [ $# -gt 0 ]; then set -- --tags "$@"; fi
    if [ -n "$parameters" ]; then set -- --parameter-overrides "file://$(fill "$parameters" "$OVERRIDE")" "$@"; fi
    printf '%s\\n' "$place"
    in_account "$target" cloudformation deploy --region "$area" --stack-name "$name" --template-file "$template" \\
        --no-fail-on-empty-changeset --capabilities {capabilities} "$@" >&2
}}

# bucket ACCOUNT REGION NAME: the log bucket of that stack is the one of the stacks that follow
bucket() {{
    BUCKET=$(in_account "$1" cloudformation describe-stacks --region "$2" --stack-name "$3" --output text \\
        --query "Stacks[0].Outputs[?OutputKey=='BucketName'].OutputValue")
}}

BUCKET='' ROOT=''
"""

_SETS = """
SETS={region}

# settled NAME OPERATION: waits for the operation's end, and fails unless it succeeded
settled() {{
    while :; do
        status=$(aws cloudformation describe-stack-set-operation --region "$SETS" --stack-set-name "$1" \\
            --operation-id "$2" --query StackSetOperation.Status --output text)
        case $status in
        RUNNING | QUEUED | STOPPING) sleep "$WAIT" ;;
        SUCCEEDED) return 0 ;;
        *)
            printf 'stack set %s: operation %s is %s\\n' "$1" "$2" "$status" >&2
            aws cloudformation list-stack-set-operation-results --region "$SETS" --stack-set-name "$1" \\
                --operation-id "$2" --query "Summaries[?Status!='SUCCEEDED'].[Account,Region,Status,StatusReason]" \\
                --output text >&2
            return 1
            ;;
        esac
    done
}}

# stack_set NAME TEMPLATE DEFINITION INSTANCES...: makes the set and its instances, or updates both
stack_set() {{
    name=$1 template=$2 definition=$3
    shift 3
    printf 'stack set %s\\n' "$name"
    call=update
    if aws cloudformation describe-stack-set --region "$SETS" --stack-set-name "$name" \\
        >"$WORK/out" 2>"$WORK/err"; then
        operation=$(aws cloudformation update-stack-set --region "$SETS" --template-body "file://$template" \\
            --cli-input-json "file://$(fill "$definition")" --query OperationId --output text)
        settled "$name" "$operation"
    elif grep -q StackSetNotFoundException "$WORK/err"; then
        call=create
        aws cloudformation create-stack-set --region "$SETS" --template-body "file://$template" \\
            --cli-input-json "file://$(fill "$definition")" >"$WORK/out"
    else
        cat "$WORK/err" >&2
        return 1
    fi
    for instances in "$@"; do
        input="file://$(fill "$instances")"
        if operation=$(aws cloudformation "$call-stack-instances" --region "$SETS" --cli-input-json "$input" \\
            --query OperationId --output text 2>"$WORK/err"); then
            :
        elif [ "$call" = update ] && grep -q StackInstanceNotFoundException "$WORK/err"; then
            operation=$(aws cloudformation create-stack-instances --region "$SETS" --cli-input-json "$input" \\
                --query OperationId --output text)
        else
            cat "$WORK/err" >&2
            return 1
        fi
        settled "$name" "$operation"
    done
}}
"""

_ROOT = """
ROOT=$(aws organizations list-roots --region {region} --query 'Roots[0].Id' --output text)
MANAGEMENT=$(aws organizations describe-organization --region {region} --output text \\
    --query Organization.MasterAccountId)
case " {accounts} " in
*" $MANAGEMENT "*)
    printf '%s\\n' "stack sets do not reach the management account: write these files anew," \\
        "with patchgate synth --management-account $MANAGEMENT" >&2
    exit 1
    ;;
esac
"""


def build_script(exported: Exported, sets: tuple[tuple[SetFiles, ...], ...]) -> str:
    """The script; ``sets`` are the files of the stack sets of every wave."""
    return "".join(_lines(exported, sets))


def _lines(exported: Exported, sets: tuple[tuple[SetFiles, ...], ...]) -> Iterator[str]:
    home = next(exported.stacks)
    yield _HEAD.format(
        version=__version__,
        source=" ".join(exported.fleet.source.split()),
        role=exported.fleet.deployment.member_role,
        region=home.region,
        partition=find_region(home.region).partition,
        bucket=BUCKET,
        root=ROOT,
        capabilities=" ".join(CAPABILITIES),
    )
    if exported.administration is not None:
        yield _SETS.format(region=exported.administration.region)
        if exported.administration.mode == "service-managed":
            carried = dict.fromkeys(each.account for wave in exported.waves for one in wave.sets for each in one)
            yield _ROOT.format(region=home.region, accounts=" ".join(carried))
    for wave, of_wave in zip(exported.waves, sets, strict=True):
        yield f"\n# {wave.environment}\n"
        logs = [each for each in wave.plain if each.stage == "logs"]
        for log in logs:
            yield _stack(log)
            others = [each for each in wave.plain if each.stage != "logs" and _bucket_of(each, logs) == log.key]
            mine = [each for each in of_wave if each.bucket_of == log.key]
            yield f"bucket {shlex.join(log.key)}\n"
            yield from (_stack(each) for each in others if each.stage == "freezes")
            yield from (_set(each) for each in mine if each.stage == "freezes")
            for stage in ("patch", "monitoring"):
                yield from (_stack(each) for each in others if each.stage == stage)
                yield from (_set(each) for each in mine if each.stage == stage)


def _bucket_of(stack: DesiredStack, logs: list[DesiredStack]) -> tuple[str, str, str]:
    """The log bucket's stack of a stack's lanes; freeze calendars need none, and go with their lanes."""
    return next(each.key for each in logs if set(stack.lanes) <= set(each.lanes))


def _stack(stack: DesiredStack) -> str:
    parameters = parameters_path(stack) if stack.parameters else ""
    tags = [f"{name}={value}" for name, value in sorted(stack.tags.items())]
    return f"stack {shlex.join([*stack.key, template_path(stack), parameters, *tags])}\n"


def _set(files: SetFiles) -> str:
    words = [files.name, files.template, files.definition.path, *(each.path for each in files.instances)]
    return f"stack_set {shlex.join(words)}\n"
