"""The champion is the newest approved version, found when an execution starts; what a person gives stays."""

from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.versions.champion import newest_approved, with_champion
from tests.pipelines.conftest import GROUP, Executions

DECLARED = [{"Name": "ChampionModelUri"}]


def serving(uri: str) -> dict[str, Any]:
    return {"InferenceSpecification": {"Containers": [{"Image": "image", "ModelDataUrl": uri}]}}


def test_newest_approved_version_is_the_champion(executions: Executions) -> None:
    for number, status in enumerate(["Approved", "Approved", "Rejected", "PendingManualApproval"], start=1):
        executions.register(status, **serving(f"s3://bucket/{number}/model.tar.gz"))
    assert newest_approved(executions.sagemaker, GROUP) == (2, "s3://bucket/2/model.tar.gz")
    parameters, line = with_champion(executions.sagemaker, GROUP, DECLARED, {"MaxDepth": "3"})
    assert parameters == {"MaxDepth": "3", "ChampionModelUri": "s3://bucket/2/model.tar.gz"}
    assert line == "version 2, s3://bucket/2/model.tar.gz"


def test_without_an_approved_version_the_definitions_default_stays(executions: Executions) -> None:
    assert with_champion(executions.sagemaker, GROUP, DECLARED, {}) == ({}, "none is approved yet")
    executions.register("PendingManualApproval", **serving("s3://bucket/1/model.tar.gz"))
    assert with_champion(executions.sagemaker, GROUP, DECLARED, {}) == ({}, "none is approved yet")


def test_what_a_person_gives_stays_and_a_pipeline_without_the_parameter_gets_none(executions: Executions) -> None:
    executions.register("Approved", **serving("s3://bucket/1/model.tar.gz"))
    given = {"ChampionModelUri": "s3://bucket/mine/model.tar.gz"}
    assert with_champion(executions.sagemaker, GROUP, DECLARED, given) == (given, None)
    assert with_champion(executions.sagemaker, GROUP, [], {}) == ({}, None)


def test_champion_that_does_not_name_its_model_is_said(executions: Executions) -> None:
    executions.register("Approved")
    with pytest.raises(PipelineError, match="Version 1 of house-prices, the champion, does not name its model"):
        newest_approved(executions.sagemaker, GROUP)
