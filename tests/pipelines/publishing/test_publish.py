"""An upsert uploads what is missing, changes what differs, leaves the rest alone, and never overtakes a newer one."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pipelines.definition.bundle import Bundle
from pipelines.definition.compilation import Compiled
from pipelines.definition.job_code import JobCode
from pipelines.definition.revision import Revision
from pipelines.errors import PipelineError
from pipelines.images.image import image
from pipelines.publishing.deployed import describe_deployed, fingerprint, read_tags
from pipelines.publishing.publish import Published, Upsert, create_bucket_if_local, require_role
from pipelines.settings.environment import Environment

ENVIRONMENT = Environment.from_env({"SAGEMAKER_BUCKET": "test-bucket"})
DEFINITION = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {}}]})
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
REVISION = Revision("abc123", "main", "build:1", NOON)


@pytest.fixture
def compiled(request: pytest.FixtureRequest) -> Compiled:
    name = request.node.name.replace("_", "-")[:60].strip("-")
    return Compiled(name, "a test", DEFINITION, code(name, name), "abc123")


def code(prefix: str, content: str) -> JobCode:
    return JobCode(prefix, {"steps.a": Bundle({"steps/a.py": content.encode()})}, image("3.2-0"))


def upsert(sagemaker: Any, s3: Any, compiled: Compiled, revision: Revision = REVISION, **options: Any) -> Published:
    """What the command does: look first, then upsert."""
    seen = options.pop("seen", None) or describe_deployed(sagemaker, compiled.name)
    return Upsert(compiled, ENVIRONMENT, revision, seen, **options).run(sagemaker, s3)


def calls_of(*clients: Any) -> list[str]:
    """The names of the operations that clients call from now on."""
    calls: list[str] = []
    for client in clients:
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    return calls


def halted(compiled: Compiled) -> Compiled:
    """The pipeline with another step."""
    return replace(compiled, definition=compiled.definition.replace("Stop", "Halt"))


def test_the_first_upsert_creates_with_the_bytes_that_were_compiled(
    sagemaker: Any, s3: Any, compiled: Compiled
) -> None:
    published = upsert(sagemaker, s3, compiled)
    assert (published.action, published.uploaded) == ("created", True)
    assert sagemaker.describe_pipeline(PipelineName=compiled.name)["PipelineDefinition"] == DEFINITION
    stored = s3.get_object(Bucket="test-bucket", Key=compiled.code.key("steps.a"))["Body"].read()
    assert stored == compiled.code.bundles["steps.a"].archive()
    wheels = s3.get_object(Bucket="test-bucket", Key=compiled.code.wheel_list_key)["Body"].read()
    assert wheels == compiled.code.image.wheel_list
    assert read_tags(sagemaker, published.arn) == {
        "git-commit": "abc123",
        "git-branch": "main",
        "git-dirty": "false",
        "git-committed": "2026-01-01T12:00:00+00:00",
        "build-id": "build:1",
        "definition-sha256": fingerprint(DEFINITION),
    }
    assert s3.head_object(Bucket="test-bucket", Key=compiled.champion_marker)["ContentLength"] > 0


def test_the_wheels_are_uploaded_once_before_their_list(server: Any, compiled: Compiled, tmp_path: Path) -> None:
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    wheel, asked = tmp_path / "thing-1-py3-none-any.whl", []
    wheel.write_bytes(b"wheel")

    def fetch(_wheel_list: bytes) -> list[Path]:
        asked.append(s3.list_objects_v2(Bucket="test-bucket", Prefix=compiled.code.wheels_prefix)["KeyCount"])
        return [wheel]

    for _ in range(2):
        upsert(sagemaker, s3, compiled, wheels=fetch)
    assert asked == [0]  # nothing was there, and it is asked for once
    found = s3.get_object(Bucket="test-bucket", Key=f"{compiled.code.wheels_prefix}/{wheel.name}")
    assert found["Body"].read() == b"wheel"


def test_the_second_upsert_of_the_same_uploads_nothing_and_only_looks(server: Any, compiled: Compiled) -> None:
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    upsert(sagemaker, s3, compiled)
    calls = calls_of(sagemaker, s3)
    published = upsert(sagemaker, s3, compiled, Revision("abc123", "another", "build:2", NOON))
    assert (published.action, published.uploaded) == ("unchanged", False)
    assert calls == ["DescribePipeline", "HeadObject", "HeadObject"]  # the list of wheels, the one archive
    assert read_tags(sagemaker, published.arn)["build-id"] == "build:1"  # the build that made it


def test_an_update_is_one_call_after_everything_that_it_refers_to(server: Any, compiled: Compiled) -> None:
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    upsert(sagemaker, s3, compiled)
    other = replace(halted(compiled), code=code(compiled.prefix, "other"))
    calls = calls_of(sagemaker, s3)
    assert upsert(sagemaker, s3, other, Revision("def-dirty", "main")).action == "updated"
    writes = [name for name in calls if not name.startswith(("Describe", "Head", "List"))]
    assert writes == ["PutObject", "PutObject", "AddTags", "UpdatePipeline"]  # the marker of no champion, the bundle
    found = sagemaker.describe_pipeline(PipelineName=compiled.name)
    assert found["PipelineDefinition"] == other.definition
    tags = read_tags(sagemaker, found["PipelineArn"])
    assert (tags["git-commit"], tags["git-dirty"], tags["build-id"]) == ("def-dirty", "true", "none")


def test_a_definition_longer_than_the_api_takes_goes_through_s3(sagemaker: Any, s3: Any, compiled: Compiled) -> None:
    document = {**json.loads(DEFINITION), "Metadata": {"padding": "x" * 1_048_576}}
    long = replace(compiled, definition=json.dumps(document))
    assert upsert(sagemaker, s3, long).action == "created"
    key = f"{compiled.prefix}/definitions/{fingerprint(long.definition)}.json"
    assert s3.get_object(Bucket="test-bucket", Key=key)["Body"].read().decode() == long.definition
    assert sagemaker.describe_pipeline(PipelineName=compiled.name)["PipelineDefinition"] == long.definition
    assert upsert(sagemaker, s3, long).action == "unchanged"


@pytest.fixture
def meanwhile(server: Any, compiled: Compiled) -> Callable[[Compiled], Any]:
    """An S3 client whose first upload lets another upsert, of the given pipeline, come first."""

    def make(theirs: Compiled) -> Any:
        s3, done = server.client("s3"), []

        def overtake(**_: Any) -> None:
            if not done:
                done.append(True)
                upsert(server.client("sagemaker"), server.client("s3"), theirs, Revision("999999999", "theirs"))

        s3.meta.events.register("before-call.s3.PutObject", overtake)
        return s3

    return make


def test_of_two_at_once_the_second_sees_the_first_and_stops(
    sagemaker: Any, s3: Any, compiled: Compiled, meanwhile: Callable[[Compiled], Any]
) -> None:
    mine, theirs = halted(replace(compiled, code=code(compiled.prefix, "mine"))), compiled
    with pytest.raises(PipelineError, match=r"deployed by another upsert.*commit 999999999 on theirs.*--force"):
        upsert(sagemaker, meanwhile(theirs), mine)  # both create
    assert sagemaker.describe_pipeline(PipelineName=compiled.name)["PipelineDefinition"] == theirs.definition
    theirs, mine = (
        mine,
        replace(mine, definition=DEFINITION.replace("Stop", "End"), code=code(mine.prefix, "2")),
    )
    with pytest.raises(PipelineError, match="deployed by another upsert"):
        upsert(sagemaker, meanwhile(theirs), mine)  # both update
    assert "Halt" in sagemaker.describe_pipeline(PipelineName=compiled.name)["PipelineDefinition"]
    again = replace(mine, code=code(mine.prefix, "3"))
    assert upsert(sagemaker, meanwhile(compiled), again, force=True).action == "updated"


def test_two_at_once_that_want_the_same_are_both_content(
    sagemaker: Any, compiled: Compiled, meanwhile: Callable[[Compiled], Any]
) -> None:
    assert upsert(sagemaker, meanwhile(compiled), compiled).action == "unchanged"


def test_a_slow_build_of_an_earlier_commit_does_not_bring_it_back(sagemaker: Any, s3: Any, compiled: Compiled) -> None:
    upsert(sagemaker, s3, compiled)
    earlier = Revision("000111222333", "main", "build:0", NOON - timedelta(hours=1))
    with pytest.raises(PipelineError, match=r"abc123 on main, build build:1 of 2026-01-01 12:00:00; this is 0001"):
        upsert(sagemaker, s3, halted(compiled), earlier)
    assert upsert(sagemaker, s3, halted(compiled), earlier, force=True).action == "updated"
    later = Revision("444", "main", "build:2", NOON + timedelta(hours=1))
    assert upsert(sagemaker, s3, compiled, later).action == "updated"


def test_the_local_bucket_is_made_once(server: Any) -> None:
    s3 = server.client("s3")
    environment = Environment.from_env({"SAGEMAKER_BUCKET": "made-once", "AWS_REGION": "eu-west-1"})
    create_bucket_if_local(s3, environment)
    create_bucket_if_local(s3, environment)
    assert "made-once" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_a_role_that_does_not_exist_is_named_before_anything_is_published(server: Any) -> None:
    iam = server.client("iam")
    arn = iam.create_role(RoleName="is-there", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    require_role(iam, arn)
    with pytest.raises(PipelineError, match="role/is-not-there does not exist: create it"):
        require_role(iam, "arn:aws:iam::000000000000:role/is-not-there")
    with pytest.raises(PipelineError, match="111122223333:role/is-there does not exist; this account has arn"):
        require_role(iam, "arn:aws:iam::111122223333:role/is-there")


def test_the_place_of_kept_results_is_never_empty_and_its_marker_is_written_once(
    server: Any, compiled: Compiled
) -> None:
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    upsert(sagemaker, s3, compiled)
    bundles = {"steps.validate": Bundle({"steps/validate.py": b"1"})}
    keeping = replace(compiled, code=replace(compiled.code, bundles=bundles, keeps_parts=True))
    upsert(sagemaker, s3, keeping)
    found = s3.list_objects_v2(Bucket="test-bucket", Prefix=f"{keeping.code.kept_prefix}/")
    assert [entry["Key"] for entry in found["Contents"]] == [keeping.code.kept_marker]
    calls = calls_of(s3)
    upsert(sagemaker, s3, keeping)
    assert set(calls) == {"HeadObject"}
