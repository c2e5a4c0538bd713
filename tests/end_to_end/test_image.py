"""The jobs and the endpoint of a run once more in the image's environment and under AWS's own toolkit: nothing differs.

`make image-test` runs this for one image, whose environment it builds; CI runs it for the default image where its
Python is there, and the environment is, or can be built in BUILD_SECONDS.
"""

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from pipelines.images.image import IMPORTED, image, known_images
from pipelines.settings.settings import default_config, load_settings
from steps.identity import identity
from tests.conftest import QUICK
from tests.end_to_end.conftest import DATA, NO_CHAMPION
from tests.end_to_end.image.container import Answer, Container, namespaces
from tests.end_to_end.image.environment import WHEELS, NoEnvironment, environment
from tests.end_to_end.image.jobs import Ended, Inputs, contents, objects, process, train, unpacked
from tests.sales import some_sales

pytestmark = [pytest.mark.e2e, pytest.mark.journey]

ROOT = Path(__file__).parents[2]
HOUSE = json.loads((ROOT / "house.json").read_text())
DEFAULT = load_settings(default_config()).jobs.image_version
CHOSEN = os.environ.get("IMAGE")  # of `make image-test`
VERSION = CHOSEN or DEFAULT
BUILD_SECONDS = 40.0
STEPS = ("ValidateData", "Preprocess", "Train", *(["Evaluate"] if CHOSEN else []))
# Where the image's libraries are not the lock's: the share by which a prediction, and an error on the test part, may
# differ at most. None did when 3.0-5 was tried.
TOLERANCE = 1e-6
SAME_VERSIONS = VERSION in known_images() and all(
    image(VERSION).packages[name] == image(DEFAULT).packages[name] for name in IMPORTED
)
exact = pytest.mark.skipif(not SAME_VERSIONS, reason=f"the image {VERSION} has other versions than the lock")
in_full = pytest.mark.skipif(not CHOSEN, reason="`make image-test` runs it, which may take longer")
SERVE = "house-prices-image-test"
JSON, CSV = "application/json", "text/csv"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in HOUSE.items() if key != name}


def row(values: Mapping[str, Any]) -> str:
    return ",".join(str(value) for value in values.values())


GOOD = {
    "one object": (json.dumps(HOUSE), JSON, JSON),
    "instances": (json.dumps({"instances": [HOUSE, {**HOUSE, "grade": 12}]}), JSON, JSON),
    "a list": (json.dumps([HOUSE] * 40), JSON, CSV),
    "a header": (f"{','.join(HOUSE)}\n{row(HOUSE)}\n", CSV, CSV),
    "any type": (json.dumps(HOUSE), f"{JSON}; charset=utf-8", "*/*"),
}
BAD = {
    "a missing field": (json.dumps(without("grade")), JSON, JSON),
    "an unknown field": (json.dumps({**HOUSE, "colour": "red"}), JSON, JSON),
    "a word for a number": (json.dumps({**HOUSE, "grade": "high"}), JSON, JSON),
    "an empty body": ("", JSON, JSON),
    "half of a document": ('{"grade": ', JSON, JSON),
    "a number for rows": ("5", JSON, JSON),
    "no rows": ('{"instances": []}', JSON, JSON),
    "a short row": ("1,2,3", CSV, CSV),
    "another content type": ("<house/>", "text/xml", JSON),
    "another accepted type": (json.dumps(HOUSE), JSON, "image/png"),
    "bytes that are no text": (b"\xff\xfe\x00{", JSON, JSON),
    "an impossible date": (json.dumps({**HOUSE, "date": "2015-02-30"}), JSON, JSON),
}
RAISES = "def model_fn(model_dir):\n    return 1\n\n\ndef input_fn(data, content_type):\n    raise ValueError('no')\n"


@pytest.fixture(scope="session")  # of the session, so that what is lacking is said before the first run begins
def packages() -> Path:
    """The image's environment; what is lacking is the reason of the skip, and in `make image-test` a failure."""
    try:
        namespaces()
        return environment(VERSION, os.environ.get("IMAGE_PYTHON"), None if CHOSEN else BUILD_SECONDS)
    except NoEnvironment as error:
        if CHOSEN:
            pytest.exit(f"error: {error}", returncode=1)
        pytest.skip(f"{error} `make image-test` builds it without a limit of time.")


