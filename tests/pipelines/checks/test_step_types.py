"""What AWS may refuse for its type is a warning that names it; what is fine is none."""

from typing import Any

import pytest

from pipelines.checks.image_packages import package_warnings
from pipelines.checks.step_types import step_type_warnings
from pipelines.images.image import image


def warned(**step: Any) -> list[tuple[str | None, str, str]]:
    found = step_type_warnings({"Steps": [{"Name": "Look", "Arguments": {}, **step}]})
    return [(fault.step, fault.message, fault.fix) for fault in found]


@pytest.mark.parametrize("kind", ["ClarifyCheck", "QualityCheck", "MonitoringSchedule"])
def test_a_step_of_a_service_that_is_closed_to_new_customers_is_named(kind: str) -> None:
    (step, message, _) = warned(Type=kind)[0]
    assert step == "Look"
    assert message.startswith(f"{kind} needs SageMaker ")
    assert "closed to new customers since 2026-07-30" in message


@pytest.mark.parametrize("field", ["DebugRuleConfigurations", "DebugHookConfig", "ProfilerRuleConfigurations"])
def test_debugger_rules_of_a_training_are_named(field: str) -> None:
    assert "SageMaker Debugger" in warned(Type="Training", Arguments={field: [{"x": 1}]})[0][1]
    assert warned(Type="Training", Arguments={field: []}) == []


def test_a_step_type_that_nobody_knows_is_named_with_what_may_be_meant() -> None:
    assert warned(Type="Bogus") == [
        ("Look", "Bogus is not a step type that is known here", "look it up in AWS's list of step types")
    ]
    assert warned(Type="Procesing")[0][2] == "did you mean Processing?"
    assert warned(Type="Processing") == warned(Type="EMR") == []


def test_steps_in_a_branch_are_looked_at_too() -> None:
    inner = {"Name": "Inner", "Type": "Bogus"}
    assert warned(Type="Condition", Arguments={"IfSteps": [inner]})[0][0] == "Inner"


def test_versions_that_differ_from_the_images_are_named() -> None:
    assert list(package_warnings(image("3.2-0"))) == []
    messages = [warning.message for warning in package_warnings(image("3.0-5"))]
    assert "the image 3.0-5 has scikit-learn 1.5.2; this environment has 1.8.0" in messages
    assert any("xgboost 3.0.5" in message for message in messages)
    assert not any("numpy" in message for message in messages)
