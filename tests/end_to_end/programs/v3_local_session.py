"""A processing job in the local mode of version 3, which needs Docker elsewhere: LocalSession, instance type local.

As in aws/sagemaker-python-sdk, v3-examples/training-examples/local-training-example.ipynb
(version 3.27 itself cannot start a pipeline in local mode).
"""

import pathlib

from sagemaker.core.local.local_session import LocalSession
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.s3 import S3Downloader
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output

session = LocalSession()
bucket = session.default_bucket()
pathlib.Path("process.py").write_text("open('/opt/ml/processing/out/rows.csv', 'w').write('1,2')")
processor = ScriptProcessor(
    image_uri="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    command=["python3"],
    instance_type="local",
    instance_count=1,
    role="arn:aws:iam::000000000000:role/any",
    sagemaker_session=session,
)
where = ProcessingS3Output(
    s3_uri=f"s3://{bucket}/local-mode-v3", local_path="/opt/ml/processing/out", s3_upload_mode="EndOfJob"
)
processor.run(code="process.py", outputs=[ProcessingOutput(output_name="out", s3_output=where)])
print("=>", S3Downloader.read_file(f"s3://{bucket}/local-mode-v3/rows.csv", session))
