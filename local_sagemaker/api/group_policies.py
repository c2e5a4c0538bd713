"""The resource policies of model package groups, which registries of several accounts need; kept, and not enforced."""

import json

from local_sagemaker.api.registry import Registry
from local_sagemaker.errors import invalid, not_found
from local_sagemaker.state.record_kinds import MODEL_PACKAGE_GROUP_POLICY
from local_sagemaker.state.record_types import GroupPolicyRecord
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request


class GroupPolicies:
    """Put, Get and Delete; every caller may do anything here, whatever a policy says."""

    def __init__(self, records: Records, registry: Registry) -> None:
        self._records = records
        self._registry = registry

    def put_model_package_group_policy(self, request: Request, caller: Caller) -> Request:
        """Set or replace the policy of a group."""
        group = self._group(request, caller)
        text = request["ResourcePolicy"]
        try:
            policy = json.loads(text)
        except ValueError as error:
            raise invalid(f"ResourcePolicy is not JSON: {error}.") from None
        if not isinstance(policy, dict) or not policy.get("Statement"):
            raise invalid("ResourcePolicy is not a policy: it needs a Version and a Statement.")
        self._records.put(
            MODEL_PACKAGE_GROUP_POLICY, group["ModelPackageGroupName"], GroupPolicyRecord(ResourcePolicy=text)
        )
        return {"ModelPackageGroupArn": group["ModelPackageGroupArn"]}

    def get_model_package_group_policy(self, request: Request, caller: Caller) -> Request:
        """The policy of a group, as it was given."""
        return {**self._policy(self._group(request, caller)["ModelPackageGroupName"])}

    def delete_model_package_group_policy(self, request: Request, caller: Caller) -> Request:
        """Delete the policy of a group."""
        name = self._group(request, caller)["ModelPackageGroupName"]
        self._policy(name)
        self._records.delete(MODEL_PACKAGE_GROUP_POLICY, name)
        return {}

    def _group(self, request: Request, caller: Caller) -> Request:
        return self._registry.describe_model_package_group(request, caller)

    def _policy(self, group: str) -> GroupPolicyRecord:
        policy = self._records.get(MODEL_PACKAGE_GROUP_POLICY, group)
        if policy is None:
            raise not_found(f"The model package group {group} has no resource policy.")
        return policy
