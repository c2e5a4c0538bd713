"""The default handlers of the PyTorch image (sagemaker_pytorch_serving_container, of 2.0 on)."""

from pathlib import Path
from typing import Any

import torch

from local_sagemaker.toolkits.encodings import TEXT_TYPES, Data, decoded, encoded_as_accepted

MODEL = "model.pt"
SUFFIXES = (".pt", ".pth")


def model_fn(model_folder: str) -> Any:
    """The TorchScript model in the folder: model.pt, or the only .pt or .pth."""
    path = Path(model_folder) / MODEL
    if not path.is_file():
        found = sorted(each for each in Path(model_folder).iterdir() if each.suffix in SUFFIXES)
        if len(found) != 1:
            raise ValueError(f"Exactly one .pth or .pt file is required for PyTorch models: {[*map(str, found)]}")
        path = found[0]
    return torch.jit.load(str(path), map_location="cpu")


def input_fn(data: Data, content_type: str) -> Any:
    """A tensor."""
    array = decoded(data, content_type)
    return torch.FloatTensor(array) if content_type in TEXT_TYPES else torch.from_numpy(array)


def predict_fn(data: Any, model: Any) -> Any:
    """What the model returns, without gradients."""
    model.eval()
    with torch.no_grad():
        return model(data)


def output_fn(prediction: Any, accept: str) -> tuple[Data, str]:
    """The prediction in the first of the types that are accepted."""
    if isinstance(prediction, torch.Tensor):
        prediction = prediction.detach().cpu().numpy().tolist()
    return encoded_as_accepted(prediction, accept)
