"""Which address shows which page, and which form does what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.account.account import Account
from studio.errors import StudioError
from studio.pages import (
    comparison,
    endpoints,
    events,
    executions,
    home,
    jobs,
    logs,
    monitoring,
    objects,
    pipelines,
    registry,
)

Context = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request: of which account, the parts of its address, the values of its query or of its form."""

    account: Account
    path: Mapping[str, str]
    values: Mapping[str, str]

    @property
    def after(self) -> str | None:
        """The token of the next page of a list."""
        return self.values.get("after")

    def needed(self, name: str) -> str:
        """A value without which there is no answer; StudioError where it is missing."""
        if not self.values.get(name):
            raise StudioError(f"The address has no {name}.")
        return self.values[name]


Read = Callable[[Asked], Context]
Change = Callable[[Asked], str]

# address, template, what the template gets
PAGES: tuple[tuple[str, str, Read], ...] = (
    ("/", "home.html", lambda ask: home.home_page(ask.account)),
    ("/pipelines", "pipelines.html", lambda ask: pipelines.pipelines_page(ask.account, ask.after)),
    (
        "/pipelines/{pipeline}",
        "pipeline.html",
        lambda ask: pipelines.pipeline_page(ask.account, ask.path["pipeline"], ask.after),
    ),
    (
        "/pipelines/{pipeline}/compare",
        "comparison.html",
        lambda ask: comparison.comparison_page(
            ask.account, ask.path["pipeline"], ask.needed("left"), ask.needed("right")
        ),
    ),
    (
        "/pipelines/{pipeline}/executions/{execution}",
        "execution.html",
        lambda ask: executions.execution_page(
            ask.account, ask.path["pipeline"], ask.path["execution"], ask.values.get("step")
        ),
    ),
    ("/registry", "groups.html", lambda ask: registry.groups_page(ask.account, ask.after)),
    (
        "/registry/{group}",
        "group.html",
        lambda ask: registry.group_page(ask.account, ask.path["group"], ask.after, "metrics" in ask.values),
    ),
    (
        "/registry/{group}/{version}",
        "version.html",
        lambda ask: registry.version_page(ask.account, ask.path["group"], ask.path["version"]),
    ),
    ("/endpoints", "endpoints.html", lambda ask: endpoints.endpoints_page(ask.account, ask.after)),
    ("/endpoints/{endpoint}", "endpoint.html", lambda ask: endpoints.endpoint_page(ask.account, ask.path["endpoint"])),
    ("/monitoring", "monitoring.html", lambda ask: monitoring.monitoring_page(ask.account)),
    (
        "/jobs",
        "jobs.html",
        lambda ask: jobs.list_page(ask.account, "processing", ask.after, ask.values.get("contains", "")),
    ),
    (
        "/jobs/{kind}",
        "jobs.html",
        lambda ask: jobs.list_page(ask.account, ask.path["kind"], ask.after, ask.values.get("contains", "")),
    ),
    ("/jobs/{kind}/{name}", "job.html", lambda ask: jobs.job_page(ask.account, ask.path["kind"], ask.path["name"])),
    (
        "/objects",
        "objects.html",
        lambda ask: objects.objects_page(ask.account, ask.values.get("uri"), ask.after),
    ),
    (
        "/logs",
        "logs.html",
        lambda ask: logs.logs_page(ask.account, ask.values.get("group"), ask.values.get("stream"), ask.after),
    ),
    ("/events", "events.html", lambda ask: events.events_page(ask.account)),
)


def _start(ask: Asked) -> str:
    values = {
        name.removeprefix("parameter."): text for name, text in ask.values.items() if name.startswith("parameter.")
    }
    identity = pipelines.start(ask.account, ask.path["pipeline"], values)
    return f"/pipelines/{ask.path['pipeline']}/executions/{identity}"


def _stop(ask: Asked) -> str:
    pipelines.stop(ask.account, ask.path["pipeline"], ask.path["execution"])
    return f"/pipelines/{ask.path['pipeline']}/executions/{ask.path['execution']}"


def _retry(ask: Asked) -> str:
    pipelines.retry(ask.account, ask.path["pipeline"], ask.path["execution"])
    return f"/pipelines/{ask.path['pipeline']}/executions/{ask.path['execution']}"


def _decide(ask: Asked) -> str:
    registry.decide(
        ask.account, ask.path["group"], ask.path["version"], ask.values.get("status", ""), ask.values.get("comment", "")
    )
    return f"/registry/{ask.path['group']}/{ask.path['version']}"


def _roll_back(ask: Asked) -> str:
    endpoints.roll_back(ask.account, ask.path["endpoint"], ask.needed("config"))
    return f"/endpoints/{ask.path['endpoint']}"


CHANGES: tuple[tuple[str, Change], ...] = (
    ("/pipelines/{pipeline}/start", _start),
    ("/pipelines/{pipeline}/executions/{execution}/stop", _stop),
    ("/pipelines/{pipeline}/executions/{execution}/retry", _retry),
    ("/registry/{group}/{version}/decision", _decide),
    ("/endpoints/{endpoint}/configuration", _roll_back),
)
