"""A plan names what the endpoints cost, and which of them remove themselves."""

from command_line.plan_view import endpoint_lines
from pipelines.publishing.cost_forecast import Cost, EndpointCost


def test_an_endpoint_that_removes_itself_is_said_to_with_what_a_stay_costs() -> None:
    endpoints = (
        EndpointCost("dev", "ml.t3.medium", 2, 0.05, "12 hours", 12.0),
        EndpointCost("other", "ml.m5.large", 1, None, "30 minutes", 0.5),
        EndpointCost("staging", "ml.t3.medium", 1, 0.05),
    )
    assert list(endpoint_lines(Cost("us-east-1", "2026-01-01", "USD", (), endpoints))) == [
        "dev: about 73 USD (2 x ml.t3.medium, 0.05 USD an hour); it removes itself 12 hours after its last deployment, "
        "about 1.20 USD each time",
        "other: unknown (1 x ml.m5.large, price unknown); it removes itself 30 minutes after its last deployment",
        "staging: about 36 USD (1 x ml.t3.medium, 0.05 USD an hour)",
    ]
