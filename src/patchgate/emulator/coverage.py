"""What the embedded AWS implements, assumes and refuses, read from its own code.

- Operations are those of ``engine.COMPONENTS``, beside all that botocore's service models name.
- Resource types are CloudFormation's providers, beside the properties of the registry's schemas.
- What AWS does not document is told where it is decided: as a field of ``Assumptions`` where it has variants, and in a
  docstring, in a paragraph (or its end) that begins with "Assumption:" or "Assumptions:". ``OPEN_QUESTIONS`` says which
  switches answer which question, and which questions need none.
- What is refused by name are the texts of ``NotEmulatedError``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.cloud import Cloud
from patchgate.emulator.cloudformation.providers import PROVIDERS
from patchgate.emulator.cloudformation.schemas import schema_of
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.light import LightNeighbour
from patchgate.emulator.open_questions import OPEN_QUESTIONS, OpenQuestion

HERE = Path(__file__).parent
PAGES = {
    "backup": "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_{}.html",
    "cloudformation": "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_{}.html",
    "ec2": "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_{}.html",
    "events": "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_{}.html",
    "kms": "https://docs.aws.amazon.com/kms/latest/APIReference/API_{}.html",
    "lambda": "https://docs.aws.amazon.com/lambda/latest/api/API_{}.html",
    "organizations": "https://docs.aws.amazon.com/organizations/latest/APIReference/API_{}.html",
    "scheduler": "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_{}.html",
    "ssm": "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_{}.html",
}
"""Where AWS documents the operations of each service that the cloud owns."""
TYPE_PAGE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-{}-{}.html"
_MARK = re.compile(r"\bAssumptions?(?:, [^:]*)?: ")
_OUTSIDE = ("wire", "direct", "light", "server", "endpoint")
"""Doors: they carry calls, and decide nothing about AWS."""
_OF_THE_PAGE = ("assumptions", "coverage", "open_questions")
_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Assumed:
    """One note of what is assumed; ``place`` is a module, or a module and what is in it."""

    place: str
    text: str


def operations() -> dict[str, dict[str, bool]]:
    """Every operation of each service that the cloud owns, and whether it is implemented."""
    done: dict[str, set[str]] = {}
    for component in COMPONENTS:
        done.setdefault(component.service, set()).update(name for name, _ in component.operations())
    return {
        service: {name: name in done[service] for name in sorted({*_operation_names(service), *done[service]})}
        for service in sorted(done)
    }


def _operation_names(service: str) -> list[str]:
    import botocore.loaders  # noqa: PLC0415 - only the page needs it, the cloud never

    model = botocore.loaders.create_loader().load_service_model(service, "service-2")
    return list(model["operations"])


def light_operations() -> dict[str, list[str]]:
    """The operations of the light neighbour, by service."""
    cloud = Cloud(COMPONENTS, start=datetime(2026, 7, 4, tzinfo=UTC))
    found: dict[str, list[str]] = {}
    for service, name in LightNeighbour(cloud).implemented():
        found.setdefault(service, []).append(name)
    return found


def assumed() -> list[Assumed]:
    """Every note in the docstrings of the cloud, in the order of the modules' names."""
    found = []
    for place, node in _documented():
        for paragraph in paragraphs(node):
            mark = _MARK.search(paragraph)
            if mark:
                text = paragraph[mark.end() :]
                found.append(Assumed(place, text[0].upper() + text[1:]))
    return found


def paragraphs(node: Any) -> list[str]:
    """The paragraphs of a docstring, each on one line."""
    return [" ".join(part.split()) for part in (ast.get_docstring(node) or "").split("\n\n")]


def unmarked() -> list[str]:
    """Places whose docstring speaks of an assumption in a form that ``assumed`` does not find."""
    return [
        place
        for place, node in _documented()
        for paragraph in paragraphs(node)
        if re.search(r"\bassum(?:ption|es? that)", paragraph, re.IGNORECASE)
        and not _MARK.search(paragraph)
        and not re.search(r"``(?:assumptions|(?:Assumptions\.)?(?:" + "|".join(_switches()) + "))``", paragraph)
    ]


def refusals() -> dict[str, list[str]]:
    """The texts of NotEmulatedError by module, as they are written, with … for what a call puts in."""
    found: dict[str, list[str]] = {}
    for module, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NotEmulatedError" and node.args:
                text = _shown(node.args[0])
                if re.search(r"[a-z]{4}", text) and text not in found.setdefault(module, []):
                    found[module].append(text)
    return {module: sorted(texts) for module, texts in found.items() if texts}


def _shown(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return "…"


@cache
def _modules() -> tuple[tuple[str, ast.Module], ...]:
    files = sorted(path.relative_to(HERE) for path in HERE.rglob("*.py"))
    inside = [path for path in files if path.parts[0] not in _OUTSIDE and path.stem not in _OF_THE_PAGE]
    return tuple(
        (".".join(path.with_suffix("").parts), ast.parse((HERE / path).read_text(encoding="utf-8"))) for path in inside
    )


def _documented() -> Iterator[tuple[str, Any]]:
    for module, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Module):
                yield module, node
            elif isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield f"{module}, {node.name}", node


