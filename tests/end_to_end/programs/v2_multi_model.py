"""A multi-model endpoint: MultiDataModel, a model that is added while it serves, the target model of each request.

As in aws/amazon-sagemaker-examples, advanced_functionality/multi_model_sklearn_home_value.
"""

import io
import pathlib
import tarfile

import sagemaker
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.sklearn.model import SKLearnModel

session, role = sagemaker.Session(), sagemaker.get_execution_role()
prefix = f"s3://{session.default_bucket()}/cities/"
pathlib.Path("inference.py").write_text("""
import os
def model_fn(model_dir):
    return float(open(os.path.join(model_dir, "factor.txt")).read())
def predict_fn(data, model):
    return data * model
""")


def archive(name, factor):
    with tarfile.open(name, "w:gz") as tar:
        for path, text in (("factor.txt", str(factor)), ("inference.py", pathlib.Path("inference.py").read_text())):
            member = tarfile.TarInfo(path)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return session.upload_data(name, key_prefix="trained")


houston, denver = archive("houston.tar.gz", 2), archive("denver.tar.gz", 5)
model = SKLearnModel(houston, role, "inference.py", framework_version="1.2-1", sagemaker_session=session)
many = MultiDataModel("cities", prefix, model=model, sagemaker_session=session)
many.add_model(houston, "houston.tar.gz")
predictor = many.deploy(1, "ml.m5.xlarge", endpoint_name="cities")
first = predictor.predict([[1.0, 3.0]], target_model="houston.tar.gz").ravel().tolist()
many.add_model(denver, "new/denver.tar.gz")
second = predictor.predict([[1.0, 3.0]], target_model="new/denver.tar.gz").ravel().tolist()
try:
    predictor.predict([[1.0]], target_model="nowhere.tar.gz")
    refused = "taken"
except Exception as error:
    refused = error.response["Error"]["Code"]
names = sorted(many.list_models())
predictor.delete_endpoint()
print("=>", first, second, names, refused)
