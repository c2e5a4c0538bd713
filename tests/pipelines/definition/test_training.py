"""The pipeline that SageMaker is asked to run: its steps, what they wait for, what they share."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from pipelines.definition.compilation import Compiled, compile_pipeline
from pipelines.document import walk
from pipelines.settings.candidate_settings import LightGBMSettings
from pipelines.settings.environment import Environment
from pipelines.settings.query_settings import QuerySettings
from pipelines.settings.settings import ROOT, default_config, load_settings

pytestmark = pytest.mark.e2e

REQUESTS = {
    "Processing": ("CreateProcessingJob", "ProcessingJobName"),
    "Training": ("CreateTrainingJob", "TrainingJobName"),
    "RegisterModel": ("CreateModelPackage", None),
}


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_pipeline(load_settings(default_config()), Environment.from_env({}))


@pytest.fixture(scope="module")
def definition(compiled: Compiled) -> dict[str, Any]:
    return dict(json.loads(compiled.definition))


@pytest.fixture(scope="module")
def steps(definition: dict[str, Any]) -> dict[str, Any]:
    found = {step["Name"]: step for step in definition["Steps"]}
    branches = found["CheckQuality"]["Arguments"]
    return found | {step["Name"]: step for step in branches["IfSteps"] + branches["ElseSteps"]}


def test_the_steps_are_those_of_the_design_in_their_order(definition: dict[str, Any], steps: dict[str, Any]) -> None:
    assert [(name, step["Type"]) for name, step in steps.items()] == [
        ("ValidateData", "Processing"),
        ("Preprocess", "Processing"),
        ("Train", "Training"),
        ("Evaluate", "Processing"),
        ("CheckQuality", "Condition"),
        ("RegisterModel", "RegisterModel"),
        ("RejectModel", "Fail"),
    ]
    assert len(definition["Steps"]) == 5


@pytest.mark.parametrize(
    ("step", "source"),
    [("Preprocess", "ValidateData"), ("Train", "Preprocess"), ("Evaluate", "Train"), ("Evaluate", "Preprocess")],
)
def test_each_step_takes_what_the_one_before_it_made(steps: dict[str, Any], step: str, source: str) -> None:
    assert f"Steps.{source}." in json.dumps(steps[step]["Arguments"])


def test_only_the_evaluation_sees_the_test_part(steps: dict[str, Any]) -> None:
    readers = [name for name, step in steps.items() if "Outputs['test']" in json.dumps(step)]
    assert readers == ["Evaluate"]


def test_a_reserve_is_written_by_preprocess_told_by_the_version_and_read_by_no_step() -> None:
    own = load_settings(default_config())
    settings = own.model_copy(update={"split": replace(own.split, reserve=0.1)})
    definition = json.loads(compile_pipeline(settings, Environment.from_env({})).definition)
    found = {step.name: step.arguments for step in walk.steps(definition)}
    assert [name for name, each in found.items() if "Outputs['reserve']" in json.dumps(each)] == ["RegisterModel"]
    outputs = found["Preprocess"]["ProcessingOutputConfig"]["Outputs"]
    assert [output["OutputName"] for output in outputs][-1] == "reserve"
    kept = found["RegisterModel"]["CustomerMetadataProperties"]["reserve"]
    assert kept == {"Get": "Steps.Preprocess.ProcessingOutputConfig.Outputs['reserve'].S3Output.S3Uri"}


def test_what_may_change_between_executions_is_a_parameter(definition: dict[str, Any]) -> None:
    defaults = {entry["Name"]: (entry["Type"], entry["DefaultValue"]) for entry in definition["Parameters"]}
    settings = load_settings(default_config())
    assert defaults["InputDataUri"][1].startswith("s3://sagemaker-us-east-1-000000000000/house-prices/data/")
    assert defaults["TrainingInstanceType"] == ("String", "ml.m5.xlarge")
    assert defaults["TrainingInstanceCount"] == defaults["ProcessingInstanceCount"] == ("Integer", 1)
    assert defaults["ProcessingInstanceType"] == ("String", "ml.m5.xlarge")
    assert defaults["ModelApprovalStatus"] == ("String", "PendingManualApproval")
    assert defaults["MinR2"] == ("Float", settings.gates.min_r2)
    assert defaults["MaxDepth"] == ("Integer", settings.candidates.xgboost.max_depth)
    assert defaults["LearningRate"] == ("Float", settings.candidates.xgboost.learning_rate)


def test_several_hosts_are_given_to_the_steps_that_share_their_work(definition: dict[str, Any]) -> None:
    counts = {}
    for step in walk.steps(definition):
        resources = step.arguments.get("ProcessingResources", {}).get("ClusterConfig") or step.arguments.get(
            "ResourceConfig"
        )
        if resources is not None:
            counts[step.name] = resources["InstanceCount"]
    assert counts == {
        "ValidateData": 1,
        "Preprocess": {"Get": "Parameters.ProcessingInstanceCount"},
        "Train": {"Get": "Parameters.TrainingInstanceCount"},
        "Evaluate": {"Get": "Parameters.ProcessingInstanceCount"},
    }


def test_who_starts_a_pipeline_cannot_approve_by_a_parameter(definition: dict[str, Any]) -> None:
    offered = next(entry for entry in definition["Parameters"] if entry["Name"] == "ModelApprovalStatus")["EnumValues"]
    assert "Approved" not in offered
    roles = (ROOT / "infrastructure" / "roles.yaml").read_text()
    condition = '"sagemaker:ModelApprovalStatus": '
    registers = roles.partition("Sid: NewVersions")[2].partition(condition)[2].partition("\n")[0]
    assert registers == f"[{', '.join(offered)}]", "the jobs' role may register what the definition offers, and no more"


def test_every_parameter_is_used(definition: dict[str, Any]) -> None:
    text = json.dumps(definition["Steps"])
    unused = [entry["Name"] for entry in definition["Parameters"] if f'Parameters.{entry["Name"]}"' not in text]
    assert unused == []


def test_every_job_is_cached_retried_and_tagged_with_the_commit(compiled: Compiled, steps: dict[str, Any]) -> None:
    jobs = [step for step in steps.values() if step["Type"] in ("Processing", "Training")]
    assert len(jobs) == 4
    for step in jobs:
        assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}
        assert len(step["RetryPolicies"]) == 2
        assert {"Key": "git-commit", "Value": compiled.commit} in step["Arguments"]["Tags"]
    assert steps["RegisterModel"]["RetryPolicies"]
    assert steps["RegisterModel"]["Arguments"]["CustomerMetadataProperties"] == {
        "git_commit": compiled.commit,
        "pipeline_execution_arn": {"Get": "Execution.PipelineExecutionArn"},
        "code": f"s3://sagemaker-us-east-1-000000000000/{compiled.code.key('steps.train')}",
        "earlier_looks": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.EarlierLooks"}]}},
    }
    # With four eyes: who started it. UpdateModelPackage cannot change this.
    made_by = steps["RegisterModel"]["Arguments"]["MetadataProperties"]
    assert made_by == {"GeneratedBy": {"Get": "Execution.PipelineExecutionArn"}}


def test_every_job_runs_the_one_image_and_its_own_archive(compiled: Compiled, steps: dict[str, Any]) -> None:
    bucket = "s3://sagemaker-us-east-1-000000000000"
    jobs = {
        "ValidateData": "steps.validate",
        "Preprocess": "steps.preprocess",
        "Evaluate": "evaluation.evaluate",
    }
    for name, module in jobs.items():
        arguments = steps[name]["Arguments"]
        assert arguments["AppSpecification"]["ImageUri"].endswith("/sagemaker-xgboost:3.2-0")
        assert arguments["ProcessingInputs"][0]["S3Input"]["S3Uri"] == f"{bucket}/{compiled.code.key(module)}"
    training = steps["Train"]["Arguments"]
    assert training["AlgorithmSpecification"]["TrainingImage"].endswith("/sagemaker-xgboost:3.2-0")
    source = training["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
    assert source == f"{bucket}/{compiled.code.key('steps.train')}"


def test_libraries_that_the_yaml_names_are_trained_with_wheels_of_their_own(compiled: Compiled) -> None:
    settings = load_settings(default_config())
    named = LightGBMSettings(num_leaves=7)
    candidates = settings.candidates.model_copy(update={"lightgbm": named})
    found = compile_pipeline(settings.model_copy(update={"candidates": candidates}), Environment.from_env({}))
    (train,) = (step for step in json.loads(found.definition)["Steps"] if step["Name"] == "Train")
    assert json.loads(train["Arguments"]["HyperParameters"]["lightgbm"]) == named.model_dump()
    channels = {each["ChannelName"]: each for each in train["Arguments"]["InputDataConfig"]}
    place = channels["wheels"]["DataSource"]["S3DataSource"]["S3Uri"]
    lists = found.code.wheel_lists
    assert lists[place.removeprefix("s3://sagemaker-us-east-1-000000000000/") + "requirements.txt"] == (
        found.code.image.list_of(["lightgbm"])
    )
    assert len(lists) == 2
    assert set(lists) < set(found.code.keys)
    assert set(found.code.digests) > set(compiled.code.digests) - {
        each.digest for each in compiled.code.bundles.values()
    }
    (before,) = (step for step in json.loads(compiled.definition)["Steps"] if step["Name"] == "Train")
    assert "wheels" not in {each["ChannelName"] for each in before["Arguments"]["InputDataConfig"]}
    assert "lightgbm" not in before["Arguments"]["HyperParameters"]


def test_the_wheels_of_the_image_are_an_input_of_the_job_that_needs_them_and_named_by_their_list(
    compiled: Compiled, steps: dict[str, Any]
) -> None:
    def wheels(name: str) -> list[str]:
        inputs = steps[name]["Arguments"]["ProcessingInputs"]
        return [entry["S3Input"]["S3Uri"] for entry in inputs if entry["InputName"] == "wheels"]

    digest = hashlib.sha256(compiled.code.image.wheel_list).hexdigest()
    assert wheels("ValidateData") == [f"s3://sagemaker-us-east-1-000000000000/house-prices/wheels/{digest[:16]}/"]
    assert wheels("Preprocess") == wheels("Evaluate") == []


def test_each_gate_is_a_parameter_an_argument_of_the_evaluation_and_a_limit_of_the_condition(
    steps: dict[str, Any],
) -> None:
    arguments = json.dumps(steps["Evaluate"]["Arguments"]["AppSpecification"]["ContainerArguments"])
    limits = {"MinR2", "MaxR2", "MaxMape", "MaxRmseRatio", "MaxSegmentMape", "MaxCoverageGap", "MinImprovement"}
    limits |= {"MaxBaselineRatio", "MaxMissingRatio", "MaxUndercovered", "MaxBrokenRules"}
    conditions = steps["CheckQuality"]["Arguments"]["Conditions"]
    assert {condition["RightValue"]["Get"] for condition in conditions} == {f"Parameters.{name}" for name in limits}
    assert all(f"Parameters.{name}" in arguments for name in limits)


def test_the_message_of_a_rejected_model_is_the_evaluations_own_sentence(steps: dict[str, Any]) -> None:
    assert "gates.message" in json.dumps(steps["RejectModel"]["Arguments"]["ErrorMessage"])


def test_the_champion_is_an_input_of_the_evaluation_and_by_default_the_marker_of_none(
    compiled: Compiled, definition: dict[str, Any], steps: dict[str, Any]
) -> None:
    inputs = {entry["InputName"]: entry["S3Input"] for entry in steps["Evaluate"]["Arguments"]["ProcessingInputs"]}
    assert inputs["champion"]["S3Uri"] == {"Get": "Parameters.ChampionModelUri"}
    defaults = {entry["Name"]: entry["DefaultValue"] for entry in definition["Parameters"]}
    assert defaults["ChampionModelUri"] == f"s3://sagemaker-us-east-1-000000000000/{compiled.champion_marker}"


def test_the_registry_gets_the_metrics_the_bias_and_the_explanation(steps: dict[str, Any]) -> None:
    metrics = steps["RegisterModel"]["Arguments"]["ModelMetrics"]
    files = {
        (kind, name): source["S3Uri"]["Std:Join"]["Values"][1]
        for kind, sources in metrics.items()
        for name, source in sources.items()
    }
    assert files["ModelQuality", "Statistics"] == "evaluation.json"
    assert files["Bias", "Report"] == "bias/analysis.json"
    assert files["Explainability", "Report"] == "explainability/analysis.json"
    card = steps["RegisterModel"]["Arguments"]["ModelCard"]
    assert card["ModelCardStatus"] == "PendingReview"
    assert card["ModelCardContent"]["Std:JsonGet"]["Path"] == "content"
    assert {"PropertyFileName": "ModelCard", "OutputName": "evaluation", "FilePath": "model_card.json"} in steps[
        "Evaluate"
    ]["PropertyFiles"]
    baselines = steps["RegisterModel"]["Arguments"]["DriftCheckBaselines"]
    for kind, folder in (("ModelQuality", "model_quality"), ("ModelDataQuality", "data_quality")):
        for name in ("Statistics", "Constraints"):
            assert baselines[kind][name]["S3Uri"]["Std:Join"]["Values"][1] == f"{folder}/{name.lower()}.json"


def test_the_registry_gets_a_request_to_try_and_what_the_model_is_for(steps: dict[str, Any]) -> None:
    arguments = steps["RegisterModel"]["Arguments"]
    assert (arguments["Domain"], arguments["Task"]) == ("MACHINE_LEARNING", "REGRESSION")
    assert arguments["SamplePayloadUrl"]["Std:Join"]["Values"] == [
        {"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri"},
        "sample_payload.tar.gz",
    ]


def resolved(value: Any, defaults: dict[str, Any]) -> Any:
    """The arguments as the service would send them, so far as parameters decide it."""
    if isinstance(value, list):
        return [resolved(item, defaults) for item in value]
    if not isinstance(value, dict):
        return value
    if "Get" in value:
        kind, _, name = value["Get"].partition(".")
        return defaults[name] if kind == "Parameters" else "s3://bucket/key"
    if "Std:Join" in value or "Std:JsonGet" in value:
        return "joined"
    return {key: resolved(item, defaults) for key, item in value.items()}


@pytest.mark.parametrize("name", ["ValidateData", "Preprocess", "Train", "Evaluate", "RegisterModel"])
def test_the_arguments_are_a_request_that_botocore_accepts(
    definition: dict[str, Any], steps: dict[str, Any], name: str
) -> None:
    operation, name_field = REQUESTS[steps[name]["Type"]]
    defaults = {entry["Name"]: entry["DefaultValue"] for entry in definition["Parameters"]}
    request = resolved(steps[name]["Arguments"], defaults) | ({name_field: "a-name"} if name_field else {})
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
    report = ParamValidator().validate(request, model.operation_model(operation).input_shape)
    assert report.generate_report() == ""


def test_a_network_and_a_key_of_the_environment_reach_every_job() -> None:
    environment = Environment.from_env(
        {"SAGEMAKER_SUBNETS": "subnet-1", "SAGEMAKER_SECURITY_GROUP_IDS": "sg-1", "SAGEMAKER_KMS_KEY": "key-1"}
    )
    steps = json.loads(compile_pipeline(load_settings(default_config()), environment).definition)["Steps"]
    for step in steps[:4]:
        text = json.dumps(step["Arguments"])
        assert "subnet-1" in text
        assert "sg-1" in text
        assert "key-1" in text


def test_checkpoints_are_kept_where_the_next_attempt_looks_for_them_and_by_default_there_are_none(
    steps: dict[str, Any],
) -> None:
    settings = load_settings(default_config())
    training = settings.jobs.training.model_copy(update={"checkpoint_rounds": 100})
    jobs = settings.jobs.model_copy(update={"training": training})
    document = json.loads(
        compile_pipeline(settings.model_copy(update={"jobs": jobs}), Environment.from_env({})).definition
    )
    train = next(step for step in document["Steps"] if step["Name"] == "Train")["Arguments"]
    assert train["HyperParameters"]["checkpoint_rounds"] == "100"
    assert train["CheckpointConfig"]["S3Uri"].endswith("/house-prices/checkpoints")
    default = steps["Train"]["Arguments"]
    assert "checkpoint_rounds" not in default["HyperParameters"]
    assert "CheckpointConfig" not in default


def test_external_memory_is_asked_for_where_the_yaml_says_so_and_by_default_it_is_not(steps: dict[str, Any]) -> None:
    settings = load_settings(default_config())
    training = settings.jobs.training.model_copy(update={"external_memory": True})
    jobs = settings.jobs.model_copy(update={"training": training})
    document = json.loads(
        compile_pipeline(settings.model_copy(update={"jobs": jobs}), Environment.from_env({})).definition
    )
    train = next(step for step in document["Steps"] if step["Name"] == "Train")["Arguments"]
    assert train["HyperParameters"]["external_memory"] == "true"
    assert "external_memory" not in steps["Train"]["Arguments"]["HyperParameters"]


def test_what_is_judged_of_single_files_is_given_to_the_next_job_of_the_same_code_and_by_default_nothing_is_kept(
    compiled: Compiled, steps: dict[str, Any]
) -> None:
    settings = load_settings(default_config())
    processing = settings.jobs.processing.model_copy(update={"keep_parts": True})
    jobs = settings.jobs.model_copy(update={"processing": processing})
    keeping = compile_pipeline(settings.model_copy(update={"jobs": jobs}), Environment.from_env({}))
    arguments = {step["Name"]: step["Arguments"] for step in json.loads(keeping.definition)["Steps"]}
    validate = arguments["ValidateData"]
    inputs = {entry["InputName"]: entry["S3Input"] for entry in validate["ProcessingInputs"]}
    outputs = {entry["OutputName"]: entry["S3Output"] for entry in validate["ProcessingOutputConfig"]["Outputs"]}
    place = f"s3://sagemaker-us-east-1-000000000000/{keeping.code.kept_prefix}/"
    assert inputs["kept"]["S3Uri"] == outputs["kept"]["S3Uri"] == place
    places = [each["kept"]["LocalPath"].removeprefix("/opt/ml/processing/") for each in (inputs, outputs)]
    assert places == ["input/kept", "output/kept"]  # where steps.validate reads and writes
    assert place.endswith(f"/house-prices/kept/{keeping.code.bundles['steps.validate'].digest}/")
    assert keeping.code.kept_marker in keeping.code.keys
    assert "kept" not in json.dumps([arguments[name] for name in ("Preprocess", "Train", "Evaluate")])
    assert "kept" not in json.dumps(steps["ValidateData"]["Arguments"])
    assert compiled.code.kept_marker is None


QUERY = QuerySettings(sql="SELECT * FROM sales", database="houses", reads=["s3://lake/sales/"])


def test_the_data_may_be_what_a_query_gives_which_is_asked_each_time_and_kept_with_the_execution(
    steps: dict[str, Any],
) -> None:
    settings = load_settings(default_config()).model_copy(update={"query": QUERY})
    environment = Environment.from_env({"SAGEMAKER_KMS_KEY": "alias/mine"})
    document = json.loads(compile_pipeline(settings, environment).definition)
    found = {step["Name"]: step for step in document["Steps"]}
    assert "InputDataUri" not in [entry["Name"] for entry in document["Parameters"]]
    validate = found["ValidateData"]
    (dataset,) = [
        each["DatasetDefinition"] for each in validate["Arguments"]["ProcessingInputs"] if "S3Input" not in each
    ]
    athena = dataset.pop("AthenaDatasetDefinition")
    assert dataset == {
        "LocalPath": "/opt/ml/processing/input/data",  # where steps.validate reads
        "DataDistributionType": "FullyReplicated",
        "InputMode": "File",
    }
    place = athena.pop("OutputS3Uri")["Std:Join"]["Values"]
    assert place[0].endswith("/house-prices/executions")
    assert place[1:] == [{"Get": "Execution.PipelineExecutionId"}, "ValidateData", "data"]
    assert athena == {
        "Catalog": "AwsDataCatalog",
        "Database": "houses",
        "WorkGroup": "primary",
        "QueryString": "SELECT * FROM sales",
        "OutputFormat": "PARQUET",
        "OutputCompression": "SNAPPY",
        "KmsKeyId": "alias/mine",
    }
    assert "CacheConfig" not in validate
    assert found["Preprocess"]["CacheConfig"] == steps["ValidateData"]["CacheConfig"]
    assert "s3://lake" not in json.dumps(document)


def test_a_query_replaces_the_place_of_the_data_in_the_other_pipelines_too() -> None:
    settings = load_settings(default_config()).model_copy(update={"query": QUERY})
    validation = json.loads(compile_pipeline(settings, Environment.from_env({}), pipeline="validation").definition)
    assert [entry["Name"] for entry in validation["Parameters"]] == ["ProcessingInstanceType"]
    assert "AthenaDatasetDefinition" in json.dumps(validation)
    monitoring = json.loads(compile_pipeline(settings, Environment.from_env({}), pipeline="monitoring").definition)
    assert "InputDataUri" in [entry["Name"] for entry in monitoring["Parameters"]]  # the sales of the window
    (act,) = monitoring["Steps"][-1]["Arguments"]["IfSteps"]
    assert "data" not in act["Arguments"], "a training that it calls for asks the query"
