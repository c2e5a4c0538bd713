"""A deployment is whole or was never there."""

import dataclasses
import threading
import time
from typing import Any

import botocore.exceptions
import pytest

from deployment.deploy import Deployed, Deployment
from deployment.endpoint import Waiting
from deployment.errors import DeploymentError
from deployment.packages import describe_package
from deployment.specification import Hosting as Machines
from deployment.specification import Specification
from tests.aws_stub import Refusal
from tests.deployment.conftest import Hosting

pytestmark = pytest.mark.e2e

ENDPOINT = "house-prices-staging"
MACHINES = Machines("ml.m5.large", 1, "arn:aws:iam::123456789012:role/serve")


def deployment(hosting: Hosting, arn: str, lines: list[str] | None = None, **changes: Any) -> Deployment:
    package = describe_package(hosting.sagemaker, arn)
    assert package is not None
    specification = Specification(ENDPOINT, "staging", package, dataclasses.replace(MACHINES, **changes))
    announce = (lines if lines is not None else []).append
    return Deployment(hosting.sagemaker, specification, Waiting(0.001, 5), announce, "/logs/staging")


def deploy(hosting: Hosting, arn: str, **changes: Any) -> Deployed:
    return deployment(hosting, arn, **changes).run()


def refuse() -> None:
    raise DeploymentError("The model refused house.json (status 400): no.")


def test_the_first_deployment_creates_the_endpoint_and_shows_each_status(hosting: Hosting) -> None:
    lines: list[str] = []
    outcome = deployment(hosting, hosting.register(), lines).run()
    assert outcome.action == "created"
    assert [line.split()[-1] for line in lines] == ["Creating", "InService"]
    container = hosting.models[outcome.model]["PrimaryContainer"]
    assert container == {"ModelPackageName": hosting.packages[0]["ModelPackageArn"]}


