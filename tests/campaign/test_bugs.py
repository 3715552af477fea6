"""The seeded bugs are what they say: each still applies to today's sources and templates, and changes them."""

from __future__ import annotations

from importlib.resources import files

import pytest

from patchgate.rehearsal.campaign.mixes import read_mix
from patchgate.rehearsal.campaign.shapes import SHAPES
from patchgate.templates import build_templates
from patchgate.templates.gate_code import SCRIPTS, build_bundle

from .bugs import BUGS, EVERY
from .seeding import SOUND, Bug, SourceEdit, TemplateEdit, broken_bundle, broken_template

EVERY_BUG = pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)


def test_there_are_enough_and_their_names_are_unique() -> None:

    assert len(EVERY) == len(BUGS)
    assert sum(bug.is_to_be_found for bug in EVERY) >= 40


@EVERY_BUG
def test_every_edit_of_a_source_applies_exactly_once(bug: Bug) -> None:
    for edit in bug.edits:
        if isinstance(edit, SourceEdit):
            source = files("patchgate.gate").joinpath(f"{edit.module}.py").read_text(encoding="utf-8")
            assert source.count(edit.old) == 1
            assert edit.applied_to(source) != source


@EVERY_BUG
def test_it_changes_what_is_deployed(bug: Bug) -> None:
    changed = {
        name for name, sound in build_templates().items() if broken_template(sound, bug).resources != sound.resources
    }
    assert changed
    assert changed >= {edit.template for edit in bug.edits if isinstance(edit, TemplateEdit)}


@EVERY_BUG
def test_it_is_looked_for_with_faults_and_on_lanes_that_there_are(bug: Bug) -> None:
    assert read_mix(bug.faults).name == bug.faults
    assert set(bug.shapes) <= {shape.name for shape in SHAPES}
    assert bug.shapes


@EVERY_BUG
def test_what_masks_it_is_taken_away_by_another_bug_that_is_to_be_found(bug: Bug) -> None:
    assert bool(bug.masked_by) == bool(bug.with_it)
    if bug.with_it:
        assert BUGS[bug.with_it].is_to_be_found
        assert not bug.unseen


def test_without_a_bug_nothing_is_changed() -> None:
    for script in SCRIPTS:
        assert broken_bundle(script, SOUND) == build_bundle(script)
    for template in build_templates().values():
        assert broken_template(template, SOUND).text() == template.text()


def test_an_edit_that_no_longer_applies_is_an_error() -> None:
    with pytest.raises(ValueError, match="holds 0 times"):
        SourceEdit("rules", "no such line", "").applied_to("")
    edit = TemplateEdit("aws-backup-and-patch-stackset", ("SsmMaintenanceWindow", "Properties", "Duration"), 3, 4)
    with pytest.raises(ValueError, match="not 3"):
        edit.apply_to({"SsmMaintenanceWindow": {"Properties": {"Duration": {"Ref": "MaintenanceWindowDuration"}}}})
