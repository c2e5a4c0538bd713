"""The default handlers of the Hugging Face image (sagemaker_huggingface_inference_toolkit): a transformers pipeline."""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

from transformers import pipeline

from local_sagemaker.toolkits.answers import UnsupportedFormat
from local_sagemaker.toolkits.encodings import CSV, JSON, NPY, Data, decoded, encoded

TASKS = {  # the task of an architecture that config.json names, by the end of its name
    "TapasForQuestionAnswering": "table-question-answering",
    "ForQuestionAnswering": "question-answering",
    "ForTokenClassification": "token-classification",
    "ForSequenceClassification": "text-classification",
    "ForMultipleChoice": "multiple-choice",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "MTModel": "text2text-generation",
    "EncoderDecoderModel": "text2text-generation",
    "GPT2LMHeadModel": "text-generation",
    "T5WithLMHeadModel": "text2text-generation",
}


def model_fn(model_folder: str) -> Any:
    """The pipeline of HF_TASK, or of the architecture that config.json names."""
    task = os.environ.get("HF_TASK")
    config = Path(model_folder) / "config.json"
    if task is None and config.is_file():
        architecture = json.loads(config.read_text("utf-8"))["architectures"][0]
        task = next((task for ending, task in TASKS.items() if architecture.endswith(ending)), None)
    if task is None:
        raise ValueError("Set the variable HF_TASK: the model's folder does not say what its task is.")
    return pipeline(task=task, model=model_folder, tokenizer=model_folder)


def input_fn(data: Data, content_type: str) -> Any:
    """JSON, a CSV whose header names the inputs, or NPY."""
    if content_type == JSON:
        return json.loads(data)
    if content_type == CSV:
        rows = list(csv.DictReader(io.StringIO(data if isinstance(data, str) else data.decode())))
        return {"inputs": [row["inputs"] for row in rows] if rows and "inputs" in rows[0] else rows}
    if content_type == NPY:
        return {"inputs": decoded(data, content_type)}
    raise UnsupportedFormat(content_type)


def predict_fn(data: dict[str, Any], model: Any) -> Any:
    """What the pipeline makes of the inputs, with the parameters beside them."""
    parameters = data.pop("parameters", None) or {}
    return model(data.pop("inputs", data), **parameters)


def output_fn(prediction: Any, accept: str) -> tuple[Data, str]:
    """The prediction in the type that is accepted."""
    return encoded(prediction, accept), accept
