"""What job code would not find on this machine is said before anything runs."""

import pytest

from pipelines.checks import image_packages
from pipelines.checks.image_packages import library_warnings
from steps.other_libraries import LIBRARIES


def test_a_candidate_whose_library_is_not_installed_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIBRARIES, "lightgbm", LIBRARIES["lightgbm"]._replace(package="no-such-library"))
    monkeypatch.setattr(image_packages, "version", _only_catboost)
    (warning,) = library_warnings(["lightgbm", "catboost"])
    assert warning.path == "candidates.lightgbm"
    assert "LightGBM is not installed here, and Train on this machine needs it" in warning.message
    assert "install no-such-library" in str(warning.fix)


def _only_catboost(name: str) -> str:
    if name != "catboost":
        raise image_packages.PackageNotFoundError(name)
    return "1.2.10"
