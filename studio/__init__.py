"""The page to see and decide: SageMaker through boto3, whatever the account holds."""
