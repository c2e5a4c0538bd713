"""A model directory carries the code that serves it, and the wheels that the image lacks."""

from __future__ import annotations

from pathlib import Path

from steps.model_code import copy_serving_code, copy_wheels


def test_the_package_is_copied_as_it_is(tmp_path: Path) -> None:
    copy_serving_code(tmp_path / "code")
    source = Path(__file__).parents[2] / "steps"
    copied = {path.name: path.read_bytes() for path in (tmp_path / "code" / "steps").iterdir()}
    assert copied == {path.name: path.read_bytes() for path in source.glob("*.py")}


def test_wheels_are_named_with_their_versions_and_no_index_is_asked_for_them(tmp_path: Path) -> None:
    wheels, folder = tmp_path / "wheels", tmp_path / "code" / "wheels"
    wheels.mkdir()
    copy_wheels(wheels, folder)
    assert not folder.exists()  # there is no list, as the candidates need nothing
    (wheels / "requirements.txt").write_text(f"tiny-thing==1.0 --hash=sha256:{'0' * 64}\n")
    copy_wheels(wheels, folder)
    requirements = tmp_path / "code" / "requirements.txt"
    assert requirements.read_text() == "tiny-thing==1.0\n"  # no wheel came: the environment has it
    (wheels / "tiny_thing-1.0-py3-none-any.whl").write_bytes(b"a wheel")
    copy_wheels(wheels, folder)
    assert requirements.read_text().splitlines() == ["--no-index", "--find-links wheels", "tiny-thing==1.0"]
    assert (folder / "tiny_thing-1.0-py3-none-any.whl").read_bytes() == b"a wheel"
