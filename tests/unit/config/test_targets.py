"""Targets: which lanes they come to, organizational units, exceptions, and lanes that are there twice."""

from __future__ import annotations

import pytest

from patchgate.config import FleetConfig, ParameterOverride, parse_fleet
from patchgate.errors import InputError
from tests.unit.config.fleets import TARGET, defaults, fleet_of, problems_of

UNITS = "organizational_units: [{id: ou-ab12-cdef3456, name: workloads}, {id: r-ab12, name: everything}]\n"
WORKLOADS = "ou-ab12-cdef3456"
UNIT_TARGET = (
    "  - {organizational_units: [workloads], regions: [eu-west-1], operating_systems: [suse], environments: [dev]%s}\n"
)


def names_of(fleet: FleetConfig, **units: list[str]) -> list[str]:
    return [lane.lane.name for lane in fleet.lanes({WORKLOADS: units["workloads"]} if units else {})]


class TestOrganizationalUnits:
    """Only AWS knows their accounts: they are handed in, or said to be missing."""

    def test_they_become_the_accounts_that_are_handed_in_under_the_names_that_the_file_has(self) -> None:
        fleet = fleet_of(UNITS, UNIT_TARGET % "")
        assert names_of(fleet, workloads=["222222222222", "333333333333"]) == [
            "payments/eu-west-1/suse/dev",
            "333333333333/eu-west-1/suse/dev",
        ]

    def test_units_without_accounts_have_no_lanes(self) -> None:
        assert not fleet_of(UNITS, UNIT_TARGET % "").lanes({WORKLOADS: []})

    def test_one_that_is_not_known_is_said_with_its_place(self) -> None:
        fleet = fleet_of(UNITS, TARGET % "" + UNIT_TARGET % "")
        with pytest.raises(InputError) as refused:
            fleet.lanes()
        assert str(refused.value) == (
            "f.yaml:9:29: the accounts of organizational unit workloads (ou-ab12-cdef3456) are not known here"
        )
        assert refused.value.remedy
        assert [str(unit) for unit in fleet.unresolved()] == ["workloads (ou-ab12-cdef3456)"]
        assert not fleet.unresolved({WORKLOADS: []})

    def test_what_is_known_can_be_had_alone(self) -> None:
        fleet = fleet_of(UNITS, TARGET % "" + UNIT_TARGET % "")
        assert [lane.lane.name for lane in fleet.lanes(partial=True)] == ["web/eu-central-1/ubuntu/prd"]

    def test_they_need_no_name_and_the_root_is_one(self) -> None:
        fleet = fleet_of(targets=UNIT_TARGET.replace("workloads", "ou-zz99-zzzzzzzz, r-ab12") % "")
        assert [unit.id for unit in fleet.unresolved()] == ["ou-zz99-zzzzzzzz", "r-ab12"]

    def test_an_unknown_name_is_refused_with_the_nearest_one(self) -> None:
        (problem,) = problems_of(UNITS, UNIT_TARGET.replace("workloads", "workload") % "")
        assert problem == "f.yaml:8:29: unknown organizational unit 'workload' (did you mean 'workloads'?)"

    def test_an_account_that_a_target_has_twice_by_units_is_one(self) -> None:
        target = UNIT_TARGET.replace("[workloads]", "[workloads, everything], accounts: [web]") % ""
        lanes = fleet_of(UNITS, target).lanes({WORKLOADS: ["111111111111", "222222222222"], "r-ab12": ["222222222222"]})
        assert [lane.lane.account for lane in lanes] == ["111111111111", "222222222222"]

    def test_they_can_be_handed_in_once_for_all(self) -> None:
        fleet = fleet_of(UNITS, UNIT_TARGET % "").with_units({WORKLOADS: ["111111111111"]})
        assert names_of(fleet) == ["web/eu-west-1/suse/dev"]

    def test_an_account_of_two_targets_is_found_when_the_accounts_are_known(self) -> None:
        target = TARGET.replace("[eu-central-1]", "[eu-west-1]").replace("ubuntu", "suse").replace("prd", "dev")
        fleet = fleet_of(UNITS, target % "" + UNIT_TARGET % "")
        with pytest.raises(InputError, match="lane web/eu-west-1/suse/dev is in target 1 already, line 8"):
            fleet.lanes({WORKLOADS: ["111111111111"]})

    def test_a_unit_of_two_targets_that_meet_is_found_at_once(self) -> None:
        (problem,) = problems_of(UNITS, UNIT_TARGET % "" + UNIT_TARGET % "")
        assert problem.startswith(
            "f.yaml:9:29: lane ou-ab12-cdef3456/eu-west-1/suse/dev is in target 1 already, line 8"
        )

    def test_where_exceptions_name_accounts_a_shared_unit_may_be_right(self) -> None:
        first = UNIT_TARGET % ", exceptions: [{accounts: ['333333333333']}]"
        second = UNIT_TARGET % ", exceptions: [{accounts: ['444444444444']}]"
        fleet = fleet_of(UNITS, first + second)
        with pytest.raises(InputError, match="is in target 1 already"):
            fleet.lanes({WORKLOADS: ["555555555555"]})
        assert len(fleet.lanes({WORKLOADS: ["333333333333", "444444444444"]})) == 2

    def test_overrides_are_looked_for_when_all_lanes_are_known(self) -> None:
        fleet = fleet_of(UNITS, UNIT_TARGET % "").with_parameters([ParameterOverride.parse("333*:RetentionDays=9")])
        (lane,) = fleet.lanes({WORKLOADS: ["333333333333"]})
        assert lane.parameters == {"RetentionDays": "9"}
        with pytest.raises(InputError, match=r"no lane matches '333\*'"):
            fleet.lanes({WORKLOADS: ["444444444444"]})


