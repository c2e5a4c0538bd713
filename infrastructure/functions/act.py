"""Act: tell of a window's decision once (metrics, a note), and start a training where it calls for one."""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

DECISIONS = {"ok": 0, "watch": 1, "retrain": 2}
LONGEST_SUBJECT = 100  # characters of SNS
SIMULATION = "simulation"
MARKER = "acted.json"


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """The step's output parameters: what was done."""
    import boto3

    s3, cloudwatch, sns, sagemaker = (boto3.client(name) for name in ("s3", "cloudwatch", "sns", "sagemaker"))
    return Action(event, s3, cloudwatch, sns, sagemaker, topic=os.environ.get("MONITORING_TOPIC")).run()


class Action:
    """One action. `event` has project, stage, window (the folder of its files), observation, data and champion.

    The same decision about the same window is acted on once, however often this runs. `topic` is the one of the stack,
    which has the alarm, too.
    """

    def __init__(
        self, event: Mapping[str, Any], s3: Any, cloudwatch: Any, sns: Any, sagemaker: Any, topic: str | None = None
    ) -> None:
        self._event, self._topic = event, topic
        self._s3, self._cloudwatch, self._sns, self._sagemaker = s3, cloudwatch, sns, sagemaker
        self._project, self._stage = event["project"], event["stage"]

    def run(self) -> dict[str, Any]:
        """Act, unless that was done, and say what was done."""
        observed = self._read(f"{self._event['observation']}/monitoring.json")
        marker = f"{self._event['window']}/{MARKER}"
        before = self._read(marker, missing={})
        if before.get("decision") == observed["decision"] and before.get("reasons") == observed["reasons"]:
            return {"Done": "nothing, for this was told before", "Training": before.get("training", "none")}
        self._publish_metrics(observed)
        if self._stage == SIMULATION:
            return {"Done": "metrics, and no more: it is a simulation", "Training": "none"}
        topic = self._topic or self._made_topic()
        done, training = ["metrics"], "none"
        if observed["decision"] == "retrain":
            training = self._train()
            done.append("a training" if training.startswith("arn:") else f"no training, for {training}")
        if observed["decision"] != "ok":
            message = _message(observed, training)
            self._sns.publish(TopicArn=topic, Subject=self._subject(observed), Message=message)
            done.append("a note")
        self._write(marker, {**_told(observed), "training": training})
        return {"Done": ", ".join(done)[:1000], "Training": training}

    def _made_topic(self) -> str:
        """The topic and the alarm, where no stack has made them."""
        topic = str(self._sns.create_topic(Name=f"{self._project}-monitoring")["TopicArn"])
        self._ensure_alarm(topic)
        return topic

    def _publish_metrics(self, observed: Mapping[str, Any]) -> None:
        dimensions = [{"Name": "Stage", "Value": self._stage}]
        data = [
            {"MetricName": name, "Value": value, "Dimensions": dimensions}
            for name, value in metrics_of(observed).items()
            if value is not None
        ]
        self._cloudwatch.put_metric_data(Namespace=f"{self._project}/monitoring", MetricData=data)

    def _ensure_alarm(self, topic: str) -> None:
        """One alarm for a stage: its last decision was not ok. A window without data leaves it as it is."""
        self._cloudwatch.put_metric_alarm(
            AlarmName=f"{self._project}-{self._stage}-monitoring",
            AlarmDescription="The last window of the model's monitoring was not ok: its report says why.",
            Namespace=f"{self._project}/monitoring",
            MetricName="Decision",
            Dimensions=[{"Name": "Stage", "Value": self._stage}],
            Statistic="Maximum",
            Period=86400,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="ignore",
            AlarmActions=[topic],
        )

    def _train(self) -> str:
        """Start the training pipeline on the data of the window, or of its query, against what serves.

        Returns the execution, or why there is none.

        What a window before has started is not started again while it runs, or while its version waits for a person.
        """
        earlier = str(self._event.get("before", "none"))
        if earlier.startswith("arn:") and self._still_counts(earlier):
            return earlier
        data = {"InputDataUri": self._event["data"]} if "data" in self._event else {}  # else it asks its query
        parameters = {**data, "ChampionModelUri": self._event["champion"]}
        name = f"{self._project}-training"
        token = hashlib.sha256(json.dumps([self._event["window"], parameters]).encode()).hexdigest()
        try:
            started = self._sagemaker.start_pipeline_execution(
                PipelineName=name,
                PipelineExecutionDescription=f"Called for by the monitoring of {self._stage}.",
                PipelineParameters=[{"Name": key, "Value": value} for key, value in parameters.items()],
                ClientRequestToken=token,
            )
        except self._sagemaker.exceptions.ResourceNotFound:
            return f"the pipeline {name} is not there"
        return str(started["PipelineExecutionArn"])

    def _still_counts(self, execution: str) -> bool:
        try:
            found = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        except self._sagemaker.exceptions.ResourceNotFound:
            return False
        return found["PipelineExecutionStatus"] in ("Executing", "Succeeded")

    def _subject(self, observed: Mapping[str, Any]) -> str:
        return f"{self._project} {self._stage}: {observed['decision']}"[:LONGEST_SUBJECT]

    def _read(self, uri: str, missing: Any = None) -> Any:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            return json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except self._s3.exceptions.NoSuchKey:
            if missing is None:
                raise ValueError(f"{uri} does not exist: run the monitoring of this window again.") from None
            return missing

    def _write(self, uri: str, document: Any) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self._s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document, indent=1).encode())


def metrics_of(observed: Mapping[str, Any]) -> dict[str, float | None]:
    """The metrics of monitoring.json; None for what the window does not say."""
    found: dict[str, float | None] = {"Decision": DECISIONS[observed["decision"]]}
    statistics = (observed.get("backtest") or {}).get("statistics", {})
    names = {
        "R2": "r2",
        "Mape": "mape",
        "MedianRatio": "median_ratio",
        "Cod": "cod",
        "Vei": "vei",
        "Coverage": "coverage",
    }
    found |= {name: statistics.get(key, {}).get("value") for name, key in names.items()}
    found["InputDriftP"] = (observed.get("input_drift") or {}).get("p")
    found["NewSales"] = (observed.get("backtest") or {}).get("rows", 0)
    found["Requests"] = observed.get("requests")
    return found


def _told(observed: Mapping[str, Any]) -> dict[str, Any]:
    """What the next window is to know of this one."""
    names = ("decision", "reasons", "raised")
    known = {name: observed[name] for name in names if name in observed}
    segments = (observed.get("backtest") or {}).get("segments", [])
    levels = {f"{each['column']} {each['name']}": each["level_change"] for each in segments if "level_change" in each}
    return {**known, "version": observed["window"].get("live"), "segments": levels}


def _message(observed: Mapping[str, Any], training: str) -> str:
    """What the note says. `training` is the execution, or why there is none."""
    window = observed["window"]
    lines = [f"Decision: {observed['decision']}", f"Window: {window['since']} to {window['until']}"]
    if observed["decision"] == "retrain":
        lines.append(f"Training: {training}" if training.startswith("arn:") else f"No training, for {training}.")
    return "\n".join([*lines, "", *observed["reasons"], "", *observed["notes"]])
