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
from patchgate.operations.export.calls import list_calls, list_carried
from patchgate.operations.export.files import BUCKET
from patchgate.operations.export.stacks import ROOT, Exported

if TYPE_CHECKING:
    from patchgate.operations.export.stack_sets import SetFiles

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
            yield _ROOT.format(region=home.region, accounts=" ".join(list_carried(exported)))
    for call in list_calls(exported, sets):
        if call.kind == "wave":
            yield f"\n# {call.words[0]}\n"
        else:
            yield f"{_FUNCTIONS[call.kind]} {shlex.join([*call.words, *call.further])}\n"


_FUNCTIONS = {"stack": "stack", "bucket": "bucket", "set": "stack_set"}
