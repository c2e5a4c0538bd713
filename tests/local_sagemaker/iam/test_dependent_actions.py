"""What AWS does on somebody's behalf: nobody's request names it, and a role without it fails on AWS alone."""

import json
from pathlib import Path
from typing import Any

from local_sagemaker.iam.access import Access
from local_sagemaker.iam.dependent_actions import ROLE_FIELDS, dependents, pipeline_accesses

TABLE = json.loads((Path(__file__).parent / "authorization_table.json").read_text())
ROLE = "arn:aws:iam::111122223333:role/jobs"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
IMAGE = "685385470294.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.0-5"


def arn(resource: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:111122223333:{resource}"


def found(
    operation: str, request: dict[str, Any], described: dict[str, Any] | None = None
) -> dict[str | None, list[Access]]:
    by_role: dict[str | None, list[Access]] = {}
    for each in dependents(operation, request, arn, lambda *_: described or {}):
        by_role.setdefault(each.role, []).append(each.access)
    return by_role


def actions(accesses: list[Access]) -> set[str]:
    return {access.action for access in accesses}


def job(**more: Any) -> dict[str, Any]:
    return {
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE},
        "InputDataConfig": [{"DataSource": {"S3DataSource": {"S3Uri": "s3://houses/data/train/"}}}],
        "OutputDataConfig": {"S3OutputPath": "s3://houses/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large"},
        **more,
    }


def test_who_gives_a_role_to_sagemaker_must_be_allowed_to_pass_it() -> None:
    (passed,) = found("CreateTrainingJob", job())[None]
    assert (passed.action, passed.resource) == ("iam:PassRole", ROLE)
    assert passed.context == {"iam:PassedToService": ("sagemaker.amazonaws.com",)}
    for operation in ROLE_FIELDS:
        # AWS's table lists it for what creates; UpdatePipeline may change the role, too.
        assert "iam:PassRole" in TABLE[f"sagemaker:{operation}"]["dependent"] or operation == "UpdatePipeline"


def test_the_role_of_a_job_reads_its_inputs_writes_its_outputs_and_logs() -> None:
    mine = found("CreateTrainingJob", job())[ROLE]
    resources = {(access.action, access.resource) for access in mine}
    assert ("s3:GetObject", "arn:aws:s3:::houses/data/train/x") in resources
    assert ("s3:PutObject", "arn:aws:s3:::houses/models/x") in resources
    assert ("s3:PutObject", "arn:aws:s3:::houses/data/train/x") not in resources
    assert ("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:685385470294:repository/sagemaker-xgboost") in resources
    assert {"logs:CreateLogStream", "logs:PutLogEvents", "cloudwatch:PutMetricData"} <= actions(mine)
    assert not {action for action in actions(mine) if action.startswith(("ec2:", "kms:"))}


def test_the_role_of_a_job_with_a_query_asks_athena_reads_the_catalog_and_keeps_the_result() -> None:
    query = {"Catalog": "AwsDataCatalog", "Database": "d", "WorkGroup": "w", "OutputS3Uri": "s3://houses/asked/"}
    inputs = [{"InputName": "rows", "DatasetDefinition": {"AthenaDatasetDefinition": query}}]
    request = {"RoleArn": ROLE, "AppSpecification": {"ImageUri": IMAGE}, "ProcessingInputs": inputs}
    resources = {(access.action, access.resource) for access in found("CreateProcessingJob", request)[ROLE]}
    glue, athena = "arn:aws:glue:eu-west-1:111122223333", "arn:aws:athena:eu-west-1:111122223333"
    assert resources >= {
        ("athena:StartQueryExecution", f"{athena}:workgroup/w"),
        ("athena:GetDataCatalog", f"{athena}:datacatalog/AwsDataCatalog"),
        ("glue:GetTable", f"{glue}:table/d/x"),
        ("glue:CreateDatabase", f"{glue}:database/sagemaker_processing"),
        ("glue:CreateTable", f"{glue}:table/sagemaker_processing/x"),
        ("s3:PutObject", "arn:aws:s3:::houses/asked/x"),
        ("s3:GetObject", "arn:aws:s3:::houses/asked/x"),
    }
    assert ("glue:CreateTable", f"{glue}:table/d/x") not in resources
    assert ("glue:GetDatabase", f"{glue}:table/d/x") not in resources
    plain = found("CreateProcessingJob", {**request, "ProcessingInputs": []})[ROLE]
    assert not [access for access in plain if access.action.startswith(("athena:", "glue:"))]


def test_with_a_network_and_a_key_it_needs_more() -> None:
    secured = job(
        VpcConfig={"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        ResourceConfig={"VolumeKmsKeyId": KEY},
        OutputDataConfig={"S3OutputPath": "s3://houses/models", "KmsKeyId": KEY},
    )
    mine = found("CreateTrainingJob", secured)[ROLE]
    assert {"ec2:CreateNetworkInterface", "ec2:DescribeVpcs", "kms:CreateGrant", "kms:GenerateDataKey"} <= actions(mine)
    grant = next(access for access in mine if access.action == "kms:CreateGrant")
    assert (grant.resource, grant.context) == (KEY, {"kms:GrantIsForAWSResource": ("true",)})


def test_who_creates_an_endpoint_with_a_key_makes_a_grant() -> None:
    request = {"EndpointName": "a", "EndpointConfigName": "c"}
    mine = found("CreateEndpoint", request, {"KmsKeyId": KEY})[None]
    assert [(access.action, access.resource) for access in mine] == [("kms:CreateGrant", KEY), ("kms:DescribeKey", KEY)]
    assert found("CreateEndpoint", request) == {}


def test_the_role_of_a_model_reads_what_its_package_holds() -> None:
    request = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"ModelPackageName": arn("model-package/a/1")}}
    package = {"InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://houses/model.tar.gz"}]}}
    mine = found("CreateModel", request, package)[ROLE]
    assert ("s3:GetObject", "arn:aws:s3:::houses/model.tar.gz") in {(each.action, each.resource) for each in mine}


def test_a_definition_in_s3_is_read_by_who_publishes_it() -> None:
    place = {"Bucket": "houses", "ObjectKey": "definitions/1.json"}
    mine = found("UpdatePipeline", {"PipelineName": "a", "RoleArn": ROLE, "PipelineDefinitionS3Location": place})[None]
    assert ("s3:GetObject", "arn:aws:s3:::houses/definitions/1.json") in {(each.action, each.resource) for each in mine}


def test_a_pipeline_waits_for_its_jobs_and_stops_them() -> None:
    mine = list(pipeline_accesses("CreateHyperParameterTuningJob", arn("hyper-parameter-tuning-job/a")))
    assert {
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:StopHyperParameterTuningJob",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
    } <= actions(mine)
    assert list(pipeline_accesses("CreateModelPackage", arn("model-package-group/a"))) == []


def test_every_dependent_action_is_one_that_aws_has() -> None:
    secured = job(
        VpcConfig={"Subnets": ["subnet-1"]},
        ResourceConfig={"VolumeKmsKeyId": KEY},
        OutputDataConfig={"S3OutputPath": "s3://houses/models", "KmsKeyId": KEY},
    )
    for role_accesses in found("CreateTrainingJob", secured).values():
        for access in role_accesses:
            entry = TABLE[access.action]
            assert bool(entry["resources"]) or access.resource == "*", access
            assert set(access.context) <= set(entry["conditions"]), access
