"""Old configurations and models go; what is used, or may be returned to, stays."""

import pytest

from deployment.errors import DeploymentError
from deployment.retire import retire
from tests.deployment.conftest import Hosting
from tests.deployment.test_deploy import ENDPOINT, deploy

pytestmark = pytest.mark.e2e


def test_the_last_ones_stay_with_their_models(hosting: Hosting) -> None:
    outcomes = [deploy(hosting, hosting.register()) for _ in range(4)]
    retired = retire(hosting.sagemaker, ENDPOINT, 2)
    assert set(retired.configs) == {outcome.config for outcome in outcomes[:2]}
    assert set(hosting.configs) == {outcome.config for outcome in outcomes[2:]}
    assert set(hosting.models) == {outcome.model for outcome in outcomes[2:]}
    assert set(retired.models) == {outcome.model for outcome in outcomes[:2]}
    assert retire(hosting.sagemaker, ENDPOINT, 2).configs == ()


def test_what_serves_stays_however_old_it_is(hosting: Hosting) -> None:
    first, second, third = [deploy(hosting, hosting.register()) for _ in range(3)]
    hosting.endpoints[ENDPOINT]["EndpointConfigName"] = first.config
    retired = retire(hosting.sagemaker, ENDPOINT, 1)
    assert retired.configs == (second.config,)
    assert set(retired.kept) == {third.config, first.config}


def test_a_model_of_a_configuration_that_stays_is_not_deleted(hosting: Hosting) -> None:
    package = hosting.register()
    first = deploy(hosting, package)
    second = deploy(hosting, package, instance_count=2)
    assert first.model == second.model
    retired = retire(hosting.sagemaker, ENDPOINT, 1)
    assert (retired.configs, retired.models) == ((first.config,), ())


def test_at_least_one_must_stay(hosting: Hosting) -> None:
    with pytest.raises(DeploymentError, match="at least the last configuration"):
        retire(hosting.sagemaker, ENDPOINT, 0)
