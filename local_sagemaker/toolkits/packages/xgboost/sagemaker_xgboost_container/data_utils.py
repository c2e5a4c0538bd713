"""Channels to DMatrix."""

from typing import Any

from local_sagemaker.toolkits.xgboost.content_types import format_of
from local_sagemaker.toolkits.xgboost.matrices import matrix_of_files


def get_dmatrix(data_path: str | list[str], content_type: str, csv_weights: int = 0, is_pipe: bool = False) -> Any:
    """The DMatrix of a folder, or of several; None where there is no data."""
    if is_pipe:
        raise ValueError("local SageMaker has no Pipe mode: use File.")
    folders = [data_path] if isinstance(data_path, str) else data_path
    return matrix_of_files(folders, format_of(content_type), weights=csv_weights == 1)
