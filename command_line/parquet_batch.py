"""batch, of a folder of Parquet files: scored by a processing job, each of its hosts its own files."""

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.packages import Package
    from deployment.parquet_batch import ParquetBatch, Summary

FILES = (".csv", ".json")  # inputs of a batch transform


def is_folder(text: str) -> bool:
    """Whether an input of `batch` is a folder, or a prefix of S3. DeploymentError where it is neither, nor a file."""
    from deployment.errors import DeploymentError

    if text.startswith("s3://"):
        return not text.lower().endswith(FILES)
    path = Path(text)
    if not path.exists():
        raise DeploymentError(f"There is no file or folder {text}.")
    if path.suffix.lower() == ".parquet" and path.is_file():
        raise DeploymentError(f"{text} is one Parquet file: give the folder that holds it.")
    return path.is_dir()


def parquet_batch(session: "Session", options: argparse.Namespace) -> None:
    """Score a folder; on the way its files, and the predictions, lie below NAME/batch/ in the bucket."""
    from deployment.batch import new_name
    from deployment.errors import DeploymentError
    from deployment.packages import named_package
    from deployment.parquet_batch import ParquetBatch, ParquetBatchRun, download, place_of, remove
    from pipelines.publishing.publish import create_bucket_if_local

    if not session.has_bucket:
        raise DeploymentError("Set SAGEMAKER_BUCKET to the project's bucket, or use --local.")
    if options.stage is not None:
        raise DeploymentError("--stage keeps the predictions of .csv and .json files only.")
    sagemaker, s3, bucket = session.client("sagemaker"), session.client("s3"), session.environment.bucket
    approve = session.command("run_pipeline.py", "approve")
    package = named_package(sagemaker, session.settings.name, options.version.removeprefix("v"), approve)
    if session.local:
        create_bucket_if_local(s3, session.environment)
    _refuse_used(session, options.output)
    names = _names(session, options.input)
    if len(names) < options.instance_count:
        raise DeploymentError(
            f"{options.input} holds {_counted(len(names), 'file')}, and --instance-count is {options.instance_count}: "
            "a host scores whole files, so give at most one instance for each."
        )
    session.console.line(f"{_counted(len(names), 'Parquet file')} in {options.input}")
    job = new_name(session.settings.name, package.version)
    base = f"{session.settings.name}/batch/{job}"
    with ExitStack() as undo:
        undo.callback(remove, s3, bucket, f"{base}/")
        batch = ParquetBatch(
            job,
            package,
            _evaluation(session, package),
            _rows(session, options.input, f"{base}/rows/"),
            _folder(options.output) or f"s3://{bucket}/{base}/predictions/",
            f"s3://{bucket}/{base}/summary/",
            options.instance_count,
            options.instance_type,
        )
        run = ParquetBatchRun(sagemaker, s3, session.waiting, session.console.line, session.log_of("processing"))
        summary = run.run(batch)
        if _folder(options.output) is None:
            download(s3, *place_of(batch.predictions), Path(options.output))
    _tell(session, batch, summary, options.output)


def _tell(session: "Session", batch: "ParquetBatch", summary: "Summary", output: str) -> None:
    """The summary, for a person or a script. DeploymentError where no row could be predicted."""
    from deployment.errors import DeploymentError

    column = f"predicted_{session.settings.data.target}"
    version = batch.package.version
    if summary.rows and summary.unpredicted == summary.rows:
        raise DeploymentError(
            f"None of the {summary.rows:,} rows could be predicted; {output} says why in {column}_fault. The first: "
            f"{summary.first_fault}."
        )
    if session.console.json_output:
        counts = {"rows": summary.rows, "unpredicted": summary.unpredicted, "warned": summary.warned}
        told = {"version": version, "files": summary.parts, **counts, "coverage": summary.coverage}
        session.console.document({**told, "output": output, "job": batch.name})
        return
    done = summary.rows - summary.unpredicted
    many = "1 row is" if done == 1 else f"{done:,} rows are"
    session.console.line(f"{many} predicted by version {version}: {output}", style="green")
    for name, count in sorted(summary.absent.items()):
        session.console.line(f"{_counted(count, 'file')} without {name}, which is optional: scored as missing.")
    if summary.warned:
        session.console.line(
            f"{_counted(summary.warned, 'row')} unlike the training rows, see {column}_warnings: nothing is known of "
            "the coverage of their intervals."
        )
    if summary.unpredicted:
        session.console.line(
            f"{_counted(summary.unpredicted, 'row')} without a prediction, see {column}_fault; the first: "
            f"{summary.first_fault}."
        )


def _evaluation(session: "Session", package: "Package") -> dict[str, object]:
    from deployment.errors import DeploymentError
    from deployment.evaluation_job import evaluation_of
    from pipelines.versions.four_eyes import execution_of

    sagemaker = session.client("sagemaker")
    execution = execution_of(sagemaker.describe_model_package(ModelPackageName=package.arn))
    found = evaluation_of(sagemaker, execution) if execution else None
    if found is None:
        raise DeploymentError(
            f"The evaluation of version {package.version}, which says on what its jobs run, is gone: train a new "
            "version."
        )
    return dict(found)


def _names(session: "Session", place: str) -> list[str]:
    """The Parquet files below the input."""
    from deployment.parquet_batch import keys_below, place_of
    from pipelines.publishing.dataset import check_data, parquet_names

    uri = _folder(place)
    if uri is None:
        return parquet_names([part.name for part in check_data(Path(place))], place)
    bucket, prefix = place_of(uri)
    return parquet_names([key.removeprefix(prefix) for key in keys_below(session.client("s3"), bucket, prefix)], uri)


def _rows(session: "Session", place: str, prefix: str) -> str:
    """Where the rows lie in S3; those of a folder are brought there."""
    from pipelines.publishing.dataset import check_data, upload_parts

    uri, bucket = _folder(place), session.environment.bucket
    if uri is not None:
        return uri
    parts = {f"{prefix}{part.name}": part for part in check_data(Path(place))}
    upload_parts(session.client("s3"), bucket, parts, session.console.line)
    return f"s3://{bucket}/{prefix}"


def _refuse_used(session: "Session", output: str) -> None:
    """DeploymentError where the output is not a folder, or holds something: old files would lie beside new ones."""
    from deployment.errors import DeploymentError
    from deployment.parquet_batch import keys_below, place_of

    uri = _folder(output)
    if uri is not None:
        used = bool(keys_below(session.client("s3"), *place_of(uri)))
    else:
        path = Path(output)
        if path.suffix.lower() in FILES or (path.exists() and not path.is_dir()):
            raise DeploymentError(
                f"The output {output} must be a folder: each Parquet file gets one of its name there."
            )
        used = path.is_dir() and any(path.iterdir())
    if used:
        raise DeploymentError(f"The output {output} holds files already: name a new folder.")


def _folder(text: str) -> str | None:
    """A prefix of S3, which ends in a slash; None for a folder of this machine."""
    if not text.startswith("s3://"):
        return None
    return text if text.endswith("/") else f"{text}/"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
