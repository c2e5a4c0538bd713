"""What moto's objects of S3 say, as JSON of our own schema: explicit fields, no names of Python modules.

Each kind names moto's class and the attributes of it that are kept; a test holds them against moto's classes.
"""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

KIND = "$kind"
HEADERS = "case insensitive"
Make = Callable[[str, dict[str, Any]], Any]
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "acl": ("FakeAcl", ("grants",)),
    "grant": ("FakeGrant", ("grantees", "permissions")),
    "grantee": ("FakeGrantee", ("id", "uri", "display_name")),
    "lifecycle rule": (
        "LifecycleRule",
        (
            "id",
            "prefix",
            "filter",
            "status",
            "expiration_days",
            "expiration_date",
            "transitions",
            "expired_object_delete_marker",
            "nve_noncurrent_days",
            "noncurrent_version_transitions",
            "aimu_days",
        ),
    ),
    "lifecycle filter": ("LifecycleFilter", ("prefix", "tag_key", "tag_value", "and_filter")),
    "lifecycle and": ("LifecycleAndFilter", ("prefix", "tags")),
    "transition": ("LifecycleTransition", ("date", "days", "storage_class")),
    "noncurrent transition": (
        "LifeCycleNoncurrentVersionTransition",
        ("newer_versions", "days", "storage_class"),
    ),
    "cors rule": (
        "CorsRule",
        ("allowed_methods", "allowed_origins", "allowed_headers", "exposed_headers", "max_age_seconds", "id_"),
    ),
    "notifications": ("NotificationConfiguration", ("topic", "queue", "cloud_function", "event_bridge")),
    "notification": ("Notification", ("id", "arn", "events", "filters")),
    "public access block": (
        "PublicAccessBlock",
        ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets"),
    ),
    "inventory": (
        "FakeBucketInventoryConfiguration",
        ("id", "destination", "is_enabled", "schedule", "filters", "optional_fields"),
    ),
    "lowercase": ("LowercaseDict", ("store",)),
}
KIND_OF = {name: kind for kind, (name, _) in KINDS.items()}
BUCKET_FIELDS = (
    "account_id",
    "region_name",
    "bucket_namespace",
    "partition",
    "versioning_status",
    "rules",
    "policy",
    "website_configuration",
    "acl",
    "cors",
    "logging",
    "notification_configuration",
    "accelerate_configuration",
    "payer",
    "creation_date",
    "public_access_block",
    "encryption",
    "object_lock_enabled",
    "default_lock_mode",
    "default_lock_days",
    "default_lock_years",
    "ownership_rule",
    "inventory_configs",
)
LATER_BUCKET_FIELDS = ("replication",)  # that moto adds once they are set
OBJECT_FIELDS = (
    "account_id",
    "region_name",
    "acl",
    "website_redirect_location",
    "_metadata",
    "_expiry",
    "_is_versioned",
    "encryption",
    "kms_key_id",
    "bucket_key_enabled",
    "lock_mode",
    "lock_legal_status",
    "lock_until",
    "checksum_value",
    "checksum_type",
    "checksum_parts",
    "_status",
)
UPLOAD_FIELDS = (
    "key_name",
    "metadata",
    "account_id",
    "region_name",
    "storage",
    "tags",
    "acl",
    "sse_encryption",
    "kms_key_id",
)


def dumped(fields: dict[str, Any]) -> str:
    """Fields as the text of a document; TypeError for a value of a kind that is not listed here."""
    return json.dumps({name: _encoded(value) for name, value in fields.items()}, separators=(",", ":"))


def bucket_text(bucket: Any, tags: dict[str, str]) -> str:
    """The document of moto's bucket: everything but what it holds, which has rows of its own."""
    later = [name for name in LATER_BUCKET_FIELDS if name in bucket.__dict__]
    return dumped({name: getattr(bucket, name) for name in (*BUCKET_FIELDS, *later)} | {"tags": tags})


def upload_text(upload: Any) -> str:
    """The document of moto's upload in progress: everything but its parts, which have rows of their own."""
    return dumped({name: getattr(upload, name) for name in UPLOAD_FIELDS})


def loaded(text: str, make: Make) -> dict[str, Any]:
    """The fields of a document; `make` gives moto's object of a kind.

    ValueError, KeyError or TypeError where the document is damaged.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("a document is an object")
    return {name: _decoded(value, make) for name, value in document.items()}


def _encoded(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return {KIND: "bytes", "base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return {KIND: "time", "iso": value.isoformat()}
    if isinstance(value, (list, tuple)):
        return [_encoded(item) for item in value]
    name = type(value).__name__
    if name in KIND_OF:
        kind = KIND_OF[name]
        return {KIND: kind, **{field: _encoded(getattr(value, field)) for field in KINDS[kind][1]}}
    if name == "CaseInsensitiveDict":
        return {KIND: HEADERS, "items": [_encoded(pair) for pair in value._store.values()]}
    if isinstance(value, dict):
        if KIND in value:
            return {KIND: "dictionary", "items": [_encoded(pair) for pair in value.items()]}
        return {str(field): _encoded(item) for field, item in value.items()}
    raise TypeError(f"a {name} of moto's S3 has no form in a document")


def _decoded(value: Any, make: Make) -> Any:
    if isinstance(value, list):
        return [_decoded(item, make) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(KIND)
    if kind is None:
        return {field: _decoded(item, make) for field, item in value.items()}
    if kind == "bytes":
        return base64.b64decode(value["base64"])
    if kind == "time":
        return datetime.fromisoformat(value["iso"])
    if kind == "dictionary":
        return {field: _decoded(item, make) for field, item in value["items"]}
    if kind == HEADERS:
        return make(kind, {field: _decoded(item, make) for field, item in value["items"]})
    return make(kind, {field: _decoded(value[field], make) for field in KINDS[kind][1]})
