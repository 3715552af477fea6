"""Bugs as data, and how one gets into what is deployed: nothing on disk is changed.

A bug is an exact replacement in the gate's sources, or of one value in a built template. The templates are built
with it in memory and handed to the embedded CloudFormation in the place of the sound ones.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

from patchgate.aws.stacks import CloudFormationStacks
from patchgate.operations.ports import StackResult
from patchgate.rehearsal.campaign.ground import Grounds, open_grounds
from patchgate.rehearsal.stage import Stage
from patchgate.templates import Template, build_templates
from patchgate.templates.gate_code import RULES, SCRIPTS, build_bundle, bundle

LOGS = "aws-create-s3-stack"
PATCH = "aws-backup-and-patch-stackset"
MONITORING = "aws-monitoring-backup-stackset"


class Absent:
    """The value of a place where nothing is."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class SourceEdit:
    """In the gate's module ``module``, ``old`` (which occurs exactly once) becomes ``new``.

    ``only``: the script whose bundle alone gets it, where a rule is shared; "" for all.
    """

    module: str
    old: str
    new: str
    only: str = ""

    def applied_to(self, source: str) -> str:
        """The module's text with the edit; ValueError unless ``old`` occurs exactly once."""
        if source.count(self.old) != 1:
            raise ValueError(f"{self.module}.py holds {source.count(self.old)} times: {self.old!r}")
        return source.replace(self.old, self.new)

    def __str__(self) -> str:
        return f"{self.module}.py"


def in_open(old: str, new: str) -> SourceEdit:
    """An edit of the open function."""
    return SourceEdit("open_window", old, new)


def in_close(old: str, new: str) -> SourceEdit:
    """An edit of the close function."""
    return SourceEdit("close_window", old, new)


def in_prove(old: str, new: str) -> SourceEdit:
    """An edit of the proof."""
    return SourceEdit("prove", old, new)


def in_rules(old: str, new: str, only: str = "") -> SourceEdit:
    """An edit of the rules, in all scripts or in one."""
    return SourceEdit("rules", old, new, only)


@dataclass(frozen=True, slots=True)
class TemplateEdit:
    """In a template, what stands below ``Resources`` at ``path`` becomes ``new``; it was ``old``.

    A step of the path is a key, or in a list the ``name`` or ``Sid`` of an item. ABSENT: nothing is there.
    """

    template: str
    path: tuple[str, ...]
    old: Any
    new: Any

    def apply_to(self, resources: dict[str, Any]) -> None:
        """Change a template's resources; ValueError unless ``old`` is what stands there."""
        *way, last = self.path
        holder: Any = resources
        for step in way:
            holder = holder[_key(holder, step)]
        key = _key(holder, last)
        there = ABSENT if key is None or (isinstance(holder, Mapping) and key not in holder) else holder[key]
        if there != self.old:
            raise ValueError(f"{self} is {there!r}, not {self.old!r}")
        if self.new is ABSENT:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(self.new)

    def __str__(self) -> str:
        return f"{self.template}: {'.'.join(self.path)}"


Edit = SourceEdit | TemplateEdit


def _key(holder: Any, step: str) -> Any:
    """A step as an index of what holds it; None when a list has no such item."""
    if not isinstance(holder, list):
        return step
    named = (
        i for i, item in enumerate(holder) if isinstance(item, Mapping) and step in (item.get("name"), item.get("Sid"))
    )
    return next(named, int(step) if step.isdigit() else None)


@dataclass(frozen=True, slots=True)
class Bug:
    """One seeded bug.

    ``endangers`` are the F-numbers or promises that it is about, ``faults`` the mix and ``shapes`` the standard lanes
    that show it ("none": it needs no fault). ``masked_by`` names the layers that make it harmless by
    itself: then nothing is to be found, and the bug named by ``with_it`` is this one with those layers off. ``unseen``
    says why no promise is broken, or why no history shows it: nothing is to be found either, and nothing is claimed.
    """

    name: str
    says: str
    endangers: str
    edits: tuple[Edit, ...]
    faults: str = "none"
    shapes: tuple[str, ...] = ("daily",)
    masked_by: str = ""
    with_it: str = ""
    unseen: str = ""

    @property
    def is_to_be_found(self) -> bool:
        """Whether a campaign must find it."""
        return not self.masked_by and not self.unseen


SOUND = Bug("none", "nothing is wrong", "", ())


def broken_bundle(script: str, bug: Bug) -> str:
    """The text that a template embeds for a script, with a bug in its sources."""
    edits = [edit for edit in bug.edits if isinstance(edit, SourceEdit) and edit.only in ("", script)]
    return _bundle(script, tuple(edit for edit in edits if edit.module in (script, RULES)))


@cache
def _bundle(script: str, edits: tuple[SourceEdit, ...]) -> str:
    if not edits:
        return build_bundle(script)
    texts = {name: _read(name) for name in (script, RULES)}
    for edit in edits:
        texts[edit.module] = edit.applied_to(texts[edit.module])
    return bundle(texts[script], texts[RULES], entry=SCRIPTS[script])


def broken_template(template: Template, bug: Bug) -> Template:
    """A template with a bug in it, or in the gate that it embeds."""
    broken = copy.deepcopy(dict(template.resources))
    if any(isinstance(edit, SourceEdit) for edit in bug.edits):
        bundles = {build_bundle(script): broken_bundle(script, bug) for script in SCRIPTS}
        broken = _replaced(broken, bundles)
    for edit in bug.edits:
        if isinstance(edit, TemplateEdit) and edit.template == template.name:
            edit.apply_to(broken)
    return replace(template, resources=broken)


def _replaced(value: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _replaced(item, texts) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, texts) for item in value]
    return texts.get(value, value) if isinstance(value, str) else value


@cache
def _read(name: str) -> str:
    return files("patchgate.gate").joinpath(f"{name}.py").read_text(encoding="utf-8")


class BrokenStacks(CloudFormationStacks):
    """CloudFormation that is handed the templates with a bug in them."""

    def __init__(self, stage: Stage, bug: Bug) -> None:
        super().__init__(
            lambda account, region: stage.session(account, region).client("cloudformation"), lambda _: None
        )
        self._bug = bug
        self._templates = {template.text(): template for template in build_templates().values()}

    def create_or_update(
        self,
        account: str,
        region: str,
        name: str,
        template_body: str,
        parameters: Mapping[str, str],
        capabilities: tuple[str, ...] = (),
        tags: Mapping[str, str] | None = None,
    ) -> StackResult:
        """See StackControl; the text is that of a sound template."""
        body = broken_template(self._templates[template_body], self._bug).text()
        return super().create_or_update(account, region, name, body, parameters, capabilities, tags)


@contextmanager
def open_broken_grounds(bug: Bug) -> Iterator[Grounds]:
    """Grounds on which the bug is deployed; those of SOUND are the ordinary ones."""
    with open_grounds() as grounds:
        yield Grounds(replace(grounds.stage, stacks=BrokenStacks(grounds.stage, bug)))