@dataclass(frozen=True)
class Run:
    """The four jobs of an execution here, and in the image: there each from what the one before has made there."""

    jobs: dict[str, dict[str, Any]]
    ended: dict[str, Ended]
    s3: Any
    folder: Path

    @cached_property
    def models(self) -> tuple[Path, Path]:
        """The model's folder here, and in the image."""
        archive = objects(self.s3, self.jobs["Train"]["ModelArtifacts"]["S3ModelArtifacts"])[""]
        return unpacked(archive, self.folder / "model"), self.ended["Train"].container.path("/opt/ml/model")

    def but_for_python(self, content: bytes) -> bytes:
        """What the image wrote, with the Python of here, which a model names, and so with the model's hash here."""
        versions = (json.loads((model / "model.json").read_text())["versions"]["python"] for model in self.models)
        hashes = (identity(model) for model in self.models)
        for here, there in (versions, hashes):
            content = content.replace(there.encode(), here.encode())
        return content

    def both(self, step: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """The outputs of a step here and in the image, by path."""
        job, container = self.jobs[step], self.ended[step].container
        if step == "Train":
            return contents(self.models[0]), contents(self.models[1])
        here, there = {}, {}
        for output in job["ProcessingOutputConfig"]["Outputs"]:
            name, place = output["OutputName"], output["S3Output"]
            here |= {f"{name}/{key}": body for key, body in objects(self.s3, place["S3Uri"]).items()}
            there |= {f"{name}/{key}": body for key, body in contents(container.path(place["LocalPath"])).items()}
        return here, there


@pytest.fixture(scope="module")
def jobs(cli: Any, sagemaker: Any, tmp_path_factory: Any) -> dict[str, dict[str, Any]]:
    """What local SageMaker says of the four jobs of a run; in CI, of one that trains few trees on some of the rows."""
    chosen = (str(DATA),) if CHOSEN else (str(some_sales(tmp_path_factory.mktemp("sales"))), *QUICK)
    out = cli.pipeline("run", *NO_CHAMPION, "--data", *chosen).stdout
    arn = re.search(r"arn:aws:sagemaker:\S+/execution/\w+", out)
    assert arn
    found = {}
    for step in sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn[0])["PipelineExecutionSteps"]:
        if step["StepName"] in STEPS:
            kind, metadata = next(iter(step["Metadata"].items()))
            describe = sagemaker.describe_training_job if kind == "TrainingJob" else sagemaker.describe_processing_job
            found[step["StepName"]] = describe(**{f"{kind}Name": metadata["Arn"].rpartition("/")[2]})
    return found


@pytest.fixture(scope="module")
def run(packages: Path, jobs: Any, s3: Any, tmp_path_factory: Any) -> Run:
    inputs, ended = Inputs(s3, {}), {}
    for given in jobs["ValidateData"]["ProcessingInputs"]:
        if given["InputName"] == "wheels":  # local SageMaker has their list alone; an upsert to AWS uploads them
            inputs.made[given["S3Input"]["S3Uri"]] = packages / WHEELS
    for name in STEPS:
        folder = tmp_path_factory.mktemp(name)
        container = Container(packages, folder / "container")
        ended[name] = (train if name == "Train" else process)(container, jobs[name], inputs)
        assert ended[name].exit_code == 0, f"{name}: {ended[name].log[-3000:]}"
        if name == "Train":
            inputs.made[jobs[name]["ModelArtifacts"]["S3ModelArtifacts"]] = ended[name].packed_model(folder)
        else:
            for output in jobs[name]["ProcessingOutputConfig"]["Outputs"]:
                place = output["S3Output"]
                inputs.made[place["S3Uri"]] = container.path(place["LocalPath"])
    return Run(jobs, ended, s3, tmp_path_factory.mktemp("here"))


@exact
@pytest.mark.parametrize("step", STEPS)
def test_a_job_leaves_the_same_bytes_in_the_image_as_here(run: Run, step: str) -> None:
    here, there = run.both(step)
    assert sorted(here) == sorted(there)
    assert [name for name in here if here[name] != run.but_for_python(there[name])] == []


@in_full
def test_the_model_of_the_image_is_as_good_as_the_one_here(run: Run) -> None:
    here, there = (json.loads(each["evaluation/evaluation.json"]) for each in run.both("Evaluate"))
    for metric in ("rmse", "mae", "mape", "r2"):
        value = here["regression_metrics"][metric]["value"]
        tolerance = 0 if SAME_VERSIONS else TOLERANCE * value
        assert there["regression_metrics"][metric]["value"] == pytest.approx(value, abs=tolerance), metric


