"""What AWS or the way to it refused, in one sentence: what, by whom, on what, and what to do."""

import os
import re
from typing import Any

DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "403",  # S3's answer to a HEAD request has no body that could hold a code
    "UnauthorizedOperation",
    "NotAuthorized",
    "AuthorizationError",
}
THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
UNKNOWN_KEY = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
}

LOCAL = "http://127.0.0.1:"

# "User: arn:... is not authorized to perform: sagemaker:X on resource: arn:... because ..."
NOT_AUTHORIZED = re.compile(
    r"User: (?P<who>\S+) is not authorized to perform: (?P<action>[\w:*-]+)"
    r"(?: on resource: (?P<what>[^\s,]+))?"
)


def is_aws_error(error: BaseException) -> bool:
    """Whether an error comes from boto3: a refusal by a service, or the way to it."""
    from botocore.exceptions import BotoCoreError, ClientError

    return isinstance(error, (BotoCoreError, ClientError))


def explain(error: BaseException) -> str:
    """One sentence for a person. An error that is not boto3's is given in its own words."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return _refused(error)
    if is_aws_error(error):
        return _unreachable(error)
    return str(error)


def _refused(error: Any) -> str:
    fault = error.response.get("Error", {})
    code, message = fault.get("Code", "Unknown"), _one_line(fault.get("Message", ""))
    operation = error.operation_name
    if code in DENIED:
        return _denied(operation, message, fault)
    if code in THROTTLED:
        attempts = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) + 1
        tried = f"{attempts} attempts with growing pauses included" if attempts > 1 else "at the only attempt"
        return f"AWS is throttling {operation}, {tried} ({message}): wait a minute and run it again."
    if code in EXPIRED:
        return f"The AWS credentials have expired ({operation} was refused): sign in again (`aws sso login`)."
    if code in UNKNOWN_KEY:
        return (
            f"AWS does not accept these credentials ({operation}: {message}): "
            "check AWS_PROFILE and AWS_ACCESS_KEY_ID with `aws sts get-caller-identity`."
        )
    if code == "NoSuchBucket":
        bucket = fault.get("BucketName")
        named = f"The S3 bucket {bucket}" if bucket else "The S3 bucket"
        return f"{named} does not exist ({operation}): check the bucket of the environment and the region."
    if code == "ResourceLimitExceeded":
        return f"{operation} would exceed a limit of the AWS account: {message}"
    return f"{operation} was refused with {code}: {message or 'AWS gave no reason'}"


def _denied(operation: str, message: str, fault: dict[str, Any]) -> str:
    found = NOT_AUTHORIZED.search(message)
    if found is not None:
        what = f" on {found['what']}" if found["what"] else ""
        return f"{found['who']} may not call {found['action']}{what}: that caller's IAM policy must allow it."
    resource = fault.get("Resource")
    what = f" on {resource}" if resource else ""
    said = message if message not in ("", "Forbidden") else "no reason given"
    who = fault.get("Caller") or "The caller"
    # S3 answers 403, not 404, for an object that is not there to those who may not list the bucket.
    bucket = resource.partition("/")[0] if resource and operation == "HeadObject" else None
    also = f", and s3:ListBucket on {bucket}" if bucket else ""
    action = fault.get("Action", operation)
    return f"{who} may not call {action}{what} ({said}): that caller's IAM policy must allow it{also}."


def _unreachable(error: BaseException) -> str:
    from botocore import exceptions

    if isinstance(error, (exceptions.NoCredentialsError, exceptions.PartialCredentialsError)):
        return (
            "No AWS credentials were found: set AWS_PROFILE or sign in (`aws configure sso`), "
            "or add --local to run on this machine."
        )
    if isinstance(error, exceptions.NoRegionError):
        return "No AWS region is set: set AWS_DEFAULT_REGION, or add --local to run on this machine."
    if isinstance(error, exceptions.ProfileNotFound):
        return f"{error}: check AWS_PROFILE against `aws configure list-profiles`."
    if isinstance(error, (exceptions.TokenRetrievalError, exceptions.UnauthorizedSSOTokenError)):
        return f"The AWS sign-in is not valid any more ({_one_line(str(error))}): run `aws sso login`."
    if isinstance(error, (exceptions.HTTPClientError, exceptions.ConnectionError)):
        why = _one_line(str(error)).rstrip(".")
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        if endpoint.startswith(LOCAL):
            state = os.environ.get("SAGEMAKER_LOCAL_STATE", ".sagemaker")
            return (
                f"Local SageMaker on {endpoint} has ended, or does not answer ({why}): its log is {state}/server.log. "
                "Run the command again, which starts it; what was running has Failed then, and the steps that had "
                "succeeded are taken from the cache."
            )
        return f"AWS cannot be reached ({why}): check the network, the region and AWS_ENDPOINT_URL."
    if isinstance(error, exceptions.ParamValidationError):
        return f"A request was not sent because a value is not allowed: {_one_line(str(error))}"
    return _one_line(str(error))


def _one_line(text: str) -> str:
    return " ".join(text.split())
