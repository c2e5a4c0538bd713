"""The champion that an execution compares with: the newest approved version when it starts."""

from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.clients import SageMakerClient
from pipelines.definition.champion_input import PARAMETER
from pipelines.errors import PipelineError
from pipelines.versions.registry import APPROVED, listed


def newest_approved(sagemaker: SageMakerClient, group: str) -> tuple[int, str] | None:
    """Version and model archive of the newest approved version; None where none is approved.

    Raises PipelineError where that version does not say where its model is.
    """
    for entry in listed(sagemaker, group):
        if entry.get("ModelApprovalStatus") == APPROVED:
            package = sagemaker.describe_model_package(ModelPackageName=entry["ModelPackageArn"])
            containers = package.get("InferenceSpecification", {}).get("Containers") or [{}]
            uri = containers[0].get("ModelDataUrl")
            if not uri:
                raise PipelineError(
                    f"Version {entry['ModelPackageVersion']} of {group}, the champion, does not name its model: "
                    f"give it with -p {PARAMETER}=s3://..."
                )
            return int(entry["ModelPackageVersion"]), str(uri)
    return None


def with_champion(
    sagemaker: SageMakerClient, group: str, declared: Iterable[Mapping[str, Any]], given: Mapping[str, str]
) -> tuple[dict[str, str], str | None]:
    """The parameters with ChampionModelUri, and a line that says which; None where there is nothing to say.

    A value that the person gives stays. Without an approved version the default of the definition stays.
    """
    if PARAMETER in given or not any(parameter["Name"] == PARAMETER for parameter in declared):
        return dict(given), None
    found = newest_approved(sagemaker, group)
    if found is None:
        return dict(given), "none is approved yet"
    return {**given, PARAMETER: found[1]}, f"version {found[0]}, {found[1]}"
