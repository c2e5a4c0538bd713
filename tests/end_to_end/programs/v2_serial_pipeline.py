"""A serial inference pipeline: a scikit-learn featurizer before the built-in XGBoost, as an endpoint and in a batch.

As in aws/amazon-sagemaker-examples, sagemaker-python-sdk/scikit_learn_inference_pipeline.
"""

import pathlib

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.pipeline import PipelineModel
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn.estimator import SKLearn

session, role = sagemaker.Session(), sagemaker.get_execution_role()
bucket, region = session.default_bucket(), session.boto_region_name
pathlib.Path("featurizer.py").write_text("""
import io, os
import joblib, numpy as np, pandas as pd
from sklearn.preprocessing import StandardScaler
from sagemaker_containers.beta.framework import encoders, worker

if __name__ == "__main__":
    rows = pd.read_csv(os.environ["SM_CHANNEL_TRAIN"] + "/raw.csv", header=None)
    joblib.dump(StandardScaler().fit(rows.iloc[:, 1:].to_numpy()), os.path.join(os.environ["SM_MODEL_DIR"], "m.joblib"))

def input_fn(body, content_type):
    if content_type != "text/csv":
        raise ValueError(content_type)
    return pd.read_csv(io.StringIO(body), header=None).to_numpy()

def predict_fn(rows, model):
    return model.transform(rows)

def output_fn(prediction, accept):
    return worker.Response(encoders.encode(prediction, "text/csv"), mimetype="text/csv")

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "m.joblib"))
""")
pathlib.Path("raw.csv").write_text("\n".join(f"{10 * (i % 5)},{i % 5},{i % 3}" for i in range(150)))
raw = session.upload_data("raw.csv", key_prefix="serial/raw")
featurizer = SKLearn(
    "featurizer.py", role=role, framework_version="1.2-1", instance_type="ml.c4.xlarge", sagemaker_session=session
)
featurizer.fit({"train": raw})
pathlib.Path("unlabelled.csv").write_text("\n".join(f"{i % 5},{i % 3}" for i in range(150)))
unlabelled = session.upload_data("unlabelled.csv", key_prefix="serial/unlabelled")
transformer = featurizer.transformer(1, "ml.m5.xlarge", assemble_with="Line", accept="text/csv")
transformer.transform(unlabelled, content_type="text/csv", split_type="Line")
transformer.wait()
features = sagemaker.s3.S3Downloader.read_file(f"{transformer.output_path}/unlabelled.csv.out", session).split()
pathlib.Path("features.csv").write_text("\n".join(f"{10 * (i % 5)},{row}" for i, row in enumerate(features)))
train = TrainingInput(session.upload_data("features.csv", key_prefix="serial/features"), content_type="text/csv")
booster = Estimator(
    sagemaker.image_uris.retrieve("xgboost", region, "1.7-1"),
    role,
    instance_count=1,
    instance_type="ml.m5.large",
    sagemaker_session=session,
    hyperparameters={"objective": "reg:squarederror", "num_round": 30},
)
booster.fit({"train": train})
model = PipelineModel(
    name="serial", role=role, models=[featurizer.create_model(), booster.create_model()], sagemaker_session=session
)
model.deploy(initial_instance_count=1, instance_type="ml.c4.xlarge", endpoint_name="serial")
predictor = Predictor("serial", session, serializer=CSVSerializer())
answer = predictor.predict("3,1").decode().strip()
predictor.delete_endpoint()
print("=>", len(features), "features,", round(float(answer)))