class TestExceptions:
    """Lanes that match every list of an exception are left out."""

    TARGET = (
        "  - {accounts: [web, payments], regions: [eu-west-1, us-east-1], operating_systems: [suse, ubuntu],"
        " environments: [prd]%s}\n"
    )

    def left_out(self, exceptions: str) -> set[str]:
        every = {lane.lane.name for lane in fleet_of(targets=self.TARGET % "").lanes()}
        fleet = fleet_of(targets=self.TARGET % f", exceptions: [{exceptions}]")
        return every - {lane.lane.name for lane in fleet.lanes()}

    def test_all_lists_have_to_match(self) -> None:
        assert self.left_out("{accounts: [web], regions: [eu-west-1], operating_systems: [suse]}") == {
            "web/eu-west-1/suse/prd"
        }

    def test_each_exception_stands_for_itself(self) -> None:
        assert len(self.left_out("{accounts: [web]}, {regions: [eu-west-1]}")) == 6

    def test_accounts_go_by_name_or_id(self) -> None:
        assert self.left_out("{accounts: ['222222222222']}") == self.left_out("{accounts: [payments]}")

    def test_units_are_resolved_too(self) -> None:
        targets = self.TARGET % ", exceptions: [{organizational_units: [workloads]}]"
        fleet = fleet_of(UNITS, targets)
        assert [str(unit) for unit in fleet.unresolved()] == ["workloads (ou-ab12-cdef3456)"]
        lanes = fleet.lanes({WORKLOADS: ["222222222222"]})
        assert {lane.lane.account for lane in lanes} == {"111111111111"}

    @pytest.mark.parametrize(
        ("exception", "expected"),
        [
            ("{}", "an exception without a list would leave out everything"),
            ("{regions: [eu-west-2]}", "the target has no Region 'eu-west-2' to leave out (did you mean 'eu-west-1'?)"),
            ("{operating_systems: [redhat]}", "the target has no operating system 'redhat' to leave out"),
            ("{environments: [dev]}", "the target has no environment 'dev' to leave out"),
            ("{accounts: ['333333333333']}", "the target has no account '333333333333' to leave out"),
            ("{accounts: [pay]}", "unknown account 'pay'"),
            ("{environments: [prd]}", "a target without lanes: its exceptions leave out all"),
            ("{regions: []}", "targets.exceptions.regions is empty"),
        ],
    )
    def test_one_that_says_nothing_useful_is_refused(self, exception: str, expected: str) -> None:
        (problem,) = problems_of(targets=self.TARGET % f", exceptions: [{exception}]")
        assert problem.startswith("f.yaml:7:")
        assert expected in problem