def _switches() -> dict[str, str]:
    """The fields of Assumptions, with the text that stands below each."""
    tree = ast.parse((HERE / "assumptions.py").read_text(encoding="utf-8"))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == Assumptions.__name__).body
    names = [item.name for item in fields(Assumptions)]
    return {
        node.target.id: " ".join(str(below.value.value).split())
        for node, below in pairwise(body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id in names
        and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    }  # fmt: skip


# -- the page ------------------------------------------------------------------------------------------------------

INTRODUCTION = """\
What the embedded AWS implements, what it assumes where AWS does not say, and what it refuses.

- **Implemented** follows the AWS page that is linked. The shapes of requests and answers are held against botocore's
  service models by tests.
- **Assumed** is what AWS does not document. Assumptions with variants are switches: a rehearsal draws them from its
  seed, and patchgate's promises must hold under each.
- **Not there** is refused with the error `NotEmulated` and HTTP status 501, by name. Nothing is answered with a guess.
- Services that are not the cloud's own (S3, IAM, SNS, SQS, CloudWatch, CloudWatch Logs, STS) are moto's behind
  the wire door; behind the direct door they are a light neighbour's, whose operations are listed too.
- **Metrics are not evaluated**: an alarm begins as `INSUFFICIENT_DATA` behind both doors and never changes its state by
  itself; its `StateReason` and the events of its stack say so. `SetAlarmState` does, and tells the topics among the
  alarm's actions."""


def build_page(notice: str) -> str:
    """The reference page, in Markdown."""
    parts = [notice, "# Embedded AWS", INTRODUCTION, *_switch_parts(), *_operation_parts(), *_type_parts()]
    return "\n\n".join([*parts, *_assumption_parts(), *_refusal_parts()]) + "\n"


def _switch_parts() -> list[str]:
    defaults, variants = Assumptions(), Assumptions.variants()
    rows = [
        f"| `{name}` | {text} | {', '.join(map(_word, variants[name]))} | {_word(getattr(defaults, name))} |"
        for name, text in _switches().items()
    ]
    table = "\n".join(["| switch | what it says, when on | variants | default |", "|---|---|---|---|", *rows])
    return ["## Assumptions with variants", table, "## Open questions", _OPEN, _question_table()]


_OPEN = """\
What no AWS page answers, or two pages answer differently. A question without a switch is one that no run depends on."""


def _question_table() -> str:
    rows = [f"| [{one.asks}]({one.page}) | {_answers(one)} | {one.because} |" for one in OPEN_QUESTIONS]
    return "\n".join(["| question | switches and their variants | why that is all |", "|---|---|---|", *rows])


def _answers(question: OpenQuestion) -> str:
    variants = Assumptions.variants()
    return "<br>".join(f"`{name}`: {', '.join(map(_word, variants[name]))}" for name in question.switches) or "none"


def _word(value: object) -> str:
    return {True: "on", False: "off"}.get(value, f"`{value}`") if isinstance(value, bool) else f"`{value}`"


def _operation_parts() -> list[str]:
    parts = ["## Operations"]
    for service, names in operations().items():
        done = [name for name, implemented in names.items() if implemented]
        missing = [name for name, implemented in names.items() if not implemented]
        links = ", ".join(f"[{name}]({PAGES[service].format(name)})" for name in done)
        rest = ", ".join(missing)
        parts += [
            f"### {service}",
            f"{len(done)} of {len(names)} implemented: {links}.",
            f"<details><summary>Not there: {len(missing)}</summary>\n\n{rest}\n\n</details>",
        ]
    rows = [f"| {service} | {', '.join(names)} |" for service, names in light_operations().items()]
    table = "\n".join(["| service | operations |", "|---|---|", *rows])
    return [*parts, "### The light neighbour, behind the direct door", table]


def _type_parts() -> list[str]:
    rows = []
    for name, provider in sorted(PROVIDERS.items()):
        schema = schema_of(_REGION, name)
        read_only = {pointer[0] for pointer in schema.read_only if len(pointer) == 1}
        refused = sorted(set(schema.document["properties"]) - provider.supported - read_only)
        _, service, kind = name.split("::")
        link = TYPE_PAGE.format(service.lower(), kind.lower())
        cells = (_names(provider.attributes), _names(refused), _names(provider.compared))
        rows.append(f"| [{name}]({link}) | {' | '.join(cells)} |")
    head = [
        "| resource type | Fn::GetAtt | properties refused by name | compared by drift detection |",
        "|---|---|---|---|",
    ]
    note = "A template with any other resource type is refused, with the type's name, before anything is created."
    return ["## Resource types", note, "\n".join([*head, *rows])]


def _names(names: Any) -> str:
    return ", ".join(sorted(names)) or "-"


def _assumption_parts() -> list[str]:
    rows = [f"| `{item.place}` | {_cell(item.text)} |" for item in assumed()]
    return ["## Assumptions", "\n".join(["| where | what is assumed |", "|---|---|", *rows])]


def _refusal_parts() -> list[str]:
    rows = [f"| `{module}` | {'; '.join(map(_cell, texts))} |" for module, texts in refusals().items()]
    note = "What is not emulated within what is implemented; … stands for what the call or the template names."
    return ["## Refused by name", note, "\n".join(["| where | what |", "|---|---|", *rows])]


def _cell(text: str) -> str:
    """Text that fits into a table's cell: RST's literals become Markdown's."""
    return text.replace("``", "`").replace("|", "\\|")
