"""The faithfulness page: complete, from the code, and nothing that is assumed goes untold."""

from __future__ import annotations

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.cloudformation.providers import PROVIDERS
from patchgate.emulator.coverage import PAGES, assumed, build_page, light_operations, operations, refusals, unmarked
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.open_questions import OPEN_QUESTIONS


def test_every_operation_is_told() -> None:
    told = operations()
    for component in COMPONENTS:
        for name, _ in component.operations():
            assert told[component.service][name] is True
    assert told["ec2"]["RunInstances"] is False
    assert set(told) == set(PAGES)


def test_the_light_neighbour_is_told_too() -> None:
    assert {"s3", "iam", "sns", "sqs", "logs"} <= set(light_operations())
    assert "GetObject" in light_operations()["s3"]


def test_every_assumption_is_written_so_that_it_is_found() -> None:
    assert unmarked() == []


def test_assumptions_come_from_docstrings() -> None:
    texts = {item.place: item.text for item in assumed()}
    assert texts["ssm_automation_engine"] == "One second passes between two steps."
    assert texts["functions_environments"] == "An idle one is kept for 15 minutes."
    assert "cloudformation.stack_sets_operations" in texts


def test_refusals_come_from_the_errors() -> None:
    assert "flexible time windows of schedules" in refusals()["scheduler_resources"]
    assert "the resource types […]" in refusals()["cloudformation.deployment"]


def test_the_page() -> None:
    page = build_page("<!-- made -->")
    assert page.startswith("<!-- made -->\n\n# Embedded AWS\n")
    for switch in Assumptions.__dataclass_fields__:
        assert f"| `{switch}` | " in page
    for kind in PROVIDERS:
        assert f"| [{kind}](https://docs.aws.amazon.com/" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)
    assert "[PutRule](https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html)" in page


def test_every_switch_answers_an_open_question_and_one_without_is_argued() -> None:
    named = [switch for question in OPEN_QUESTIONS for switch in question.switches]
    assert sorted(named) == sorted(Assumptions.variants())
    page = build_page("")
    for question in OPEN_QUESTIONS:
        assert question.because
        assert f"| [{question.asks}]({question.page}) | " in page
    assert "`window_at_repeated_time`: `first pass`, `second pass`, `both passes` | " in page
