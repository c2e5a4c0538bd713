"""Every patch of moto: what of it is replaced, and why. A test fails, naming the patch, when a moto has changed it."""

from typing import Any

PATCHES = {
    "moto.s3.models.FakeKey": "the bytes of an object lie in a file (s3/stored.py)",
    "moto.s3.models.FakeMultipart": "the bytes of parts, too, and an upload is put together without reading it twice",
    "moto.s3.models.FakeBucket": "objects are read from rows as they are asked for (s3/backend.py)",
    "moto.s3.models.compute_checksum": "of a file, in blocks; and the algorithms that moto lacks (s3/checksums.py)",
    "moto.s3.responses.compute_checksum": "as above",
    "moto.s3.models.s3_backends.backend": "suspended versioning, long keys, copies of uploads (s3/backend.py)",
    "moto.s3.responses.S3Response.setup_class": "the body of a request is a file (s3/bodies.py)",
    "moto.s3.responses.S3Response.list_objects": "by the index, page by page, in the order of UTF-8 (s3/listings.py)",
    "moto.s3.responses.S3Response.list_objects_v2": "as above",
    "moto.s3.responses.S3Response.list_object_versions": "as above",
    "moto.moto_server.werkzeug_app.RegexConverter": "the key of an object may hold a line break (s3/install.py)",
    "moto.cloudwatch.models.CloudWatchBackend.put_metric_alarm": "what cannot be evaluated is refused (cloudwatch.py)",
    "moto.cloudwatch.models.CloudWatchBackend.set_alarm_state": "a change of state is an event (alarms.py)",
    "moto.cloudwatch.models.CloudWatchBackend.get_metric_data": "with our metrics, percentiles, and arithmetic",
    "moto.cloudwatch.models.CloudWatchBackend.get_filtered_metrics": "with our metrics",
    "moto.cloudwatch.responses.CloudWatchResponse.get_metric_statistics": "as above",
    "moto.cloudwatch.responses.CloudWatchResponse.put_composite_alarm": "moto lacks it, though it keeps such alarms",
    "moto.core.common_models.BaseModel.__new__": "moto remembers every object ever made: memory that only grows",
    "moto.sts.models.STSBackend.get_caller_identity": "who has which key: the administrator, roles (identity.py)",
    "moto.iam.models.IAMBackend.get_role": "the execution role exists",
    "moto.events.models.Rule.send_to_targets": "topics, builds, functions; a disabled rule (event_targets.py)",
    "moto.iam.responses.IamResponse.simulate_principal_policy": "moto lacks it, and the SDK asks before each job",
}


def put(owner: Any, name: str, ours: Any, called: str | None = None) -> None:
    """Put ours in the place of moto's; KeyError where the patch is not listed. `called` is an owner without a name."""
    place = called or (owner.__name__ if hasattr(owner, "__path__") or not hasattr(owner, "__module__") else "")
    path = f"{place or f'{owner.__module__}.{owner.__qualname__}'}.{name}"
    if path not in PATCHES:
        raise KeyError(f"{path} is not a patch of {__name__}: list it, with what it is for.")
    setattr(owner, name, ours)
