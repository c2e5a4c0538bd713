"""What every module that speaks to AWS takes: boto3's clients, which have no types of their own, and places in S3."""

from typing import Any

SageMakerClient = Any
S3Client = Any


def exists(s3: S3Client, bucket: str, key: str) -> bool:
    """Whether an object is there."""
    from botocore.exceptions import ClientError

    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of s3://bucket/key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
