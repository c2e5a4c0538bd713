"""What of a stage still bills, and that Studio is emptied before its stack goes."""

from typing import Any

from infrastructure.stacks import Stage
from infrastructure.teardown import Clients, bills, tear_down

STAGE = Stage("house-prices", "dev", {}, ("studio",))
OUTPUTS = [{"OutputKey": "StudioDomainId", "OutputValue": "d-1"}]


class Pages:
    """A paginator of one page."""

    def __init__(self, name: str, entries: list[dict[str, Any]]) -> None:
        self._page = {name: entries}

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [self._page]


class Aws:
    """A CloudFormation with the stack of Studio, and a SageMaker with a space, in which an application may run."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.apps = [app("default", "InService"), app("old", "Failed"), app("gone", "Deleted")]
        self.looks_until_deleted = 2

    def get_paginator(self, operation: str) -> Pages:
        if operation == "list_apps":
            self._pass()
            return Pages("Apps", [dict(each) for each in self.apps])
        return Pages("Spaces", [{"SpaceName": "hers"}]) if operation == "list_spaces" else Pages("Endpoints", [])

    def _pass(self) -> None:
        deleting = [each for each in self.apps if each["Status"] == "Deleting"]
        if deleting and self.looks_until_deleted == 0:
            deleting[0]["Status"] = "Deleted"
        self.looks_until_deleted -= bool(deleting)

    def describe_domain(self, DomainId: str) -> dict[str, str]:
        assert DomainId == "d-1"
        return {"HomeEfsFileSystemId": "fs-1"}

    def delete_app(self, DomainId: str, SpaceName: str, AppType: str, AppName: str) -> None:
        self.did.append(f"app {SpaceName}/{AppType}/{AppName}")
        self.apps[0]["Status"] = "Deleting"

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        status = "DELETE_COMPLETE" if "stack" in self.did else "CREATE_COMPLETE"
        return {"Stacks": [{"StackName": StackName, "StackStatus": status, "Outputs": OUTPUTS}]}

    def delete_stack(self, StackName: str) -> None:
        assert self.apps[0]["Status"] == "Deleted"
        self.did.append("stack")


def app(name: str, status: str) -> dict[str, Any]:
    return {"AppName": name, "AppType": "JupyterLab", "SpaceName": "hers", "Status": status}


def test_what_runs_in_studio_its_volumes_and_its_file_system_bill() -> None:
    aws = Aws()
    assert [bill.what for bill in bills(Clients(aws, aws), STAGE)] == [
        "Studio application default (JupyterLab)",
        "Studio space hers",
        "file system fs-1 of Studio",
    ]


def test_what_runs_in_studio_has_ended_before_its_stack_goes_and_the_file_system_is_named() -> None:
    aws, said = Aws(), list[str]()
    tear_down(Clients(aws, aws), STAGE, said.append, poll_seconds=0.0)
    assert aws.did == ["app hers/JupyterLab/default", "stack"]
    assert said[:2] == ["Deleted Studio application default (JupyterLab)", "Deleted stack house-prices-dev-studio"]
    assert "aws efs delete-file-system --file-system-id fs-1" in said[2]
