"""Looks at a test part are counted by the models that met it; the same model keeps its number."""

import copy
import json
from typing import Any

import pytest

from pipelines.versions.looks import Look, next_look
from tests.aws_stub import Refusal, StubAws
from tests.pipelines.conftest import GROUP, Executions, step

BUCKET = "bucket"
DEFINITION: dict[str, Any] = {
    "Parameters": [
        {"Name": "InputDataUri", "Type": "String", "DefaultValue": "s3://bucket/data"},
        {"Name": "ChampionModelUri", "Type": "String", "DefaultValue": f"s3://{BUCKET}/{GROUP}/champion/none.json"},
        {"Name": "MaxDepth", "Type": "Integer", "DefaultValue": 6},
        {"Name": "MinR2", "Type": "Float", "DefaultValue": 0.85},
    ],
    "Steps": [
        {
            "Name": "ValidateData",
            "Type": "Processing",
            "Arguments": {"ProcessingInputs": [{"S3Input": {"S3Uri": {"Get": "Parameters.InputDataUri"}}}]},
        },
        {
            "Name": "Train",
            "Type": "Training",
            "Arguments": {
                "HyperParameters": {"max_depth": {"Get": "Parameters.MaxDepth"}},
                "Tags": [{"Key": "git-commit", "Value": "1"}],
            },
        },
        {
            "Name": "Evaluate",
            "Type": "Processing",
            "Arguments": {
                "AppSpecification": {
                    "ContainerArguments": ["--min_r2", {"Get": "Parameters.MinR2"}, "--test_part", "0123"]
                }
            },
        },
    ],
}


@pytest.fixture(scope="module")
def clients(aws: StubAws) -> tuple[Any, Any]:
    """Of SageMaker and of S3: to make them takes longer than the tests."""
    return aws.client("sagemaker"), aws.client("s3")


class Starts:
    """Executions that are started, and evaluated at once."""

    def __init__(self, executions: Executions, clients: tuple[Any, Any]) -> None:
        self.executions, self.clients = executions, clients
        executions.script = [("Succeeded", [step("Train"), step("Evaluate")])]

    def look(self, given: dict[str, str] | None = None, definition: dict[str, Any] | None = None) -> Look:
        found = next_look(*self.clients, GROUP, definition or DEFINITION, given or {})
        assert found is not None
        return found

    def start(self, identity: str, given: dict[str, str] | None = None) -> int:
        """What a start is told, once it is written down."""
        found = self.look(given)
        found.record(self.clients[1], self.executions.add(identity))
        return found.earlier


@pytest.fixture
def starts(executions: Executions, clients: tuple[Any, Any]) -> Starts:
    return Starts(executions, clients)


def test_only_another_model_adds_to_the_looks(starts: Starts) -> None:
    assert starts.start("a") == 0
    assert [bucket for bucket, key in starts.executions.aws.objects if "/looks/" in key] == [BUCKET]
    assert starts.start("b") == 0
    assert starts.start("c", {"MaxDepth": "3"}) == 1
    assert starts.start("d", {"MaxDepth": "4"}) == 2
    assert starts.start("e", {"MaxDepth": "3"}) == 1
    assert starts.start("f") == 0


def test_a_limit_of_a_gate_or_a_tag_makes_no_other_model(starts: Starts) -> None:
    assert starts.start("a") == 0
    tagged = copy.deepcopy(DEFINITION)
    tagged["Steps"][1]["Arguments"]["Tags"] = [{"Key": "git-commit", "Value": "2"}]
    assert starts.look({"MinR2": "0.5"}).key == starts.look(definition=tagged).key == starts.look().key
    assert starts.look({"MaxDepth": "7"}).key != starts.look().key


def test_other_data_or_another_split_is_another_test_part(starts: Starts) -> None:
    assert starts.start("a") == 0
    assert starts.look({"MaxDepth": "3"}).earlier == 1
    assert starts.look({"MaxDepth": "3", "InputDataUri": "s3://bucket/new"}).earlier == 0
    other = copy.deepcopy(DEFINITION)
    other["Steps"][2]["Arguments"]["AppSpecification"]["ContainerArguments"][-1] = "4567"
    assert starts.look({"MaxDepth": "3"}, other).earlier == 0


def test_another_query_is_another_test_part(starts: Starts) -> None:
    def asking(sql: str) -> dict[str, Any]:
        dataset = {"AthenaDatasetDefinition": {"QueryString": sql}}
        steps = [
            {**step, "Arguments": {"ProcessingInputs": [{"DatasetDefinition": dataset}]}}
            if step["Name"] == "ValidateData"
            else step
            for step in DEFINITION["Steps"]
        ]
        kept = [entry for entry in DEFINITION["Parameters"] if entry["Name"] != "InputDataUri"]
        return {**DEFINITION, "Parameters": kept, "Steps": steps}

    keys = [starts.look(definition=asking(sql)).key.split("/")[2] for sql in ("SELECT 1", "SELECT 1", "SELECT 2")]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_model_that_never_met_the_test_part_does_not_count(starts: Starts, status: str) -> None:
    assert starts.start("a", {"MaxDepth": "3"}) == 0
    starts.executions.script = [(status, [step("Train", "Failed")])]
    assert starts.start("b") == 0


def test_a_model_that_is_rejected_has_met_it_and_one_that_runs_may_yet(starts: Starts) -> None:
    assert starts.start("a", {"MaxDepth": "3"}) == 0
    starts.executions.script = [("Executing", [step("Train", "Executing")])]
    assert starts.look().earlier == 1
    starts.executions.script = [("Failed", [step("Evaluate"), step("RejectModel", "Failed")])]
    assert starts.look().earlier == 1


def test_what_is_known_is_not_asked_again(starts: Starts) -> None:
    starts.start("a", {"MaxDepth": "3"})
    assert starts.look().earlier == 1
    starts.executions.aws.calls.clear()
    assert starts.look().earlier == 1
    assert not [name for name, _ in starts.executions.aws.calls if "Pipeline" in name]


def test_an_execution_of_a_deleted_pipeline_counts(starts: Starts) -> None:
    starts.start("a", {"MaxDepth": "3"})

    def gone(request: dict[str, Any]) -> dict[str, Any]:
        raise Refusal("ResourceNotFound", "It does not exist.")

    starts.executions.aws.answers["ListPipelineExecutionSteps"] = gone
    assert starts.look().earlier == 1


def test_a_number_that_a_person_gives_and_a_pipeline_without_evaluation_are_left_alone(starts: Starts) -> None:
    arguments = (*starts.clients, GROUP)
    assert next_look(*arguments, DEFINITION, {"EarlierLooks": "4"}) is None
    assert next_look(*arguments, {"Steps": DEFINITION["Steps"][:2]}, {}) is None
    old = json.loads(json.dumps(DEFINITION).replace("--test_part", "--other"))
    assert next_look(*arguments, old, {}) is None
    assert not starts.executions.aws.objects
