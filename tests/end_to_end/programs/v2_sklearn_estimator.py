"""A scikit-learn script with model_fn alone: fit, attach, deploy with the default predictor.

As in aws/amazon-sagemaker-examples, sagemaker-python-sdk/scikit_learn_iris.
"""

import pathlib

import numpy as np
import sagemaker
from sagemaker.sklearn.estimator import SKLearn

pathlib.Path("src").mkdir()
pathlib.Path("src/train.py").write_text("""
import argparse, os
import joblib, pandas as pd
from sklearn import tree

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_leaf_nodes", type=int, default=-1)
    parser.add_argument("--output-data-dir", default=os.environ["SM_OUTPUT_DATA_DIR"])
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    args = parser.parse_args()
    rows = pd.concat([pd.read_csv(os.path.join(args.train, file), header=None) for file in os.listdir(args.train)])
    model = tree.DecisionTreeClassifier(max_leaf_nodes=args.max_leaf_nodes).fit(rows.iloc[:, 1:], rows.iloc[:, 0])
    print(f"accuracy={model.score(rows.iloc[:, 1:], rows.iloc[:, 0])};")
    joblib.dump(model, os.path.join(args.model_dir, "model.joblib"))


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
""")
session, role = sagemaker.Session(), sagemaker.get_execution_role()
pathlib.Path("iris.csv").write_text("\n".join(f"{i % 3},{i % 3 + 0.1},{i % 3 - 0.1}" for i in range(90)))
train = session.upload_data("iris.csv", key_prefix="iris")
sklearn = SKLearn(
    entry_point="train.py",
    source_dir="src",
    framework_version="1.2-1",
    instance_type="ml.c5.xlarge",
    role=role,
    sagemaker_session=session,
    hyperparameters={"max_leaf_nodes": 30},
    use_spot_instances=True,
    max_run=600,
    max_wait=900,
    metric_definitions=[{"Name": "accuracy", "Regex": "accuracy=([0-9.]+);"}],
)
sklearn.fit({"train": train})
attached = SKLearn.attach(sklearn.latest_training_job.name)
accuracy = sagemaker.analytics.TrainingJobAnalytics(attached.latest_training_job.name).dataframe()
predictor = attached.deploy(initial_instance_count=1, instance_type="ml.m5.xlarge")
answer = predictor.predict(np.array([[0.1, -0.1], [2.1, 1.9]]))
print("=>", "accuracy", accuracy["value"].max(), "predicts", type(answer).__name__, answer.tolist())
predictor.delete_model()
predictor.delete_endpoint()
