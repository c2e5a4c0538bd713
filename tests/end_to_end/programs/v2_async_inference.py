"""An asynchronous endpoint: deploy with AsyncInferenceConfig, predict, wait for the answer in S3, a fault of the model.

As in aws/amazon-sagemaker-examples, async-inference/Async-Inference-Walkthrough-SageMaker-Python-SDK.
"""

import io
import pathlib
import tarfile

import numpy as np
import sagemaker
from sagemaker.async_inference import AsyncInferenceConfig, WaiterConfig
from sagemaker.deserializers import CSVDeserializer
from sagemaker.exceptions import AsyncInferenceModelError
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn.model import SKLearnModel

session, role = sagemaker.Session(), sagemaker.get_execution_role()
bucket = session.default_bucket()
pathlib.Path("inference.py").write_text("""
import json, os
def model_fn(model_dir):
    return json.load(open(os.path.join(model_dir, "weights.json")))
def predict_fn(data, model):
    if data.sum() < 0:
        raise ValueError("no negative sums")
    return data @ model
""")
with tarfile.open("model.tar.gz", "w:gz") as archive:
    content = b"[1.0, 10.0]"
    member = tarfile.TarInfo("weights.json")
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
where = session.upload_data("model.tar.gz", key_prefix="async")
model = SKLearnModel(where, role, "inference.py", framework_version="1.2-1", sagemaker_session=session)
config = AsyncInferenceConfig(
    output_path=f"s3://{bucket}/async/output",
    failure_path=f"s3://{bucket}/async/failures",
    max_concurrent_invocations_per_instance=4,
)
predictor = model.deploy(
    1, "ml.m5.xlarge", async_inference_config=config, serializer=CSVSerializer(), deserializer=CSVDeserializer()
)
rows = np.array([[1.0, 2.0], [3.0, 4.0]])
now = predictor.predict(rows)
later = predictor.predict_async(rows).get_result(WaiterConfig(max_attempts=60, delay=1))
try:
    predictor.predict(-rows)
    fault = "none"
except AsyncInferenceModelError as error:
    fault = type(error).__name__
predictor.delete_endpoint()
print("=>", now, later, fault)
