"""A model that was trained elsewhere, with an inference script: SKLearnModel, XGBoostModel and Model(entry_point=...).

As in aws/amazon-sagemaker-examples, sagemaker-python-sdk/scikit_learn_model_registry_batch_transform.
"""

import json
import pathlib
import tarfile

import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.model import Model
from sagemaker.predictor import Predictor
from sagemaker.serializers import JSONSerializer
from sagemaker.sklearn.model import SKLearnModel
from sagemaker.xgboost.model import XGBoostModel

pathlib.Path("code").mkdir()
pathlib.Path("code/inference.py").write_text("""
import json, os
import numpy
from helper import scale

def model_fn(model_dir):
    with open(os.path.join(model_dir, "slope.json")) as file:
        return json.load(file)

def input_fn(body, content_type):
    return json.loads(body)["instances"]

def predict_fn(rows, model):
    return scale(numpy.array(rows)[:, 0] * model)

def output_fn(prediction, accept):
    return json.dumps({"predictions": prediction.tolist()}), accept
""")
pathlib.Path("code/helper.py").write_text("def scale(values):\n    return values.round(3) * 10\n")
pathlib.Path("slope.json").write_text("2.0")
with tarfile.open("model.tar.gz", "w:gz") as tar:
    tar.add("slope.json")
session, role = sagemaker.Session(), sagemaker.get_execution_role()
data = session.upload_data("model.tar.gz", key_prefix="elsewhere")
common = dict(model_data=data, role=role, entry_point="inference.py", source_dir="code", sagemaker_session=session)
image = sagemaker.image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large")
answers = []
for model in (
    SKLearnModel(framework_version="1.2-1", **common),
    XGBoostModel(framework_version="1.7-1", **common),
    Model(image_uri=image, predictor_cls=Predictor, **common),
):
    predictor = model.deploy(1, "ml.m5.large", serializer=JSONSerializer(), deserializer=JSONDeserializer())
    answers.append(predictor.predict({"instances": [[3.0]]})["predictions"][0])
    predictor.delete_endpoint()
print("=>", json.dumps(answers))