def test_the_endpoint_is_tagged_with_version_commit_and_stage(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    outcome = deploy(hosting, hosting.register(commit="feedbeef"))
    tags = hosting.tags[outcome.endpoint_arn]
    assert (tags["model-package-version"], tags["git-commit"], tags["stage"]) == ("2", "feedbeef", "staging")


def test_a_version_of_unknown_commit_does_not_keep_the_commit_of_the_one_before(hosting: Hosting) -> None:
    deploy(hosting, hosting.register(commit="feedbeef"))
    outcome = deploy(hosting, hosting.register(commit=None))
    assert "git-commit" not in hosting.tags[outcome.endpoint_arn]


def test_deploying_the_same_twice_changes_nothing_and_says_so(hosting: Hosting) -> None:
    package = hosting.register()
    deploy(hosting, package)
    hosting.aws.calls.clear()
    assert deploy(hosting, package).action == "unchanged"
    assert {name for name, _ in hosting.aws.calls} <= {"DescribeEndpoint", "DescribeModelPackage"}


def test_another_version_updates_the_endpoint_and_keeps_the_old_configuration_for_rollback(hosting: Hosting) -> None:
    first = deploy(hosting, hosting.register())
    second = deploy(hosting, hosting.register())
    assert second.action == "updated"
    assert hosting.endpoints[ENDPOINT]["EndpointConfigName"] == second.config
    assert first.config in hosting.configs


def test_other_machines_update_the_endpoint_with_the_same_model(hosting: Hosting) -> None:
    package = hosting.register()
    first = deploy(hosting, package)
    second = deploy(hosting, package, instance_count=2)
    assert (second.action, second.model) == ("updated", first.model)
    assert second.config != first.config


def test_a_failed_creation_leaves_nothing_and_says_why_and_where_the_log_is(hosting: Hosting) -> None:
    hosting.fail_next = "The container did not pass the ping health check."
    with pytest.raises(DeploymentError, match=r"did not pass the ping health check\. Its log: /logs/staging"):
        deploy(hosting, hosting.register())
    assert (hosting.endpoints, hosting.configs, hosting.models) == ({}, {}, {})


def test_a_failed_update_leaves_the_old_version_serving_and_removes_the_new(hosting: Hosting) -> None:
    first = deploy(hosting, hosting.register())
    hosting.fail_next = "No capacity."
    with pytest.raises(DeploymentError, match=rf"{first.config} keeps serving\): No capacity\. Its log"):
        deploy(hosting, hosting.register())
    assert hosting.endpoints[ENDPOINT]["EndpointConfigName"] == first.config
    assert (set(hosting.configs), set(hosting.models)) == ({first.config}, {first.model})


def test_a_failed_update_does_not_remove_what_was_there_before_it(hosting: Hosting) -> None:
    package = hosting.register()
    first = deploy(hosting, package)
    second = deploy(hosting, hosting.register())
    hosting.fail_next = "No capacity."
    with pytest.raises(DeploymentError):
        deploy(hosting, package)
    assert set(hosting.configs) == {first.config, second.config}


def test_a_refused_call_leaves_nothing(hosting: Hosting) -> None:
    def refuse_config(request: dict[str, Any]) -> dict[str, Any]:
        raise Refusal(
            "AccessDeniedException", "User: arn:u is not authorized to perform: sagemaker:CreateEndpointConfig"
        )

    hosting.aws.answers["CreateEndpointConfig"] = refuse_config
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        deploy(hosting, hosting.register())
    assert hosting.models == {}


def test_a_failed_endpoint_is_deleted_and_made_anew(hosting: Hosting) -> None:
    package = hosting.register()
    deploy(hosting, package)
    hosting.endpoints[ENDPOINT]["EndpointStatus"] = "Failed"
    lines: list[str] = []
    assert deployment(hosting, package, lines).run().action == "created"
    assert lines[0] == f"Endpoint {ENDPOINT} is Failed: it is deleted and created again"


def test_a_smoke_test_that_fails_returns_to_the_old_version(hosting: Hosting) -> None:
    first = deploy(hosting, hosting.register())
    with pytest.raises(DeploymentError, match=r"smoke test failed and the deployment is undone\. The model refused"):
        deployment(hosting, hosting.register()).run(refuse)
    assert hosting.endpoints[ENDPOINT]["EndpointConfigName"] == first.config
    assert set(hosting.configs) == {first.config}


def test_a_smoke_test_that_fails_on_a_new_endpoint_removes_it(hosting: Hosting) -> None:
    with pytest.raises(DeploymentError, match="undone"):
        deployment(hosting, hosting.register()).run(refuse)
    assert (hosting.endpoints, hosting.configs, hosting.models) == ({}, {}, {})


def test_when_the_return_fails_too_nothing_that_may_serve_is_removed(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())

    def refuse_and_break() -> None:
        hosting.fail_next = "No capacity."
        refuse()

    with pytest.raises(DeploymentError, match="No capacity"):
        deployment(hosting, hosting.register()).run(refuse_and_break)
    serving = hosting.endpoints[ENDPOINT]["EndpointConfigName"]
    assert serving in hosting.configs
    assert hosting.configs[serving]["ProductionVariants"][0]["ModelName"] in hosting.models


def test_a_deployment_waits_for_the_one_before_it(hosting: Hosting) -> None:
    package = hosting.register()
    hosting.polls = 5
    other = threading.Thread(target=deploy, args=(hosting, package))
    other.start()
    while ENDPOINT not in hosting.endpoints:
        time.sleep(0.001)
    assert deploy(hosting, package).action == "unchanged"
    other.join()


def test_ctrl_c_while_sagemaker_works_removes_nothing_that_is_in_use(hosting: Hosting) -> None:
    def interrupt(line: str) -> None:
        if line.endswith("Creating"):
            raise KeyboardInterrupt

    package = describe_package(hosting.sagemaker, hosting.register())
    assert package is not None
    specification = Specification(ENDPOINT, "staging", package, MACHINES)
    with pytest.raises(KeyboardInterrupt):
        Deployment(hosting.sagemaker, specification, Waiting(0.001), interrupt, "log").run()
    assert specification.config_name in hosting.configs
    assert ENDPOINT in hosting.endpoints


def test_giving_up_waiting_removes_nothing_that_is_in_use(hosting: Hosting) -> None:
    hosting.polls = 10**6
    package = describe_package(hosting.sagemaker, hosting.register())
    assert package is not None
    specification = Specification(ENDPOINT, "staging", package, MACHINES)
    with pytest.raises(DeploymentError, match="still Creating after 0 s"):
        Deployment(hosting.sagemaker, specification, Waiting(0.001, 0.01), list[str]().append, "log").run()
    assert specification.config_name in hosting.configs


def reject_during(hosting: Hosting, operation: str, package: str) -> None:
    """Somebody rejects a version just when the endpoint begins to change."""
    answer = hosting.aws.answers[operation]

    def reject_and_answer(request: dict[str, Any]) -> dict[str, Any]:
        for found in hosting.packages:
            if found["ModelPackageArn"] == package:
                found["ModelApprovalStatus"] = "Rejected"
        answered: dict[str, Any] = answer(request)
        return answered

    hosting.aws.answers[operation] = reject_and_answer


def test_a_version_that_is_rejected_during_its_first_deployment_is_undone(hosting: Hosting) -> None:
    package = hosting.register()
    reject_during(hosting, "CreateEndpoint", package)
    with pytest.raises(DeploymentError, match=r"Version 1 became Rejected while it was being deployed: .* is undone"):
        deploy(hosting, package)
    assert (hosting.endpoints, hosting.configs, hosting.models) == ({}, {}, {})


def test_a_version_that_is_rejected_during_an_update_gives_way_to_the_one_before(hosting: Hosting) -> None:
    first = deploy(hosting, hosting.register())
    package = hosting.register()
    reject_during(hosting, "UpdateEndpoint", package)
    with pytest.raises(DeploymentError, match="Version 2 became Rejected"):
        deploy(hosting, package)
    assert hosting.endpoints[ENDPOINT]["EndpointConfigName"] == first.config
    assert (set(hosting.configs), set(hosting.models)) == ({first.config}, {first.model})


def overtake(hosting: Hosting, operation: str, other: Deployment) -> None:
    """Another deployment changes the endpoint just before this one does."""
    answer = hosting.aws.answers[operation]

    def overtaken(request: dict[str, Any]) -> dict[str, Any]:
        hosting.aws.answers[operation] = answer
        other.run()
        raise Refusal("ValidationException", "Cannot update in-progress endpoint.")

    hosting.aws.answers[operation] = overtaken


@pytest.mark.parametrize("exists", [False, True])
def test_two_deployments_of_one_version_at_once_both_end_well(hosting: Hosting, exists: bool) -> None:
    if exists:
        deploy(hosting, hosting.register())
    package = hosting.register()
    overtake(hosting, "UpdateEndpoint" if exists else "CreateEndpoint", deployment(hosting, package))
    outcome = deploy(hosting, package)
    assert hosting.endpoints[ENDPOINT]["EndpointConfigName"] == outcome.config
    assert outcome.config in hosting.configs
    assert outcome.model in hosting.models


def test_a_deployment_that_another_one_overtakes_says_so_and_leaves_the_other_whole(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    loser, winner = hosting.register(), hosting.register()
    overtake(hosting, "UpdateEndpoint", deployment(hosting, winner))
    with pytest.raises(DeploymentError, match=r"Another deployment changed endpoint .* serves .*-v3-.* now; nothing"):
        deploy(hosting, loser)
    assert not any("-v2-" in name for name in {**hosting.configs, **hosting.models})
    assert "-v3-" in hosting.endpoints[ENDPOINT]["EndpointConfigName"]


def test_the_model_of_an_overtaken_deployment_stays_where_the_other_one_uses_it(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    package, lines = hosting.register(), list[str]()
    overtake(hosting, "UpdateEndpoint", deployment(hosting, package, instance_count=2))
    with pytest.raises(DeploymentError, match="Another deployment changed endpoint"):
        deployment(hosting, package, lines).run()
    config = hosting.configs[hosting.endpoints[ENDPOINT]["EndpointConfigName"]]
    assert config["ProductionVariants"][0]["ModelName"] in hosting.models
    assert any("is kept: another deployment uses it" in line for line in lines)


def test_a_status_that_lasts_is_said_again(hosting: Hosting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployment.endpoint.AGAIN_SECONDS", 0.0)
    hosting.polls = 5
    lines: list[str] = []
    deployment(hosting, hosting.register(), lines).run()
    assert [line.split()[-1] for line in lines].count("Creating") > 2
