"""Bring one version of the model to an endpoint; a deployment that fails leaves nothing behind."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any

from deployment.after_check import differences
from deployment.alarms import DeploymentAlarms
from deployment.endpoint import (
    Announce,
    Contended,
    Waiting,
    describe_endpoint,
    require_serving,
    tag_serving,
    uncontended,
    wait_until_settled,
)
from deployment.errors import DeploymentError
from deployment.guarded_update import GuardedUpdate, Guarding
from deployment.packages import APPROVED, SageMakerClient, describe_package
from deployment.scaling import Scaled, instance_type_of
from deployment.specification import TAG_DEPLOYED, Specification, tag_list
from deployment.watch import Watch
from deployment.weighted_shift import Shifts

SmokeTest = Callable[[], None]  # invokes the endpoint once; raises DeploymentError where that fails


@dataclass(frozen=True)
class Deployed:
    """How a deployment ended: `action` is created, updated or unchanged.

    golden_rows: how many requests whose answers are known the new version has answered as it was evaluated.
    """

    endpoint: str
    endpoint_arn: str
    config: str
    model: str
    action: str
    golden_rows: int = 0


class Deployment:
    """One attempt. Where it fails, the models, configurations and alarms that it created are removed.

    `begins` is called once it is known that something will be changed, before it is.
    """

    def __init__(
        self,
        sagemaker: SageMakerClient,
        specification: Specification,
        waiting: Waiting,
        announce: Announce,
        log: str,
        guarding: Guarding | None = None,
        begins: Callable[[], None] = lambda: None,
        scaled: Scaled | None = None,
    ) -> None:
        self._guarding = guarding
        self._scaled = scaled
        self._begins = begins
        self._sagemaker = sagemaker
        self._wanted = specification
        self._waiting = waiting
        self._announce = announce
        self._log = log
        self._in_use = False  # whether SageMaker uses, or may be using, what was created
        self._shifts = Shifts(sagemaker, specification, guarding, waiting, announce)

    def run(self, smoke_test: SmokeTest | None = None) -> Deployed:
        """Make the endpoint serve what is specified; where it does already, change nothing.

        Waits for another change of the endpoint to end first. After it serves, `smoke_test` must pass, or the
        deployment is undone. Raises DeploymentError with the service's reason and the place of the log.
        """
        joined = self._joined()
        before = self._shifts.only_ours(joined or self._settled())
        if before is not None and _serves(before, self._wanted.config_name):
            if smoke_test is not None:
                smoke_test()
            changed = self._scale()
            finished = self._shifts.forget()  # what an attempt that was cut off at its end has left
            if joined is None and not finished:
                self._compare(before)
                return self._deployed(before, "updated" if changed else "unchanged")
            self._tag(before)
            self._compare(before)
            return self._deployed(before, "updated")
        self._begins()
        with ExitStack() as undo:
            self._create_models(undo)
            self._create_config(undo)
            if before is not None and before["EndpointStatus"] == "Failed":
                self._remove_failed()
                before = None
            try:
                if before is None:
                    self._create_endpoint(undo)
                else:
                    self._update_endpoint(before["EndpointConfigName"], undo)
            except Contended:
                self._require_same(self._settled())
            self._check(smoke_test)
            undo.pop_all()
        self._scale()
        after = self._sagemaker.describe_endpoint(EndpointName=self._wanted.endpoint)
        self._tag(after)
        self._compare(after)
        return self._deployed(after, "created" if before is None else "updated")

    def _create_models(self, undo: ExitStack) -> None:
        for request in self._wanted.model_requests():
            name = request["ModelName"]
            if _create(self._sagemaker.create_model, request):
                undo.callback(self._remove, f"model {name}", self._sagemaker.delete_model, ModelName=name)

    def _create_config(self, undo: ExitStack) -> None:
        name, delete = self._wanted.config_name, self._sagemaker.delete_endpoint_config
        if _create(self._sagemaker.create_endpoint_config, self._wanted.config_request()):
            undo.callback(self._remove, f"endpoint configuration {name}", delete, EndpointConfigName=name)

    def _create_endpoint(self, undo: ExitStack) -> None:
        name, config = self._wanted.endpoint, self._wanted.config_name
        tags = tag_list(self._wanted.tags)
        uncontended(self._sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=config, Tags=tags)
        undo.callback(self._remove, f"endpoint {name}", self._sagemaker.delete_endpoint, EndpointName=name)
        self._await(config)

    def _update_endpoint(self, previous: str, undo: ExitStack) -> None:
        undo.callback(self._restore_scaling)
        if self._guarding is None or self._guarding.guard.default:
            self._switch(self._wanted.config_name)
        elif self._shifts.wanted:
            previous = self._shift(previous)
        else:
            self._switch_guarded(previous, self._guarding)
        undo.callback(self._return_to, previous)

    def _switch(self, config: str) -> None:
        names = {"EndpointName": self._wanted.endpoint, "EndpointConfigName": config}
        uncontended(self._sagemaker.update_endpoint, **names, **self._retained(config))
        self._await(config)

    def _retained(self, config: str) -> dict[str, Any]:
        """What UpdateEndpoint is asked beside a configuration, so that a count that scaling chose stays."""
        if self._scaled is None:
            return {}
        return self._scaled.variant.prepare(instance_type_of(self._sagemaker, config))

    def _scale(self) -> bool:
        """Make the scaling as it is wanted; whether it was not."""
        return self._scaled is not None and self._scaled.variant.apply(self._scaled.wanted)

    def _restore_scaling(self) -> None:
        if self._scaled is not None and not self._in_use:
            self._scaled.variant.restore()

    def _shift(self, serves: str) -> str:
        """Shift by weights, which are moved here; the configuration before that."""
        self._scale()
        self._in_use = True  # until it has ended: whoever stops here leaves it to be gone on with
        try:
            previous = self._shifts.run(serves)
        except Contended:  # it has not begun
            self._in_use = False
            raise
        except DeploymentError:
            self._in_use = self._shifts.goes_on()
            raise
        self._in_use = False
        return previous

    def _switch_guarded(self, previous: str, guarding: Guarding) -> None:
        """Update under the guard's DeploymentConfig; the alarms are made before and removed after it."""
        wanted = self._wanted
        alarms = DeploymentAlarms(guarding.clients, wanted.endpoint, wanted.config_name)
        began = datetime.now(timezone.utc)
        retained = self._retained(wanted.config_name)
        names = alarms.create(guarding.guard, guarding.golden.model if guarding.golden is not None else None)
        settled = False
        try:
            uncontended(
                self._sagemaker.update_endpoint,
                EndpointName=wanted.endpoint,
                EndpointConfigName=wanted.config_name,
                DeploymentConfig=guarding.guard.deployment_config(names),
                **retained,
            )
            self._follow(previous, guarding, alarms, began)
            settled = True
        finally:
            if settled or not self._in_use:  # else SageMaker goes on, and needs them
                alarms.remove()

    def _follow(self, previous: str, guarding: Guarding, alarms: DeploymentAlarms, began: datetime) -> None:
        """Watch an update to its end; RolledBack or Inconclusive with an incident page where it did not go through."""
        update = GuardedUpdate(self._wanted, guarding, alarms, began, self._announce, self._waiting.time_scale)
        update.follow(previous, partial(self._await, self._wanted.config_name), lambda: self._in_use)

    def _joined(self) -> Mapping[str, Any] | None:
        """Follow the update of just this configuration, if it is under way, and return the endpoint after it."""
        description = describe_endpoint(self._sagemaker, self._wanted.endpoint)
        pending = (description or {}).get("PendingDeploymentSummary", {}).get("EndpointConfigName")
        guarding = self._guarding
        if description is None or guarding is None or pending != self._wanted.config_name:
            return None
        self._announce(f"The update to {pending} is already under way: following it")
        if self._shifts.wanted:
            return self._settled()  # the last update of a shift: all requests go to the new version already
        alarms = DeploymentAlarms(guarding.clients, self._wanted.endpoint, pending)
        began = description["PendingDeploymentSummary"].get("StartTime") or datetime.now(timezone.utc)
        self._follow(description["EndpointConfigName"], guarding, alarms, began)
        alarms.remove()
        return self._settled()

    def _compare(self, after: Mapping[str, Any]) -> None:
        """Say what of the live endpoint is not as it was wanted; DeploymentError where something is."""
        found = differences(self._wanted, after, counted=self._scaled is None or self._scaled.wanted is None)
        if self._scaled is not None:
            found += self._scaled.variant.differences(self._scaled.wanted)
        if found:
            raise DeploymentError(
                f"Endpoint {self._wanted.endpoint} serves version {self._wanted.package.version}, but not as the "
                f"settings say: {'; '.join(found)}. Run it again, or find out who changed it."
            )

    def _await(self, config: str, watch: Watch | None = None) -> None:
        self._in_use = True
        try:
            description = self._settled(watch)
        except KeyboardInterrupt:
            self._announce("No longer waiting. SageMaker goes on; `status` shows how it ends.")
            raise
        self._in_use = False
        require_serving(description, self._wanted.endpoint, config, self._log)

    def _require_same(self, after: Mapping[str, Any] | None) -> None:
        """Another deployment was faster: it must have been one of the same."""
        if after is None or not _serves(after, self._wanted.config_name):
            serving = after["EndpointConfigName"] if after is not None else "nothing"
            raise DeploymentError(
                f"Another deployment changed endpoint {self._wanted.endpoint} at the same time, and it serves "
                f"{serving} now; nothing of this one is left. To replace that version, run this again."
            )

    def _check(self, smoke_test: SmokeTest | None) -> None:
        if smoke_test is not None:
            try:
                smoke_test()
            except DeploymentError as error:
                self._announce(str(error))
                raise DeploymentError(f"The smoke test failed and the deployment is undone. {error}") from error
        self._check_golden()
        package = describe_package(self._sagemaker, self._wanted.package.arn)
        if package is None or package.approval != APPROVED:
            now = "was deleted" if package is None else f"became {package.approval}"
            raise DeploymentError(
                f"Version {self._wanted.package.version} {now} while it was being deployed: the deployment is undone."
            )

    def _check_golden(self) -> None:
        """Send the golden rows that are still to be sent, now that only the new version answers."""
        golden = self._guarding.golden if self._guarding is not None else None
        if golden is None:
            return
        while not golden.done:
            golden.send(alone=True)
        if golden.fault is not None:
            raise DeploymentError(f"The golden rows differ and the deployment is undone. {golden.fault}")

    def _return_to(self, config: str) -> None:
        self._announce(f"Returning to {config}")
        try:
            self._switch(config)
        except BaseException:
            self._in_use = True  # the new version keeps serving
            raise

    def _remove_failed(self) -> None:
        # DeleteEndpoint is the only operation that the service allows on a failed endpoint.
        name = self._wanted.endpoint
        self._announce(f"Endpoint {name} is Failed: it is deleted and created again")
        self._sagemaker.delete_endpoint(EndpointName=name)
        self._settled()

    def _settled(self, watch: Watch | None = None) -> Mapping[str, Any] | None:
        look = watch.look if watch is not None else lambda _: None
        return wait_until_settled(self._sagemaker, self._wanted.endpoint, self._waiting, self._announce, look)

    def _remove(self, what: str, delete: Callable[..., Any], **name: str) -> None:
        from botocore.exceptions import ClientError

        if self._in_use:
            return
        if self._serves_with(set(name.values())):
            self._announce(f"The {what} is kept: another deployment uses it")
            return
        try:
            delete(**name)
        except ClientError as error:
            # What is reported at the end is the deployment's own failure; this is said beside it.
            self._announce(f"The {what} could not be removed: {error}")
        else:
            self._announce(f"Removed the {what}")

    def _serves_with(self, names: set[str]) -> bool:
        """Whether the endpoint serves with a configuration, or a model, of one of these names."""
        endpoint = describe_endpoint(self._sagemaker, self._wanted.endpoint)
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            return False
        config = self._sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        variants = [*config["ProductionVariants"], *config.get("ShadowProductionVariants", [])]
        models = {variant.get("ModelName") for variant in variants}
        return bool(names & {endpoint["EndpointConfigName"], *models})

    def _tag(self, endpoint: Mapping[str, Any]) -> None:
        config = self._sagemaker.describe_endpoint_config(EndpointConfigName=self._wanted.config_name)
        now = datetime.now(timezone.utc).isoformat()
        self._sagemaker.add_tags(ResourceArn=config["EndpointConfigArn"], Tags=tag_list({TAG_DEPLOYED: now}))
        tag_serving(self._sagemaker, endpoint["EndpointArn"], {**self._wanted.tags, TAG_DEPLOYED: now})

    def _deployed(self, description: Mapping[str, Any], action: str) -> Deployed:
        wanted, golden = self._wanted, self._guarding.golden if self._guarding is not None else None
        names = wanted.endpoint, description["EndpointArn"], wanted.config_name, wanted.model_name
        return Deployed(*names, action, golden.answered if golden is not None else 0)


def _serves(description: Mapping[str, Any], config: str) -> bool:
    return bool(description["EndpointStatus"] == "InService" and description["EndpointConfigName"] == config)


def _create(create: Callable[..., Any], request: Mapping[str, Any]) -> bool:
    """Create something; False where it is there already, which by its name has the same content."""
    from botocore.exceptions import ClientError

    try:
        create(**request)
    except ClientError as error:
        if "already exist" not in error.response["Error"].get("Message", ""):
            raise
        return False
    return True
