"""The default handlers of the scikit-learn image (sagemaker_sklearn_container/serving.py); it has no model_fn."""

from typing import Any

import numpy as np

from local_sagemaker.toolkits.encodings import TEXT_TYPES, Data, decoded_by_containers, encoded_by_containers


def input_fn(data: Data, content_type: str) -> Any:
    """An array, of 32-bit floats where it came as text."""
    array = decoded_by_containers(data, content_type)
    return array.astype(np.float32) if content_type in TEXT_TYPES else array


def predict_fn(data: Any, model: Any) -> Any:
    """What the model predicts."""
    return model.predict(data)


def output_fn(prediction: Any, accept: str) -> tuple[Data, str]:
    """The prediction in the type that is accepted."""
    return encoded_by_containers(prediction, accept), accept
