# The AWS CLI: a definition from a file, an execution, its steps, a model package group, tags.
#
# As in the AWS CLI's reference: create-pipeline, start-pipeline-execution.
aws s3 mb s3://cli-bucket
echo 1,2,3 > rows.csv
aws s3 cp rows.csv s3://cli-bucket/in/rows.csv
cat > definition.json <<'J'
{"Version": "2020-12-01", "Parameters": [{"Name": "Word", "Type": "String", "DefaultValue": "hello"}], "Steps": [
 {"Name": "Count", "Type": "Processing", "Arguments": {
  "AppSpecification": {"ImageUri": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
                       "ContainerEntrypoint": ["sh", "-c", "wc -l < /opt/ml/processing/in/rows.csv > /opt/ml/processing/out/lines"]},
  "ProcessingInputs": [{"InputName": "in", "S3Input": {"S3Uri": "s3://cli-bucket/in/", "LocalPath": "/opt/ml/processing/in",
                        "S3DataType": "S3Prefix", "S3InputMode": "File"}}],
  "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {"S3Uri": "s3://cli-bucket/out",
                             "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}}]},
  "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}},
  "RoleArn": "arn:aws:iam::000000000000:role/cli"}}]}
J
aws sagemaker create-pipeline --pipeline-name cli --role-arn arn:aws:iam::000000000000:role/cli \
  --pipeline-definition file://definition.json --tags Key=team,Value=a
execution=$(aws sagemaker start-pipeline-execution --pipeline-name cli --query PipelineExecutionArn --output text)
status=Executing
while [ "$status" = Executing ]; do
  sleep 1
  status=$(aws sagemaker describe-pipeline-execution --pipeline-execution-arn "$execution" \
    --query PipelineExecutionStatus --output text)
done
steps=$(aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn "$execution" \
  --query 'PipelineExecutionSteps[].StepStatus' --output text)
lines=$(aws s3 cp s3://cli-bucket/out/lines -)
tags=$(aws sagemaker list-tags --resource-arn arn:aws:sagemaker:us-east-1:000000000000:pipeline/cli \
  --query 'Tags[0].Value' --output text)
aws sagemaker delete-pipeline --pipeline-name cli
echo "=> $status, steps: $steps, lines: $lines, tag: $tags"