@pytest.fixture(scope="module")
def endpoint(jobs: Any, server: Any, sagemaker: Any) -> Any:
    """Answers of local SageMaker's endpoint with the model of the run, asked as the image's server is."""
    source = jobs["Train"]
    container = {
        "Image": source["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": source["ModelArtifacts"]["S3ModelArtifacts"],
        "Environment": serving(sagemaker),
    }
    return hosted(server, sagemaker, SERVE, container, source["RoleArn"])


def serving(sagemaker: Any) -> dict[str, str]:
    """The environment that the registered version gives its container."""
    version = sagemaker.list_model_packages(ModelPackageGroupName="house-prices", SortOrder="Ascending")
    arn = version["ModelPackageSummaryList"][0]["ModelPackageArn"]
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    return dict(package["InferenceSpecification"]["Containers"][0]["Environment"])


def hosted(server: Any, sagemaker: Any, name: str, container: Any, role: str) -> Any:
    """A function that asks a new endpoint of local SageMaker."""
    variant = {
        "VariantName": "all",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    runtime = server.client("sagemaker-runtime")

    def ask(body: str | bytes, content_type: str, accept: str) -> Answer:
        request = {"EndpointName": name, "Body": body, "ContentType": content_type, "Accept": accept}
        try:
            answer = runtime.invoke_endpoint(**request)
        except runtime.exceptions.ModelError as error:
            return Answer(error.response["OriginalStatusCode"], "", error.response["OriginalMessage"].encode())
        return Answer(200, answer["ContentType"], answer["Body"].read())

    return ask


@pytest.fixture(scope="module")
def answers(run: Run, packages: Path, sagemaker: Any, tmp_path_factory: Any) -> dict[str, Answer]:
    """What the image's server answers to every request, with the model that was trained in the image."""
    container = Container(packages, tmp_path_factory.mktemp("serve") / "container")
    run.ended["Train"].copy_model(container)
    asked = {**GOOD, **BAD}
    requests = [
        (body if isinstance(body, bytes) else body.encode(), {"Content-Type": kind, "Accept": accept})
        for body, kind, accept in asked.values()
    ]
    return dict(zip(asked, container.serve(requests, serving(sagemaker)), strict=True))


@pytest.mark.parametrize("name", GOOD)
def test_predictions_are_the_same_in_the_image_as_here(run: Run, answers: Any, endpoint: Any, name: str) -> None:
    here, there = endpoint(*GOOD[name]), answers[name]
    assert there.status == here.status == 200, there.body
    assert there.content_type.partition(";")[0] == here.content_type.partition(";")[0]
    if SAME_VERSIONS:
        assert run.but_for_python(there.body) == here.body
    else:
        assert np.abs(scores(there) / scores(here) - 1).max() <= TOLERANCE


def scores(answer: Answer) -> Any:
    """The predictions of an answer, one for each row."""
    if answer.content_type.startswith(CSV):
        return np.array(answer.body.split(), dtype=float)
    return np.array([each["score"] for each in json.loads(answer.body)["predictions"]])


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_gets_the_same_status_and_body_in_the_image_as_here(
    answers: Any, endpoint: Any, name: str
) -> None:
    here, there = endpoint(*BAD[name]), answers[name]
    assert (there.status, there.body) == (here.status, here.body)
    assert 400 <= there.status < 500


@in_full
def test_what_a_handler_raises_is_the_same_page_in_the_image_as_here(
    packages: Path, jobs: Any, server: Any, sagemaker: Any, s3: Any, tmp_path: Path
) -> None:
    container = Container(packages, tmp_path / "container")
    script = container.path("/opt/ml/model/code/raises.py")
    script.parent.mkdir(parents=True)
    script.write_text(RAISES)
    variables = {**serving(sagemaker), "SAGEMAKER_PROGRAM": "raises"}
    (there,) = container.serve([(b"5", {"Content-Type": JSON})], variables)
    uri = f"{jobs['Train']['OutputDataConfig']['S3OutputPath']}/image-test/model.tar.gz"
    put(s3, uri, Ended(0, "", "", container).packed_model(tmp_path) / "model.tar.gz")
    image_uri = jobs["Train"]["AlgorithmSpecification"]["TrainingImage"]
    given = {"Image": image_uri, "ModelDataUrl": uri, "Environment": variables}
    here = hosted(server, sagemaker, f"{SERVE}-raises", given, jobs["Train"]["RoleArn"])("5", JSON, JSON)
    assert there.status == here.status == 500
    assert words(there.body) == words(here.body)


def words(page: bytes) -> str:
    """A page's text: what Flask's versions agree in."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.decode()).split())


def put(s3: Any, uri: str, path: Path) -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3.upload_file(str(path), bucket, key)


SCRIPT = {"sagemaker_program": "steps.train", "sagemaker_region": "us-east-1"}
FEW = {"rounds": "15", "early_stopping_rounds": "5"}


def trained_here(sagemaker: Any, source: Mapping[str, Any], changes: Mapping[str, str], script: bool) -> Any:
    """A training job of local SageMaker as `source`, with other hyperparameters; in script mode, if so asked."""
    code = next(each for each in source["InputDataConfig"] if each["ChannelName"] == "code")
    algorithm = dict(source["AlgorithmSpecification"])
    hyperparameters = {**source["HyperParameters"], **changes}
    if script:
        del algorithm["ContainerEntrypoint"]
        uri = code["DataSource"]["S3DataSource"]["S3Uri"]
        hyperparameters |= {**SCRIPT, "sagemaker_submit_directory": uri}
    kept = ("RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "StoppingCondition", "Environment")
    request = {key: source[key] for key in kept if key in source}
    request |= {"AlgorithmSpecification": algorithm, "HyperParameters": hyperparameters}
    name = f"image-test-{uuid4().hex[:8]}"
    sagemaker.create_training_job(TrainingJobName=name, **request)
    while True:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in ("Completed", "Failed"):
            return job
        time.sleep(0.2)


def trained_there(packages: Path, folder: Path, job: Mapping[str, Any], s3: Any) -> Ended:
    """The same in the image: its script mode takes the code from the channel, as there is no network for S3."""
    there = json.loads(json.dumps(dict(job), default=str))
    if "sagemaker_submit_directory" in there["HyperParameters"]:
        there["HyperParameters"]["sagemaker_submit_directory"] = "/opt/ml/input/data/code/sourcedir.tar.gz"
        there["Environment"] = {**there.get("Environment", {}), "PIP_NO_BUILD_ISOLATION": "0"}  # see pipelines' TOOLKIT
    return train(Container(packages, folder / "container"), there, Inputs(s3, {}))


@exact
@in_full
def test_script_mode_trains_the_same_model_by_the_toolkit_as_here(
    packages: Path, jobs: Any, sagemaker: Any, s3: Any, tmp_path: Path
) -> None:
    here = trained_here(sagemaker, jobs["Train"], FEW, script=True)
    assert here["TrainingJobStatus"] == "Completed", here
    there = trained_there(packages, tmp_path, here, s3)
    assert there.exit_code == 0, there.log[-3000:]
    model = unpacked(objects(s3, here["ModelArtifacts"]["S3ModelArtifacts"])[""], tmp_path / "model")
    here_files, there_files = contents(model), contents(there.container.path("/opt/ml/model"))
    for files in (here_files, there_files):
        metadata = json.loads(files["model.json"])
        del metadata["versions"]["python"]
        files["model.json"] = json.dumps(metadata).encode()
    assert here_files == there_files


@pytest.mark.parametrize(
    "script", [pytest.param(False, marks=in_full, id="by its entrypoint"), pytest.param(True, id="in script mode")]
)
def test_a_failed_training_gives_the_same_reason_in_the_image_as_here(
    packages: Path, jobs: Any, sagemaker: Any, s3: Any, tmp_path: Path, script: bool
) -> None:
    here = trained_here(sagemaker, jobs["Train"], {"max_depth": "-1"}, script)
    there = trained_there(packages, tmp_path, here, s3)
    assert there.exit_code == 1
    assert any_python(here["FailureReason"]) == f"AlgorithmError: {any_python(there.reason)}, exit code: 1"
    assert there.reason.startswith("ExecuteUserScriptError:") is script


def any_python(reason: str) -> str:
    """A reason whose command does not say where the interpreter lies."""
    return re.sub(r'Command "\S+/python', 'Command "python', reason)


def test_a_failed_processing_job_gives_the_same_message_in_the_image_as_here(
    packages: Path, jobs: Any, sagemaker: Any, s3: Any, tmp_path: Path
) -> None:
    source = jobs["Preprocess"]
    asked = ("AppSpecification", "ProcessingResources", "ProcessingOutputConfig", "RoleArn", "StoppingCondition")
    request = {key: source[key] for key in asked}
    code = [each for each in source["ProcessingInputs"] if each["InputName"] == "code"]
    name = f"image-test-{uuid4().hex[:8]}"
    sagemaker.create_processing_job(ProcessingJobName=name, ProcessingInputs=code, **request)
    while True:
        here = sagemaker.describe_processing_job(ProcessingJobName=name)
        if here["ProcessingJobStatus"] in ("Completed", "Failed"):
            break
        time.sleep(0.2)
    there = process(Container(packages, tmp_path / "container"), here, Inputs(s3, {}))
    assert (there.exit_code, there.reason) == (1, here["ExitMessage"])
    assert there.reason
