"""Rebuilding a model version: the commands that do it, and, on local SageMaker, the proof that it is the same model."""

import json
import shlex
from typing import Any

from pipelines.clients import S3Client, split_uri
from pipelines.definition.champion_input import PARAMETER as CHAMPION
from pipelines.definition.looks_input import PARAMETER as LOOKS
from pipelines.definition.revision import DIRTY
from pipelines.document.cache_forecast import defaults
from pipelines.document.differences import Change, differences
from pipelines.errors import PipelineError
from pipelines.versions.lineage import DATA_PARAMETER, Lineage, recorded_definition

# What the command `start` chooses as things stand now, unless it is given.
CHOSEN = (DATA_PARAMETER, CHAMPION, LOOKS)
JOBS = ("Processing", "Training", "Transform", "Tuning")
COMPARED = ("regression_metrics", "candidates")  # measured on the test part; the rest of the report describes them
EVALUATION = "Evaluate", "evaluation", "evaluation.json"  # step, output, file


def commands(lineage: Lineage, definition: dict[str, Any], script: str) -> list[str]:
    """What a person types to rebuild a version; `script` is the beginning of a command of run_pipeline.py."""
    known = defaults(definition)
    changed = {
        name: value for name, value in lineage.parameters.items() if name in CHOSEN or str(known.get(name)) != value
    }
    commit = (lineage.commit or "").removesuffix(DIRTY)
    given = "".join(f"-p {shlex.quote(f'{name}={value}')} " for name, value in sorted(changed.items()))
    return [f"git checkout {commit}", f"{script} upsert --force", f"{script} start {given}--wait"]


def caveats(lineage: Lineage) -> list[str]:
    """Why the commands might not be enough."""
    found = []
    if lineage.commit is not None and lineage.commit.endswith(DIRTY):
        found.append(
            "The commit alone does not give this build, because the checkout had uncommitted changes; "
            f"its code is {lineage.code}."
        )
    if lineage.data is not None and lineage.queried:
        found.append(
            "The commands ask the query again, of the tables as they are now; what it gave for this version is kept in "
            f"{lineage.data.uri}, which reproduce --local reads."
        )
    return found


def require_recorded(lineage: Lineage) -> str:
    """The execution of a version; PipelineError where the version does not say it."""
    if lineage.execution is None or lineage.evaluation is None:
        raise PipelineError(
            f"Version {lineage.version} does not name its execution: this pipeline did not register it."
        )
    return lineage.execution


def jobs_alone(definition: dict[str, Any], result: str | None = None) -> str:
    """A definition's jobs without the decision and the registration, and with nothing taken from the cache.

    Where `result` is given, an S3 prefix, an input that was a query is what lies there.
    """
    kept = [
        {name: _read_from(result, value) for name, value in step.items() if name != "CacheConfig"}
        for step in definition["Steps"]
        if step["Type"] in JOBS
    ]
    return json.dumps({**definition, "Steps": kept, "Parameters": _used(definition, kept)})


def _read_from(result: str | None, arguments: Any) -> Any:
    """The arguments of a job with S3 inputs in place of queries."""
    if result is None or not isinstance(arguments, dict) or "ProcessingInputs" not in arguments:
        return arguments
    inputs = [
        _kept(result, entry) if "DatasetDefinition" in entry else entry for entry in arguments["ProcessingInputs"]
    ]
    return {**arguments, "ProcessingInputs": inputs}


def _kept(result: str, entry: dict[str, Any]) -> dict[str, Any]:
    how = {"S3DataType": "S3Prefix", "S3InputMode": "File", "LocalPath": entry["DatasetDefinition"]["LocalPath"]}
    return {"InputName": entry["InputName"], "S3Input": {"S3Uri": result, **how}}


class Rebuild:
    """A pipeline that exists only to run a version's jobs once more, just as they were defined."""

    def __init__(self, sagemaker: Any, s3: S3Client, lineage: Lineage) -> None:
        self._sagemaker = sagemaker
        self._s3 = s3
        self._lineage = lineage
        self.execution_arn = require_recorded(lineage)
        self.name = f"{lineage.pipeline}-reproduce-{lineage.version}"

    def start(self) -> str:
        """Deploy it and start it with the recorded parameters; returns the execution's ARN."""
        data = self._lineage.data
        result = data.uri if data is not None and self._lineage.queried else None
        definition = jobs_alone(json.loads(recorded_definition(self._sagemaker, self.execution_arn)), result)
        self.remove()
        role = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=self.execution_arn).get("RoleArn")
        role = role or self._sagemaker.describe_pipeline(PipelineName=self._lineage.pipeline)["RoleArn"]
        self._sagemaker.create_pipeline(PipelineName=self.name, PipelineDefinition=definition, RoleArn=role)
        names = {entry["Name"] for entry in json.loads(definition)["Parameters"]}
        values = [{"Name": n, "Value": v} for n, v in self._lineage.parameters.items() if n in names]
        started = self._sagemaker.start_pipeline_execution(PipelineName=self.name, PipelineParameters=values)
        return str(started["PipelineExecutionArn"])

    def remove(self) -> None:
        """Forget the pipeline; the logs of its jobs stay."""
        try:
            self._sagemaker.delete_pipeline(PipelineName=self.name)
        except self._sagemaker.exceptions.ResourceNotFound:
            return

    def compare(self, execution_arn: str) -> list[Change]:
        """Where the metrics of the rebuilt model differ from those recorded, digit for digit."""
        assert self._lineage.evaluation is not None  # noqa: S101 - require_recorded has looked
        old, new = self._read(self._lineage.evaluation), self._new(execution_arn)
        return differences({name: old.get(name) for name in COMPARED}, {name: new.get(name) for name in COMPARED})

    def _new(self, execution_arn: str) -> dict[str, Any]:
        step, output, file = EVALUATION
        pages = self._sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=execution_arn
        )
        entry = next(e for page in pages for e in page["PipelineExecutionSteps"] if e["StepName"] == step)
        job = entry["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
        outputs = self._sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingOutputConfig"]["Outputs"]
        uri = next(each["S3Output"]["S3Uri"] for each in outputs if each["OutputName"] == output)
        return self._read(f"{uri}/{file}")

    def _read(self, uri: str) -> dict[str, Any]:
        bucket, key = split_uri(uri)
        document: dict[str, Any] = json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return document


def _used(definition: dict[str, Any], steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    text = json.dumps(steps)
    return [entry for entry in definition.get("Parameters", []) if f'"Parameters.{entry["Name"]}"' in text]
