"""Creating or updating a pipeline: one at a time, with what its code needs."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

from command_line.approval_rule import ensure_rule
from command_line.context import Context
from command_line.lock import Lock, held
from pipelines.definition.compilation import Compiled
from pipelines.definition.revision import revision
from pipelines.images.image import Image, digest_of
from pipelines.images.wheels import fetch_wheels
from pipelines.publishing.publish import Upsert, require_role
from pipelines.settings.settings import ROOT

UPSERT_SECONDS = 900.0  # an upsert takes some seconds; the lock of one that died ends after this


def upsert_compiled(context: Context, compiled: Compiled, seen: dict[str, Any] | None, *, force: bool) -> None:
    """Bring a definition to SageMaker where it differs from what was `seen` there, and say what was done."""
    origin = revision(ROOT)
    if origin.dirty:
        print("note: the checkout has changes that no commit holds; the deployment is tagged dirty.", file=sys.stderr)
    is_new_role = seen is None or seen.get("RoleArn") != context.environment.role_arn
    if is_new_role and not context.local:
        require_role(context.client("iam"), context.environment.role_arn)
    ensure_rule(context)
    image, s3 = compiled.code.image, context.bucket_client()
    wheels = {} if context.local else {"wheels": partial(_fetched, image)}
    upsert = Upsert(compiled, context.environment, origin, seen, force, **wheels)
    bucket, project = context.environment.bucket, context.settings.name
    with held(s3, Lock(bucket, project, compiled.name, UPSERT_SECONDS, UPSERT_SECONDS), context.console.line):
        published = upsert.run(context.sagemaker, s3)
    code = "code uploaded" if published.uploaded else "code unchanged"
    version = f", version {published.version}" if published.version else ""
    context.console.line(f"Pipeline   {published.arn} ({published.action}{version}, {code})")


def _fetched(image: Image, wheel_list: bytes) -> list[Path]:
    return fetch_wheels(image, ROOT / "build" / "wheels" / digest_of(wheel_list), wheel_list)
