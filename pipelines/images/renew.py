"""Renew the lists of wheels: `python -m pipelines.images.renew` resolves what the jobs need beside each image.

What job code imports stays as the image has it. Of the rest, what the image has is left alone where it will do, and the
other versions are those of requirements.lock as far as the image's Python allows. It asks the package index.
"""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipelines.images.image import FOLDER, IMPORTED, WHEELS, canonical, image, known_images, pins
from pipelines.images.wheels import download
from pipelines.settings.settings import ROOT
from steps.other_libraries import LIBRARIES

NEEDED = ("great-expectations", "ville")
PLATFORM = "x86_64-manylinux_2_28"  # the oldest system of the images is Ubuntu 20.04, glibc 2.31


def main() -> None:
    """Write the lists of every image: what the jobs need, and what each candidate of the YAML does.

    A candidate's library needs nothing that the image lacks to train and to predict; CatBoost names what draws plots.
    """
    for version in known_images():
        _write(FOLDER / version / WHEELS, "the jobs need", version, NEEDED)
        for name, library in LIBRARIES.items():
            _write(
                FOLDER / version / f"{name}.txt", f"candidates.{name} needs", version, [library.package], "--no-deps"
            )


def _write(target: Path, what: str, version: str, packages: Sequence[str], *options: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = _wheels(version, packages, Path(folder), options)
    head = f"# What {what} beside the image {version}, and it lacks; `make wheels` renews it.\n"
    target.write_text(head + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{target.relative_to(ROOT)}: {len(lines)} wheels")


def _wheels(version: str, packages: Sequence[str], folder: Path, more: Sequence[str]) -> list[str]:
    """`name==version --hash=sha256:...` of every wheel, each hash being that of the one file for the image."""
    target, locked = image(version), pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    constraints, resolved = folder / "constraints.txt", folder / "resolved.txt"
    constraints.write_text("".join(f"{name}=={target.packages[name]}\n" for name in IMPORTED))
    needed = "".join(f"{name}=={locked[name]}\n" if name in locked else f"{name}\n" for name in packages)
    preferred = {**locked, **target.packages}
    resolved.write_text("".join(f"{name}=={pin}\n" for name, pin in preferred.items()))
    options = [
        *more,
        "--quiet",
        "--no-header",
        "--no-annotate",
        "--only-binary",
        ":all:",
        "--python-platform",
        PLATFORM,
    ]
    command = [sys.executable, "-m", "uv", "pip", "compile", *options, "--python-version", target.python]
    command += ["-c", str(constraints), "-o", str(resolved), "-"]
    subprocess.run(command, input=needed, text=True, check=True, stdout=subprocess.DEVNULL)
    lacking = [f"{name}=={pin}" for name, pin in pins(resolved.read_text()).items() if target.packages.get(name) != pin]
    files = download(lacking, target.python, folder / "wheels")
    by_name = {canonical(path.name.partition("-")[0]): path for path in files}
    return [f"{pin} --hash=sha256:{_sha256(by_name[canonical(pin.partition('==')[0])])}" for pin in lacking]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
