"""The model registry: groups, versioned model packages, their approval and the event that it emits."""

import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from local_sagemaker.api.listing import page, page_of
from local_sagemaker.errors import ServiceError, invalid
from local_sagemaker.state.record_kinds import MODEL_PACKAGE, MODEL_PACKAGE_COUNTER, MODEL_PACKAGE_GROUP
from local_sagemaker.state.record_types import VersionCounterRecord
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.tags import Tags

REPLACED = (  # by UpdateModelPackage
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
    "SourceUri",
)
SendEvent = Callable[[str, dict[str, Any]], None]


class Registry:
    """Model package groups and model packages. `send_event(region, event)` reaches EventBridge."""

    def __init__(self, records: Records, tags: Tags, send_event: SendEvent) -> None:
        self._records = records
        self._tags = tags
        self._send_event = send_event

    def create_model_package_group(self, request: Request, caller: Caller) -> Request:
        """Create a group."""
        name = request["ModelPackageGroupName"]
        arn = caller.arn(f"model-package-group/{name}")
        group = {
            **request,
            "ModelPackageGroupArn": arn,
            "ModelPackageGroupStatus": "Completed",
            "CreationTime": time.time(),
            "CreatedBy": caller.user_context,
        }
        with self._records.lock:
            if not self._records.create(MODEL_PACKAGE_GROUP, name, group):
                raise invalid(f"Model Package Group already exists: {arn}")
            self._tags.set(arn, request.get("Tags", []))
        return {"ModelPackageGroupArn": arn}

    def describe_model_package_group(self, request: Request, caller: Caller) -> Request:
        """One group."""
        return self._group(request["ModelPackageGroupName"])

    def list_model_package_groups(self, request: Request, caller: Caller) -> Request:
        """Groups, newest first."""
        groups = self._records.all(MODEL_PACKAGE_GROUP)
        return page(groups, request, result="ModelPackageGroupSummaryList", name="ModelPackageGroupName")

    def delete_model_package_group(self, request: Request, caller: Caller) -> Request:
        """Delete a group that holds no model package."""
        name = self._group(request["ModelPackageGroupName"])["ModelPackageGroupName"]
        if self._versions(name):
            raise ServiceError("ConflictException", f"Model Package Group {name} still has model packages.")
        self._records.delete(MODEL_PACKAGE_GROUP, name)
        return {}

    def create_model_package(self, request: Request, caller: Caller) -> Request:
        """Register the next version of a group."""
        name = request.get("ModelPackageGroupName")
        if name is None:
            raise invalid("Local SageMaker registers versioned model packages only: set ModelPackageGroupName.")
        name = name.rpartition("/")[2]
        now = time.time()
        with self._records.lock:
            if self._records.get(MODEL_PACKAGE_GROUP, name) is None:
                raise invalid("Model Package Group does not exist.")
            version = self._next_version(name)
            arn = caller.arn(f"model-package/{name}/{version}")
            package = {
                "ModelApprovalStatus": "PendingManualApproval",
                **request,
                "ModelPackageName": name,
                "ModelPackageGroupName": name,
                "ModelPackageArn": arn,
                "ModelPackageVersion": version,
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
                "CreationTime": now,
                "LastModifiedTime": now,
                "CreatedBy": caller.user_context,
            }
            self._records.create(MODEL_PACKAGE, _key(name, version), package)
            self._tags.set(arn, request.get("Tags", []))
        self._emit(package, caller.region)
        return {"ModelPackageArn": arn}

    def describe_model_package(self, request: Request, caller: Caller) -> Request:
        """One version."""
        return self.package(request["ModelPackageName"])

    def list_model_packages(self, request: Request, caller: Caller) -> Request:
        """Versions of one group or of all, newest first."""
        group = request.get("ModelPackageGroupName", "").rpartition("/")[2]
        approval = {"StatusEquals": request["ModelApprovalStatus"]} if "ModelApprovalStatus" in request else {}
        return page_of(
            self._records,
            MODEL_PACKAGE,
            request | approval,
            result="ModelPackageSummaryList",
            name="ModelPackageGroupName",
            status="ModelApprovalStatus",
            prefix=f"{group}/" if group else "",
        )

    def update_model_package(self, request: Request, caller: Caller) -> Request:
        """Approve, reject, or change the metadata of a version; emits the event of a state change."""
        with self._records.lock:
            package = self.package(request["ModelPackageArn"])
            properties = {
                **package.get("CustomerMetadataProperties", {}),
                **request.get("CustomerMetadataProperties", {}),
            }
            for removed in request.get("CustomerMetadataPropertiesToRemove", []):
                properties.pop(removed, None)
            changes = {name: request[name] for name in REPLACED if name in request}
            added = request.get("AdditionalInferenceSpecificationsToAdd")
            if added:
                changes["AdditionalInferenceSpecifications"] = _with_added(package, added)
            changed = self._records.update(
                MODEL_PACKAGE,
                _key(package["ModelPackageGroupName"], package["ModelPackageVersion"]),
                {
                    **changes,
                    "CustomerMetadataProperties": properties or None,
                    "LastModifiedTime": time.time(),
                    "LastModifiedBy": caller.user_context,
                },
            )
        properties_changed = {"CustomerMetadataProperties", "CustomerMetadataPropertiesToRemove"} & set(request)
        named = [*changes, *(["CustomerMetadataProperties"] if properties_changed else [])]
        self._emit(changed, caller.region, named)
        return {"ModelPackageArn": changed["ModelPackageArn"]}

    def batch_describe_model_package(self, request: Request, caller: Caller) -> Request:
        """Several versions by their ARNs, with an error for each that cannot be described."""
        found: dict[str, Request] = {}
        missing: dict[str, Request] = {}
        for arn in request["ModelPackageArnList"]:
            try:
                found[arn] = self.package(arn)
            except ServiceError as error:
                missing[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": missing or None}

    def delete_model_package(self, request: Request, caller: Caller) -> Request:
        """Delete a version; its number is not used again."""
        package = self.package(request["ModelPackageName"])
        self._records.delete(MODEL_PACKAGE, _key(package["ModelPackageGroupName"], package["ModelPackageVersion"]))
        return {}

    def package(self, arn: str) -> Request:
        """The record of one version, by its ARN."""
        found = re.search(r"model-package/(.+)/(\d+)$", arn)
        package = self._records.get(MODEL_PACKAGE, _key(found[1], int(found[2]))) if found else None
        if package is None:
            raise invalid(f"ModelPackage {arn} does not exist.")
        return package

    def _next_version(self, group: str) -> int:
        counter = self._records.get(MODEL_PACKAGE_COUNTER, group) or VersionCounterRecord(Version=0)
        version = int(counter["Version"]) + 1
        self._records.put(MODEL_PACKAGE_COUNTER, group, VersionCounterRecord(Version=version))
        return version

    def _group(self, name: str) -> Request:
        group = self._records.get(MODEL_PACKAGE_GROUP, name.rpartition("/")[2])
        if group is None:
            raise invalid(f"ModelPackageGroup {name} does not exist.")
        return group

    def _versions(self, group: str) -> list[Request]:
        return self._records.all(MODEL_PACKAGE, prefix=f"{group}/")

    def _emit(self, package: Request, region: str, updated: Iterable[str] = ()) -> None:
        """Tell EventBridge; `updated` are the fields that an update has set, which public code reads in the event."""
        # https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
        detail: dict[str, Any] = {
            name: package[name]
            for name in (
                "ModelPackageGroupName",
                "ModelPackageVersion",
                "ModelPackageArn",
                "ModelPackageStatus",
                "ModelApprovalStatus",
                "ApprovalDescription",
                "CustomerMetadataProperties",
                "ModelLifeCycle",
                "InferenceSpecification",
            )
            if name in package
        }
        if names := list(updated):
            detail["UpdatedModelPackageFields"] = names
        detail["CreationTime"] = round(package["CreationTime"] * 1000)
        self._send_event(
            region,
            {
                "Source": "aws.sagemaker",
                "DetailType": "SageMaker Model Package State Change",
                "Resources": [package["ModelPackageArn"]],
                "Detail": json.dumps(detail),
            },
        )


def _with_added(package: Request, added: list[Request]) -> list[Request]:
    """The additional inference specifications of a version with more of them, whose names must be new."""
    there = package.get("AdditionalInferenceSpecifications", [])
    names = [each["Name"] for each in (*there, *added)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ServiceError(
            "ConflictException", f"{', '.join(twice)}: an additional inference specification has this name already."
        )
    return [*there, *added]


def _key(group: str, version: int) -> str:
    return f"{group}/{version}"
