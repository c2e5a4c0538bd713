"""What the home page shows of each stage."""

from typing import Any

import pytest

from studio.pages.home import SHOWN, home_page
from tests.studio.conftest import Answering, FakeAccount

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def stages(versions: int, endpoints: int, schedules: int = 0, alarms: int = 0) -> dict[str, list[str]]:
    """Names of what stands in each stage, of an account with so many of each."""
    packages = [
        {"ModelPackageArn": f"{ARN}:model-package/m/{number}", "ModelPackageStatus": "Completed"}
        for number in range(versions)
    ]
    sagemaker = Answering(
        list_pipelines={},
        list_model_packages={"ModelPackageSummaryList": packages},
        list_endpoints={
            "Endpoints": [{"EndpointName": f"e{n}", "EndpointStatus": "InService"} for n in range(endpoints)]
        },
        list_monitoring_schedules={
            "MonitoringScheduleSummaries": [
                {"MonitoringScheduleName": f"s{n}", "MonitoringScheduleStatus": "Scheduled"} for n in range(schedules)
            ]
        },
    )
    watching = Answering(
        describe_alarms={"MetricAlarms": [{"AlarmName": f"a{n}", "StateValue": "OK"} for n in range(alarms)]}
    )
    account: Any = FakeAccount(sagemaker=sagemaker, cloudwatch=watching, s3=Answering(list_buckets={}))
    return {stage.title: [item.name for item in stage.items] for stage in home_page(account)["stages"]}


@pytest.mark.parametrize(("versions", "endpoints", "shown"), [
    (5, 0, 5), (5, 1, 5), (5, 5, 5), (1, 5, 5), (0, 2, 2), (1, 1, 2)])  # fmt: skip
def test_many_versions_hide_no_endpoint_and_many_endpoints_no_version(
    versions: int, endpoints: int, shown: int
) -> None:
    found = stages(versions, endpoints)["Deployment"]
    assert len(found) == shown <= SHOWN
    assert ("m 0" in found) is (versions > 0)
    assert ("e0" in found) is (endpoints > 0)


def test_many_schedules_hide_no_alarm() -> None:
    assert {"s0", "a0"} <= set(stages(0, 1, schedules=5, alarms=5)["Monitoring"])
