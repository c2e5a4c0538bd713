"""What a container definition puts under /opt/ml: the model, the code, the packages that the code lacks."""

from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

from local_sagemaker.processes.archives import unpack
from local_sagemaker.processes.host import Host
from local_sagemaker.processes.inputs import Share, Source, download
from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.overlay import Overlay
from local_sagemaker.processes.requirements import REQUIREMENTS, install_missing
from local_sagemaker.processes.storage import ObjectStore, fetch

MODEL = "/opt/ml/model"
CODE = "/opt/ml/code"
SUBMIT_DIRECTORY = "SAGEMAKER_SUBMIT_DIRECTORY"
Run = Callable[[list[str], Mapping[str, str]], int]


def prepare_model(
    host: Host,
    container: Mapping[str, Any],
    environment: Mapping[str, str],
    store: ObjectStore,
    overlay: Overlay,
    run: Run,
) -> dict[str, str]:
    """Fill /opt/ml for a container definition and return the variables that follow from it.

    ClientFault where the model or the code cannot be had, or is unsafe.
    """
    _download_model(host, container, store)
    variables = {}
    submitted = environment.get(SUBMIT_DIRECTORY, "")
    if submitted.startswith("s3://"):
        _unpack(host, store, submitted, CODE)
        variables[SUBMIT_DIRECTORY] = submitted = CODE
    host.private.rewrite_code(host.private.ml)
    code = submitted.removeprefix("file://") or f"{MODEL}/code"
    requirements = host.private.path(code) / REQUIREMENTS
    if requirements.is_file():
        install_missing(requirements, overlay, lambda command: run(command, environment))
    return variables


def _download_model(host: Host, container: Mapping[str, Any], store: ObjectStore) -> None:
    folder = host.folder(MODEL)
    if container.get("AdditionalModelDataSources"):
        raise ClientFault("Local SageMaker does not support AdditionalModelDataSources.")
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        if container.get("ModelDataUrl"):
            _unpack(host, store, container["ModelDataUrl"], MODEL)
    elif source.get("CompressionType") == "Gzip":
        _unpack(host, store, source["S3Uri"], MODEL)
    else:
        download(store, Source(source["S3Uri"]), folder, Share(), Event())


def _unpack(host: Host, store: ObjectStore, uri: str, path: str) -> None:
    archive = host.private.temporary / "model.tar.gz"
    fetch(store, uri, archive)
    unpack(archive, host.folder(path), uri)
    archive.unlink()
