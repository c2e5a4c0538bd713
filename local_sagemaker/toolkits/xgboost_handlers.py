"""The default handlers of the XGBoost image (sagemaker_xgboost_container/serving.py); it has no model_fn."""

from typing import Any

from local_sagemaker.toolkits.encodings import Data, encoded_by_containers


def input_fn(data: Data, content_type: str) -> Any:
    """A DMatrix, of CSV or libsvm."""
    from local_sagemaker.toolkits.xgboost.matrices import matrix_of_body  # not before a request needs XGBoost

    return matrix_of_body(data, content_type)


def predict_fn(data: Any, model: Any) -> Any:
    """What the booster predicts."""
    return model.predict(data, validate_features=False)


def output_fn(prediction: Any, accept: str) -> tuple[Data, str]:
    """The prediction in the type that is accepted."""
    return encoded_by_containers(prediction, accept), accept
