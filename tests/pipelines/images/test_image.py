"""The lists of the images agree with each other and with the lock."""

import re
import sys
from pathlib import Path

import pytest

from pipelines.errors import PipelineError
from pipelines.images.image import FOLDER, IMPORTED, image, known_images, pins
from pipelines.images.renew import NEEDED
from pipelines.settings.settings import ROOT, default_config, load_settings
from steps.other_libraries import LIBRARIES

LOCK = pins((ROOT / "requirements.lock").read_text())


def test_the_lock_has_exactly_the_versions_of_the_default_image_of_what_job_code_imports() -> None:
    default = image(load_settings(default_config()).jobs.image_version)
    assert default.version == "3.2-0"
    assert {name: LOCK[name] for name in IMPORTED} == {name: default.packages[name] for name in IMPORTED}


def test_what_job_code_imports_is_named() -> None:
    distributions = {"sklearn": "scikit-learn"}
    known = {"steps", "evaluation", "monitoring", *(name.replace("-", "_") for name in NEEDED)}
    known |= set(sys.stdlib_module_names)
    files = [path for folder in ("steps", "evaluation", "monitoring") for path in (ROOT / folder).rglob("*.py")]
    found = {
        match
        for path in files
        for match in re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(), re.MULTILINE)
        if match not in known
    }
    found -= {library.package for library in LIBRARIES.values()}  # which travel as wheels
    imported = {distributions.get(name, name) for name in found} - {"pandas", "the", "which"}
    assert imported <= set(IMPORTED), imported


@pytest.mark.parametrize("version", known_images())
def test_the_wheels_of_an_image_change_nothing_that_job_code_imports(version: str) -> None:
    found = image(version)
    assert not set(found.wheels) & set(IMPORTED)
    assert found.wheels["great-expectations"] == LOCK["great-expectations"]
    lines = [line for line in found.wheel_list.decode().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)


@pytest.mark.parametrize("version", known_images())
@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_the_wheels_of_a_candidate_are_its_own_and_change_nothing_else(version: str, library: str) -> None:
    found = pins(image(version).list_of([library]).decode())
    assert list(found) == [LIBRARIES[library].package]
    assert image(version).list_of(LIBRARIES) == b"".join(image(version).list_of([name]) for name in sorted(LIBRARIES))
    assert image(version).list_of([]) == b""


def test_a_candidate_without_wheels_for_the_image_is_named() -> None:
    with pytest.raises(PipelineError, match=r"no list of wheels of other for the XGBoost image 3\.2-0: leave out"):
        image("3.2-0").list_of(["other"])


def test_the_environment_here_is_that_of_the_default_image() -> None:
    from steps.wheels import differing

    assert differing(image("3.2-0").wheel_list.decode()) == {}


def test_an_image_without_lists_is_named() -> None:
    with pytest.raises(PipelineError, match=r"XGBoost image 1\.7-1: fix jobs\.image_version .*3\.0-5, 3\.2-0"):
        image("1.7-1")
    assert {path.parent for path in Path(FOLDER).glob("*/wheels.txt")} == {FOLDER / name for name in known_images()}
