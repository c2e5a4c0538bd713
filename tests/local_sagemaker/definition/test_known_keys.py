"""A key that nothing reads is a fault, wherever it stands."""

import json
from typing import Any

import pytest

from local_sagemaker.definition.check import check

FAIL = {"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}
EQUAL = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}


def faults(**changes: Any) -> list[str]:
    return [str(each) for each in check(json.dumps({"Version": "2020-12-01", "Steps": [FAIL], **changes}))]


def in_step(**changes: Any) -> list[str]:
    return faults(Steps=[{**FAIL, **changes}])


def in_condition(condition: dict[str, Any]) -> list[str]:
    step = {"Name": "C", "Type": "Condition", "Arguments": {"Conditions": [condition], "IfSteps": [], "ElseSteps": []}}
    return faults(Steps=[step])


def test_a_definition_with_every_key_has_no_fault() -> None:
    assert faults(Metadata={"any": 1}, Parameters=[], PipelineExperimentConfig={"ExperimentName": "e"}) == []
    retry = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 3}
    assert in_step(DisplayName="a", Description="b", DependsOn=[], RetryPolicies=[retry]) == []
    assert in_condition({"Type": "Not", "Expression": EQUAL}) == []


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (faults(Version="1999-01-01"), "Version: '1999-01-01' is not a version"),
        (faults(Foo=1), "Foo: a definition has no key Foo"),
        (faults(Step=[]), "did you mean Steps?"),
        (faults(Step=[], Steps=None), "did you mean Steps?"),
        (faults(Parameters=[{"Name": "${p}", "Type": "String"}]), "a template fills in ${...}"),
        (faults(PipelineExperimentConfig={"TrailName": "t"}), "no key TrailName; did you mean TrialName?"),
        (
            faults(Parameters=[{"Name": "a", "Type": "String", "Default": "x"}]),
            "Parameters[0].Default: a parameter has no key Default; did you mean DefaultValue?",
        ),
        (faults(Parameters=[{"Name": "a b", "Type": "String"}]), "hyphens and underscores; this one is 'a b'"),
        (in_step(DependOn=["B"]), "Steps[0].DependOn: a Fail step has no key DependOn; did you mean DependsOn?"),
        (in_step(CacheConfg={}), "did you mean CacheConfig?"),
        (in_step(FunctionArn="x"), "a Fail step has no key FunctionArn"),
        (
            in_step(CacheConfig={"Enabled": True, "ExpiresAfter": "P1D"}),
            "no key ExpiresAfter; did you mean ExpireAfter?",
        ),
        (
            in_step(RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempt": 1}]),
            "Steps[0].RetryPolicies[0].MaxAttempt: an entry has no key MaxAttempt; did you mean MaxAttempts?",
        ),
        (in_step(Arguments={"ErrorMesage": "x"}), "did you mean ErrorMessage?"),
        (in_condition({**EQUAL, "Foo": 2}), "Conditions[0].Foo: the condition Equals has no key Foo"),
        (in_condition({"Type": "Or", "Conditions": [{**EQUAL, "Left": 2}]}), "the condition Equals has no key Left"),
        (in_condition({"Type": "Not", "Expression": {**EQUAL, "Foo": 2}}), "Expression.Foo"),
    ],
)
def test_an_unknown_key_is_named_with_its_place(found: list[str], fault: str) -> None:
    assert any(fault in each for each in found), found


def test_steps_of_types_that_aws_does_not_document_are_left_alone() -> None:
    assert faults(Steps=[{"Name": "P", "Type": "Pass", "Anything": 1}]) == []


def test_a_placeholder_of_a_template_is_told_as_such() -> None:
    step = {"Name": "M", "Type": "Model", "Arguments": {"ModelName": "m", "ExecutionRoleArn": "${Role}"}}
    assert any("a template fills in ${...}, so check what it becomes" in each for each in faults(Steps=[step]))
