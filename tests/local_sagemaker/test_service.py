"""Local SageMaker put together."""

from local_sagemaker.service import job_environment


def test_jobs_know_this_server_and_no_credentials_that_open_anything() -> None:
    environment = job_environment("http://127.0.0.1:5599", "eu-west-1")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5599"
    assert environment["AWS_ACCESS_KEY_ID"] == environment["AWS_SECRET_ACCESS_KEY"] == "local"
    assert "AWS_SESSION_TOKEN" not in environment
