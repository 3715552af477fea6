"""The reference page of the templates, made from the templates themselves: parameters, resources, outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from patchgate.templates.catalogue import build_templates
from patchgate.templates.document import MAXIMUM_BYTES, Template
from patchgate.templates.parameters import Parameter

_INTRODUCTION = f"""\
Three CloudFormation templates, built by `patchgate synth` and kept under `templates/`. Deploy them in this order, from
the console, with `aws cloudformation deploy --capabilities CAPABILITY_NAMED_IAM`, or as stack sets; each lane (account,
Region, operating system, environment) has its own pair of the second and the third. Each file is at most
{MAXIMUM_BYTES:,} bytes, so that it can be handed to CloudFormation inline.

Where a name is left blank, both templates derive the same one from operating system, environment and Region. Schedules
are in the local time of the Region, or of `TimeZone`."""

_NOTES = """\
## Deploying again

The log bucket, the backup vault and the backup role outlive their stacks, because backups and evidence do. The bucket's
name is new in every stack. Vault and role keep theirs: to deploy the backup-and-patch template again where they exist,
set `CreateBackupVault` and `CreateBackupRole` to `false`.

## Instances

An instance belongs to a lane by two tags: `PatchGroup` with the value of the output `PatchGroup`, and
`ToBackupAndPatch` = `true`. Where `BackupResources` includes volumes, they carry the same tags. Its instance profile
needs `AmazonSSMManagedInstanceCore` and the policy of the output `InstanceLogPolicyArn`.

## Customer keys

With `KmsKeyArn` the key's policy has to admit whoever uses it: `cloudwatch.amazonaws.com` for alarms that publish to
the topic, `logs.<Region>.amazonaws.com` for the log groups, and the instances that write to the log bucket. Without
one, vault, bucket, queue and logs are encrypted with keys of AWS; the topic is not encrypted, because
[alarms cannot publish to a topic with AWS's own key](https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).

## What is assumed

- `ApproveAfterDays` is not supported for Ubuntu and Debian
  ([user guide](https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html));
  0 is sent there.
- `onFailure: exit` ends the command document after the refusal of a late install. It is a
  [shared input](https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html)
  of newer SSM Agents only: older ones are assumed to be updated before a lane is patched.
- The tag `PatchGroup` of the window is in the request's context when the gate switches it (`aws:ResourceTag` in the
  [service authorization reference](https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html)).
- The Regions `us-iso*`, `us-isof*` and `eu-isoe*` publish no location: they are not in the map, and `FindInMap` refuses
  to deploy there."""


def build_templates_page(notice: str) -> str:
    """The page as Markdown; `notice` says at its top how it is made."""
    parts = [notice, "# Templates", _INTRODUCTION]
    for template in build_templates().values():
        parts += _template(template)
    return "\n\n".join([*parts, _NOTES]) + "\n"


def _template(template: Template) -> Iterator[str]:
    yield f"## {template.name}"
    yield f"{template.description.removeprefix('patchgate: ').capitalize()}."
    yield "### Parameters"
    for group in template.groups:
        yield f"**{group.title}**"
        rows = [(f"`{p.name}`", p.type, p.description, _default(p), _allowed(p)) for p in group.parameters]
        yield _table(("name", "type", "description", "default", "allowed"), rows)
    yield "### Resources"
    resources = [
        (f"`{name}`", f"`{resource['Type']}`", _cell(str(resource.get("Condition", "")), code=True))
        for name, resource in template.resources.items()
    ]
    yield _table(("logical id", "type", "condition"), resources)
    yield "### Outputs"
    yield _table(
        ("name", "description"),
        [(f"`{name}`", output["Description"]) for name, output in template.body()["Outputs"].items()],
    )


def _default(parameter: Parameter) -> str:
    if parameter.default is None:
        return "required"
    return _cell(str(parameter.default).replace(",", ", "), code=True) or "blank"


def _allowed(parameter: Parameter) -> str:
    if parameter.allowed:
        return ", ".join(f"`{value}`" for value in parameter.allowed)
    if parameter.minimum is not None:
        return f"{parameter.minimum} to {parameter.maximum}"
    return _cell(parameter.pattern, code=True)


def _cell(text: str, *, code: bool) -> str:
    return f"`{text}`" if text and code else text


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
