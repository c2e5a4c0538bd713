"""The account that is looked at: its clients, and what may be done to it."""

import ipaddress
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from studio.account.calls import note
from studio.errors import ReadOnly, StudioError

READING = ("Describe", "List", "Get", "Head", "Search", "Filter", "Lookup", "Query", "BatchGet", "BatchDescribe")
SERVICES = ("sagemaker", "s3", "sts", "cloudwatch", "logs", "events", "sagemaker-runtime")
LOCAL_SECONDS, AWS_SECONDS = 0.5, 10.0
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Account:
    """Clients of one account and region. `endpoint_url` is set for a local server; None is AWS itself."""

    session: Any
    region: str
    endpoint_url: str | None
    may_change: bool
    _clients: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_local(self) -> bool:
        """Whether it is a server on this machine, which anyone on it can reach."""
        return self.endpoint_url is not None

    @property
    def poll_seconds(self) -> float:
        """How often a live page looks: at once on this machine, politely on AWS."""
        return LOCAL_SECONDS if self.is_local else AWS_SECONDS

    @property
    def place(self) -> str:
        """What a person calls it."""
        return f"{self.endpoint_url} · {self.region}" if self.endpoint_url else f"AWS · {self.region}"

    def client(self, service: str) -> Any:
        """The boto3 client of a service, made once."""
        with self._lock:  # a session must not make two clients at once
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def warm_up(self) -> None:
        """Make the clients that the first pages need beside them: each takes a tenth of a second once."""
        threading.Thread(target=lambda: [self.client(service) for service in SERVICES], daemon=True).start()

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """GetCallerIdentity's answer: Account, Arn, UserId; asked for once."""
        answer: Mapping[str, str] = self.client("sts").get_caller_identity()
        return answer

    def arn(self, resource: str) -> str:
        """The ARN of a SageMaker resource of this account, such as `endpoint/NAME`."""
        partition = self.identity["Arn"].split(":")[1]
        return f"arn:{partition}:sagemaker:{self.region}:{self.identity['Account']}:{resource}"

    def _make(self, service: str) -> Any:
        retries = {"total_max_attempts": 1} if self.is_local else {"mode": "standard", "total_max_attempts": 3}
        config = Config(
            retries=retries,
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=32,
            s3={"addressing_style": "path"} if self.is_local else None,
        )
        client = self.session.client(service, endpoint_url=self.endpoint_url, config=config)
        client.meta.events.register("provide-client-params", self._before_call)
        return client

    def _before_call(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        name = model.name
        if not self.may_change and not name.startswith(READING):
            raise ReadOnly(f"{name} changes the account, and the studio only reads: start it with --allow-changes.")
        note(model.service_model.service_name, name, params)


def connect(endpoint_url: str | None, profile: str | None, region: str | None, allow_changes: bool) -> Account:
    """The account behind a local server, or a profile's on AWS, which is only read unless changes are allowed.

    A local server gets credentials that open nothing. StudioError where the address is not of this machine, or the
    profile does not exist.
    """
    if endpoint_url is not None:
        return _local(endpoint_url, region)
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
    except BotoCoreError as error:
        raise StudioError(f"{error}.".replace("..", ".")) from None
    chosen = session.region_name or DEFAULT_REGION
    return Account(boto3.Session(profile_name=profile, region_name=chosen), chosen, None, allow_changes)


def _local(endpoint_url: str, region: str | None) -> Account:
    parts = urlsplit(endpoint_url)
    if parts.scheme not in ("http", "https") or not is_loopback(parts.hostname or ""):
        raise StudioError(
            f"{endpoint_url} is not an address of this machine, such as http://127.0.0.1:5599: for an AWS account "
            "give --profile NAME."
        )
    chosen = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=chosen)  # noqa: S106
    return Account(session, chosen, endpoint_url.rstrip("/"), may_change=True)


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