class TestWaves:
    """Environments, one after the other."""

    TARGETS = TARGET.replace("[prd]", "[prd, dev, stg, lab]") % ""

    def test_they_come_in_the_order_of_the_file(self) -> None:
        fleet = fleet_of("environments: [{name: stg}, {name: lab}, {name: dev}, {name: prd}]\n", self.TARGETS)
        assert [(wave.environment, len(wave.lanes)) for wave in fleet.waves()] == [
            ("stg", 1),
            ("lab", 1),
            ("dev", 1),
            ("prd", 1),
        ]

    def test_without_an_order_production_is_last(self) -> None:
        assert [wave.environment for wave in fleet_of(targets=self.TARGETS).waves()] == ["lab", "dev", "stg", "prd"]

    def test_environments_without_lanes_have_no_wave(self) -> None:
        fleet = fleet_of("environments: [{name: dev}, {name: prd}]\n")
        assert [wave.environment for wave in fleet.waves()] == ["prd"]

    def test_a_target_takes_only_the_environments_of_the_file(self) -> None:
        assert problems_of("environments: [{name: dev}, {name: stg}]\n") == [
            "f.yaml:8:92: unknown environment 'prd' (one of: dev, stg)"
        ]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("environments: [{name: prd}, {name: prd}]\n", "environment 'prd' is given 2 times"),
        ("operating_systems: [{name: suse}, {name: suse}]\n", "operating system 'suse' is given 2 times"),
        (UNITS.replace("r-ab12", WORKLOADS), "organizational unit id 'ou-ab12-cdef3456' is given 2 times"),
        (UNITS.replace("everything", "workloads"), "organizational unit name 'workloads' is given 2 times"),
        (UNITS.replace("name: everything", "name: ou-ab12-cdef3456"), "'ou-ab12-cdef3456' is not a name"),
        (UNITS.replace(WORKLOADS, "ou-x"), "'ou-x' is not the id of an organizational unit"),
    ],
)
def test_names_are_given_once_and_are_names(rest: str, expected: str) -> None:
    assert expected in problems_of(rest)[0]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[ubuntu]", "[ubuntu, ubuntu]", "f.yaml:7:76: 'ubuntu' is in the list already (name it once)"),
        ("[web]", "[web, '111111111111']", "'111111111111' is 'web', which is in the list already"),
        ("[prd]", f"[{', '.join(['prd'] * 101)}]", "targets.environments is too long (at most 100)"),
    ],
)
def test_a_word_is_in_a_list_once(old: str, new: str, expected: str) -> None:
    assert expected in problems_of(targets=TARGET.replace(old, new) % "")[0]


def test_very_many_problems_are_told_in_part() -> None:
    problems = problems_of("".join(f"key{number}: 1\n" for number in range(5000)))
    assert len(problems) == 101
    assert problems[-1] == "f.yaml: 4900 more problems (mend these first)"


def test_very_long_values_are_told_by_their_beginning() -> None:
    (problem,) = problems_of(defaults(f"permissions_boundary: '{'x y ' * 10_000}'"))
    assert len(problem) < 700


def test_many_accounts_are_read_in_reasonable_time() -> None:
    count = 3000
    accounts = "".join(f"  - {{id: '{100_000_000_000 + number}', name: a{number}}}\n" for number in range(count))
    target = TARGET.replace("[web]", f"[{', '.join(f'a{number}' for number in range(count))}]") % ""
    text = f"version: 1\norganization: {{id: o-a1b2c3d4e5, log_account: a1}}\naccounts:\n{accounts}targets:\n{target}"
    assert len(parse_fleet(text.encode(), "f.yaml").lanes()) == count
