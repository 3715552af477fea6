"""Links that open the CloudFormation console with a stack's name, template and parameters filled in.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stacks-quick-create-links.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from patchgate.domain.regions import region as find_region
from patchgate.operations.export.files import BUCKET, ExportedFile, parameters_of, template_path
from patchgate.templates import build_templates

if TYPE_CHECKING:
    from patchgate.operations.export.stacks import Exported
    from patchgate.operations.rollout.desired import DesiredStack

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_HEAD = """\
# Quick-create links

Sign in to the account first. Links open the console's form for a new stack; below it, acknowledge the IAM resources.
The log bucket's stack comes first: the name of its bucket (its output BucketName) is the parameter S3Bucket of the
others.

| account | Region | stack |
|---|---|---|
"""


def build_links(exported: Exported, template_url: str) -> ExportedFile:
    """A page with a link for every plain stack; ``template_url`` is where ``templates/`` was uploaded to, in S3."""
    return ExportedFile("quick-create.md", _HEAD + "".join(_rows(exported, template_url.rstrip("/"))))


def link(stack: DesiredStack, template_url: str) -> str:
    """The link for one stack, with the parameters that are not the template's defaults; '' where no console is public.

    The log bucket's name is left to the person: only AWS knows it.
    """
    console = _CONSOLES.get(find_region(stack.region).partition)
    if console is None:
        return ""
    path = template_path(stack).removeprefix("templates/")
    template = build_templates().get(path.removesuffix(".yaml"))
    defaults = {each.name: str(each.default) for each in template.parameters} if template else {}
    given = {
        name: text for name, text in sorted(parameters_of(stack).items()) if text not in (defaults.get(name), BUCKET)
    }
    query = {"templateURL": f"{template_url}/{path}", "stackName": stack.name}
    query |= {f"param_{name}": text for name, text in given.items()}
    page = f"https://{stack.region}.{console}/cloudformation/home?region={stack.region}#/stacks/create/review"
    return f"{page}?{urlencode(query, quote_via=quote, safe='')}"


def _rows(exported: Exported, template_url: str) -> Iterator[str]:
    for wave in exported.waves:
        for stack in wave.plain:
            found = link(stack, template_url)
            name = f"[{stack.name}]({found})" if found else stack.name
            yield f"| {stack.account} | {stack.region} | {name} |\n"
