"""The number of instances as desired state: registered once, kept over updates, deregistered only where it must be."""

import dataclasses
from typing import Any

import pytest

from deployment.deploy import Deployed, Deployment
from deployment.endpoint import Waiting
from deployment.errors import DeploymentError
from deployment.guard import Guard
from deployment.packages import describe_package
from deployment.plan import DeploymentPlan
from deployment.rollback import Rollback
from deployment.scaling import Autoscaling, Scaled, VariantScaling
from deployment.specification import Specification
from tests.deployment.conftest import Hosting
from tests.deployment.test_deploy import ENDPOINT, MACHINES

pytestmark = pytest.mark.e2e

WANTED = Autoscaling(1, 4, 600)
RESOURCE = f"endpoint/{ENDPOINT}/variant/AllTraffic"
CHANGES = ("RegisterScalableTarget", "PutScalingPolicy", "DeregisterScalableTarget", "DeleteScalingPolicy")


def scaled(hosting: Hosting, wanted: Autoscaling | None = WANTED) -> Scaled:
    return Scaled(VariantScaling(hosting.aws.client("application-autoscaling"), hosting.sagemaker, ENDPOINT), wanted)


def specification(hosting: Hosting, arn: str, **changes: Any) -> Specification:
    package = describe_package(hosting.sagemaker, arn)
    assert package is not None
    return Specification(ENDPOINT, "staging", package, dataclasses.replace(MACHINES, **changes))


def deploy(hosting: Hosting, arn: str, wanted: Autoscaling | None = WANTED, **changes: Any) -> Deployed:
    wanting = specification(hosting, arn, **changes)
    lines: list[str] = []
    made = Deployment(
        hosting.sagemaker, wanting, Waiting(0.001, 5), lines.append, "log", scaled=scaled(hosting, wanted)
    )
    return made.run()


def changed(hosting: Hosting) -> list[str]:
    """The operations that changed the scaling or the endpoint since the last look."""
    names = [name for name, _ in hosting.aws.calls if name in (*CHANGES, "UpdateEndpoint", "CreateEndpoint")]
    hosting.aws.calls.clear()
    return names


def test_the_first_deployment_registers_what_is_wanted(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    (target,), (policy,) = hosting.aws.asked("RegisterScalableTarget"), hosting.aws.asked("PutScalingPolicy")
    assert changed(hosting) == ["CreateEndpoint", "RegisterScalableTarget", "PutScalingPolicy"]
    assert target == {
        "ServiceNamespace": "sagemaker",
        "ResourceId": RESOURCE,
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": 1,
        "MaxCapacity": 4,
    }
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 600.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleInCooldown": 300,
        "ScaleOutCooldown": 300,
    }


def test_a_deployment_of_the_same_changes_only_what_of_the_scaling_is_not_as_wanted(hosting: Hosting) -> None:
    package = hosting.register()
    deploy(hosting, package)
    changed(hosting)
    assert deploy(hosting, package).action == "unchanged"
    assert changed(hosting) == []
    for other in (
        Autoscaling(1, 5, 600),
        Autoscaling(1, 5, 700),
        Autoscaling(1, 5, 700, 60),
        Autoscaling(2, 5, 700, 60),
    ):
        assert deploy(hosting, package, other).action == "updated"
        assert changed(hosting) == ["RegisterScalableTarget", "PutScalingPolicy"]
    assert deploy(hosting, package, None).action == "updated"
    assert changed(hosting) == ["DeregisterScalableTarget"]


def test_an_update_keeps_the_count_that_scaling_chose(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    changed(hosting)
    deploy(hosting, hosting.register())
    (update,) = hosting.aws.asked("UpdateEndpoint")
    assert update["RetainAllVariantProperties"] is True
    assert changed(hosting) == ["UpdateEndpoint"]


def test_without_scaling_an_update_sets_the_count_anew(hosting: Hosting) -> None:
    deploy(hosting, hosting.register(), None)
    deploy(hosting, hosting.register(), None)
    assert "RetainAllVariantProperties" not in hosting.aws.asked("UpdateEndpoint")[0]


def test_another_instance_type_deregisters_before_and_registers_after(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    changed(hosting)
    deploy(hosting, hosting.register(), instance_type="ml.m5.xlarge")
    assert "RetainAllVariantProperties" not in hosting.aws.asked("UpdateEndpoint")[0]
    expected = ["DeregisterScalableTarget", "UpdateEndpoint", "RegisterScalableTarget", "PutScalingPolicy"]
    assert changed(hosting) == expected


def test_an_update_that_fails_leaves_the_scaling_as_it_was(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    target, policy = dict(hosting.targets[RESOURCE]), dict(hosting.policies[RESOURCE])
    hosting.fail_next = "The model did not start."
    with pytest.raises(DeploymentError, match="did not start"):
        deploy(hosting, hosting.register(), Autoscaling(2, 3, 5), instance_type="ml.m5.xlarge")
    for now, before in ((hosting.targets, target), (hosting.policies, policy)):
        again = {key: value for key, value in now[RESOURCE].items() if key != "CreationTime"}
        assert again == {key: value for key, value in before.items() if key != "CreationTime"}


def test_a_rollback_keeps_the_count_too(hosting: Hosting) -> None:
    for _ in range(2):
        deploy(hosting, hosting.register())
    changed(hosting)
    moving = Rollback(hosting.sagemaker, ENDPOINT, Waiting(0.001), list[str]().append, "log", scaled(hosting))
    moving.run(moving.target())
    assert hosting.aws.asked("UpdateEndpoint")[0]["RetainAllVariantProperties"] is True
    assert changed(hosting) == ["UpdateEndpoint"]


def test_a_scaling_that_somebody_else_changes_is_told(hosting: Hosting) -> None:
    deploy(hosting, hosting.register())
    scaling = scaled(hosting).variant
    assert scaling.differences(WANTED) == []
    hosting.targets[RESOURCE]["MaxCapacity"] = 9
    assert scaling.differences(WANTED) == ["it is scaled between 1 and 9 instances"]
    del hosting.policies[RESOURCE]
    assert scaling.differences(WANTED)[1] == "its scaling policies are none"
    assert scaling.differences(None) == ["it is scaled"]
    hosting.targets.clear()
    assert scaling.differences(WANTED) == ["it is not scaled"]


def test_the_plan_says_the_same_requests(hosting: Hosting) -> None:
    def planned(first: bool, **changes: Any) -> list[tuple[str, dict[str, Any]]]:
        wanting = specification(hosting, hosting.packages[0]["ModelPackageArn"], **changes)
        scaling = scaled(hosting).variant.planned(wanting.hosting.instance_type, WANTED)
        return DeploymentPlan(wanting, Guard(), first, scaling).requests()

    package = hosting.register()
    assert [name for name, _ in planned(first=True)][2:] == ["CreateEndpoint", *CHANGES[:2]]
    deploy(hosting, package)
    (same,) = planned(first=False)[2:]
    assert (same[0], same[1]["RetainAllVariantProperties"]) == ("UpdateEndpoint", True)
    other = [name for name, _ in planned(first=False, instance_type="ml.m5.xlarge")][2:]
    assert other == ["DeregisterScalableTarget", "UpdateEndpoint", "RegisterScalableTarget", "PutScalingPolicy"]
