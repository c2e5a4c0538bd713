"""The built-in XGBoost from a notebook: fit, deploy, predict as CSV, a transformer, clean up.

As in aws/amazon-sagemaker-examples, introduction_to_amazon_algorithms/xgboost_abalone (libsvm channels).
"""

import pathlib

import boto3
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer, LibSVMSerializer

session = sagemaker.Session()
role, bucket, region = sagemaker.get_execution_role(), session.default_bucket(), boto3.Session().region_name
lines = [f"{2 * (i % 7)} 0:{i % 7} 1:{i % 3}" for i in range(200)]
pathlib.Path("abalone.train").write_text("\n".join(lines))
where = session.upload_data("abalone.train", key_prefix="abalone-libsvm/train")

container = sagemaker.image_uris.retrieve("xgboost", region, "1.7-1")
estimator = sagemaker.estimator.Estimator(
    container,
    role,
    instance_count=1,
    instance_type="ml.m5.2xlarge",
    volume_size=5,
    max_run=3600,
    output_path=f"s3://{bucket}/abalone-libsvm/output",
    sagemaker_session=session,
    hyperparameters={"max_depth": "5", "eta": "0.2", "objective": "reg:squarederror", "num_round": "50"},
)
data = {name: TrainingInput(where, content_type="libsvm") for name in ("train", "validation")}
estimator.fit(data)
curve = estimator.training_job_analytics.dataframe()

predictor = estimator.deploy(
    initial_instance_count=1, instance_type="ml.m5.xlarge", serializer=CSVSerializer(), deserializer=CSVDeserializer()
)
values = [float(value) for row in predictor.predict([[6, 0], [1, 0]]) for value in row]
predictor.serializer = LibSVMSerializer()
again = predictor.predict("0:6 1:0\n0:1 1:0")
predictor.delete_model()
predictor.delete_endpoint(delete_endpoint_config=True)

session.upload_data("abalone.train", key_prefix="abalone-libsvm/batch")
transformer = estimator.transformer(1, "ml.m5.xlarge", output_path=f"s3://{bucket}/abalone-libsvm/scored")
transformer.transform(f"s3://{bucket}/abalone-libsvm/batch", content_type="text/libsvm", split_type="Line")
transformer.wait()
scored = sagemaker.s3.S3Downloader.read_file(f"{transformer.output_path}/abalone.train.out", session)
print(
    "=>",
    sorted(set(curve["metric_name"])),
    "predicts",
    [round(value) for value in values],
    round(float(again[0][0])),
    "and scores",
    len(scored.split(",")) if "\n" not in scored.strip() else len(scored.split()),
    "rows",
)
