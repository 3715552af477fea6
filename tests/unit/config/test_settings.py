"""Keys of a fleet file and the template parameters that they become: same ranges, same words, nothing forgotten."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo

from patchgate.config.settings import EXPLICIT_SCHEDULES, OWN_PARAMETERS, Sets, Settings, models_in, settings_keys
from patchgate.templates import Parameter, build_templates
from tests.unit.config.fleets import defaults, lane_of, problems_of

KEYS = settings_keys()
SAMPLES: dict[tuple[str, ...], Any] = {
    ("schedule", "backup"): "cron(0 19 ? * 7 *)",
    ("schedule", "gate"): "cron(30 22 ? * 7 *)",
    ("schedule", "window"): "cron(0 23 ? * 7 *)",
    ("schedule", "close"): "cron(10 4 ? * 1 *)",
    ("schedule", "watchdog"): "cron(0 12 * * ? *)",
    ("time_zone",): "Europe/Berlin",
    ("backup", "kms_key"): "arn:aws:kms:eu-central-1:111111111111:key/a",
    ("gate", "kms_key"): "arn:aws:kms:eu-central-1:111111111111:key/b",
    ("concurrency", "scan"): "7",
    ("concurrency", "install"): "33%",
    ("error_budget", "scan"): "0",
    ("error_budget", "install"): "5%",
    ("notifications", "email"): "a@b.example",
    ("permissions_boundary",): "arn:aws:iam::111111111111:policy/x",
    ("role_path",): "/operations/",
}


def field_at(key: tuple[str, ...]) -> FieldInfo:
    model: Any = Settings
    for name in key[:-1]:
        model = next(models_in(model.model_fields[name].annotation))
    found: FieldInfo = model.model_fields[key[-1]]
    return found


def parameters_of(sets: Sets) -> list[Parameter]:
    return [
        parameter
        for template in build_templates().values()
        for parameter in template.parameters
        if parameter.name == sets.parameter and sets.template in ("", template.name)
    ]


@pytest.mark.parametrize(("key", "sets"), KEYS, ids=[".".join(key) for key, _ in KEYS])
def test_a_key_takes_what_its_parameter_takes(key: tuple[str, ...], sets: Sets) -> None:
    parameters = parameters_of(sets)
    assert parameters
    field = field_at(key)
    bounds = {name: getattr(each, name) for each in field.metadata for name in ("ge", "le") if hasattr(each, name)}
    words = [str(word) for each in get_args(field.annotation) for word in get_args(each)]
    for parameter in parameters:
        if parameter.minimum is not None or parameter.maximum is not None:
            assert (bounds["ge"], bounds["le"]) == (parameter.minimum, parameter.maximum)
        elif parameter.allowed:
            assert words == [str(word) for word in parameter.allowed]
        elif bounds:
            assert not [bound for bound in bounds.values() if parameter.problem(str(bound))]
        else:
            assert parameter.problem(str(SAMPLES[key])) == ""


@pytest.mark.parametrize("key", SAMPLES, ids=".".join)
def test_a_key_s_value_reaches_the_lane(key: tuple[str, ...]) -> None:
    if key[0] == "schedule" and key[1] != "watchdog":
        given = {one[1]: SAMPLES[one] for one in SAMPLES if one[0] == "schedule" and one[1] != "watchdog"}
    else:
        given = {key[-1]: SAMPLES[key]}
    text = ", ".join(f"{name}: '{value}'" for name, value in given.items())
    lane = lane_of(defaults(text if len(key) == 1 else f"{key[0]}: {{{text}}}"))
    (sets,) = [sets for one, sets in KEYS if one == key]
    values = lane.scoped[sets.template] if sets.template else lane.parameters
    assert values[sets.parameter] == SAMPLES[key]


def test_what_a_lane_is_cannot_be_set() -> None:
    for name in OWN_PARAMETERS:
        (problem,) = problems_of(defaults(f"parameters: {{{name}: x}}"))
        assert f"parameter {name} is decided by the lane itself" in problem


def test_numbers_and_percentages_need_no_quotes() -> None:
    lane = lane_of(defaults("concurrency: {install: 5, scan: 50%}, error_budget: {install: 0}"))
    assert lane.parameters == {"InstallMaxConcurrency": "5", "ScanMaxConcurrency": "50%", "InstallMaxErrors": "0"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("schedule: {patch: {}}", "patch needs a cron expression, or the time of day 'at' (one of: cron, at)"),
        (
            "schedule: {patch: {cron: cron(0 23 ? * 7 *), weekday: SAT}}",
            "weekday and ordinal go with 'at'; a cron expression says its days itself",
        ),
        ("schedule: {patch: {at: '22:00', ordinal: 2}}", "ordinal 2 without a weekday (an ordinal counts a weekday"),
        ("schedule: {patch: {at: '22:00', weekday: TEU}}", "'TEU' is not a weekday (did you mean 'THU' or 'TUE'?)"),
        ("schedule: {patch: {at: '24:00'}}", "'24:00' is not a time of day"),
        ("schedule: {patch: 'rate(1 day)'}", "only a cron expression can be derived from"),
        ("schedule: {patch: 'cron(0 25 ? * 7 *)'}", "'cron(0 25 ? * 7 *)': hours: 25 is outside 0-23"),
        ("schedule: {patch: 'cron(0 1,2 ? * 7 *)'}", "2 times of day"),
        ("schedule: {backup: 'cron(0 19 ? * 7 *)'}", "backup without gate, window, close (give all four, or patch"),
        (
            "schedule: {patch: {at: '22:00'}, window: 'cron(0 19 ? * 7 *)'}",
            "patch and window: the four schedules are derived, or all of them given (keep one of them)",
        ),
        ("schedule: {window_offset_days: 2}", "window_offset_days goes with window"),
        ("schedule: {duration_hours: 2, cutoff_hours: 2}", "cutoff_hours 2 is not less than duration_hours 2"),
        ("gate: {mode: coverge}", "defaults.gate.mode cannot be 'coverge' (did you mean 'coverage'?)"),
        ("gate: {log_retention_days: 8}", "defaults.gate.log_retention_days cannot be 8 (expected 1, 3, 5"),
        ("backup: {retention_days: 0}", "defaults.backup.retention_days cannot be 0 (at least 1)"),
        ("backup: {retention: 3}", "unknown key 'retention' (did you mean 'retention_days'?)"),
        ("time_zone: Europe/Berln", "did you mean Europe/Berlin"),
        ("time_zone: EST5EDT", "the templates take no zone of the form 'EST5EDT'"),
        ("time_zones: {eu-central-9: Europe/Berlin}", "unknown Region 'eu-central-9'"),
        ("tags: {'aws:x': y}", "tag 'aws:x': names that begin with aws: are AWS's own"),
        ("tags: {PatchGroup: y}", "tag 'PatchGroup' says which lane an instance belongs to"),
        (f"tags: {{x: {'y' * 257}}}", "tag 'x' is too long"),
        (
            "backup: {retention_days: 3}, parameters: {RetentionDays: 4}",
            "RetentionDays is given twice: as a parameter and as backup.retention_days (keep one of them)",
        ),
        (
            "schedule: {patch: {at: '22:00'}}, parameters: {BackupSchedule: 'cron(0 19 ? * 7 *)'}",
            "BackupSchedule is derived from schedule.patch",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_place_and_a_way_on(text: str, expected: str) -> None:
    (problem,) = problems_of(defaults(text))
    assert problem.startswith("f.yaml:6:")
    assert expected in problem


def test_the_four_schedules_and_a_lead_do_not_go_together() -> None:
    four = ", ".join(f"{key}: 'cron(0 {hour} * * ? *)'" for hour, key in enumerate(EXPLICIT_SCHEDULES))
    (problem,) = problems_of(defaults(f"schedule: {{{four}, lead_minutes: 30}}"))
    assert "lead_minutes goes with patch" in problem
