"""What each job of a pipeline runs and reads of this project, and where it lies in the bucket.

Each has an archive of its own, of the modules that it imports and of the settings that it reads: a change of the report
leaves the training, and with it the step cache, as they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.definition.bundle import ARCHIVE, Bundle, build_bundle, merged
from pipelines.images.image import Image, digest_of, image
from pipelines.images.wheels import LIST
from pipelines.settings.settings import PipelineName, Settings

VALIDATE, PREPROCESS, TRAIN, EVALUATE = "steps.validate", "steps.preprocess", "steps.train", "evaluation.evaluate"
OBSERVE = "monitoring.observe"
RESERVE = "evaluation.reserve"  # what `promote` runs by the code with which the version was evaluated
SCORE = "steps.score"  # and `batch`, on Parquet files
MODULES: dict[PipelineName, tuple[str, ...]] = {
    "training": (VALIDATE, PREPROCESS, TRAIN, EVALUATE),
    "validation": (VALIDATE,),
    "monitoring": (OBSERVE,),
}
# What a job needs beside what it imports: the model carries the code that serves it, and a version's own code scores it
# on the reserve when it is promoted, and Parquet files with it.
CARRIED = {TRAIN: ("steps.serve",), EVALUATE: (RESERVE, SCORE)}
# The sections, or single keys of a section, that a job reads; a job that is not here reads none.
READ: dict[str, tuple[str, ...]] = {
    VALIDATE: ("data.file", "data.format", "data.target", "data.identity", "data.columns", "validation"),
    PREPROCESS: ("data", "split"),
    EVALUATE: ("data", "split", "evaluation", "estimators"),
    OBSERVE: (
        *("data", "validation", "monitoring"),
        *("evaluation.segments", "evaluation.map", "evaluation.explained_rows"),
    ),
}
# For people and for `make data` alone: no job reads them.
NOT_READ = ("feature_groups", "rows", "sha256")


@dataclass(frozen=True)
class JobCode:
    """The archives by module, and the image whose wheels go with them; `prefix` is what every key begins with.

    libraries: the candidates of the YAML whose wheels Train gets. keeps_parts: whether ValidateData keeps what it has
    judged of single files.
    """

    prefix: str
    bundles: Mapping[str, Bundle]
    image: Image
    libraries: tuple[str, ...] = ()
    keeps_parts: bool = False

    def key(self, module: str) -> str:
        """Where a module's archive lies in the bucket."""
        return f"{self.prefix}/code/{self.bundles[module].digest}/{ARCHIVE}"

    @property
    def archives(self) -> dict[str, Bundle]:
        """The archives by their keys."""
        return {self.key(module): bundle for module, bundle in self.bundles.items()}

    @property
    def wheels_prefix(self) -> str:
        """Where the image's wheels lie, and their list."""
        return self._prefix_of(self.image.wheel_list)

    @property
    def wheel_list_key(self) -> str:
        """Where the image's list lies."""
        return f"{self.wheels_prefix}/{LIST}"

    @property
    def library_wheels_prefix(self) -> str | None:
        """Where the wheels of the candidates lie, and their list; None where the YAML names none."""
        return self._prefix_of(self.image.list_of(self.libraries)) if self.libraries else None

    @property
    def kept_prefix(self) -> str | None:
        """Where ValidateData keeps what it has judged of single files; None where it keeps nothing.

        Other code and other settings keep elsewhere, so a job is given nothing that it could not use.
        """
        return f"{self.prefix}/kept/{self.bundles[VALIDATE].digest}" if self.keeps_parts else None

    @property
    def kept_marker(self) -> str | None:
        """The key of the object that lies there from the beginning: an input of a job cannot be empty."""
        return f"{self.kept_prefix}/none.json" if self.keeps_parts else None

    @property
    def wheel_lists(self) -> dict[str, bytes]:
        """The lists by their keys, which are uploaded last: where a list is, its wheels are."""
        lists = [self.image.wheel_list, *([self.image.list_of(self.libraries)] if self.libraries else [])]
        return {f"{self._prefix_of(each)}/{LIST}": each for each in lists}

    def _prefix_of(self, wheel_list: bytes) -> str:
        return f"{self.prefix}/wheels/{digest_of(wheel_list)}"

    @property
    def keys(self) -> list[str]:
        """Every object without which a job cannot run."""
        return [*self.archives, *self.wheel_lists, *([self.kept_marker] if self.kept_marker else [])]

    @property
    def digests(self) -> list[str]:
        """What changes where any byte of it does."""
        return [*(bundle.digest for bundle in self.bundles.values()), *map(digest_of, self.wheel_lists.values())]

    @property
    def files(self) -> dict[str, bytes]:
        """The files of all archives."""
        return merged(bundle.files for bundle in self.bundles.values())


def job_code(root: Path, settings: Settings, pipeline: PipelineName) -> JobCode:
    """The code of a pipeline's jobs, from a checkout."""
    sections = settings.for_jobs()
    bundles = {
        module: build_bundle(root, [module, *CARRIED.get(module, ())], settings_of(module, sections))
        for module in MODULES[pipeline]
    }
    libraries = tuple(settings.candidates.libraries) if TRAIN in bundles else ()
    keeps_parts = VALIDATE in bundles and settings.jobs.processing.keep_parts
    return JobCode(settings.name, bundles, image(settings.jobs.image_version), libraries, keeps_parts)


def settings_of(module: str, sections: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sections that a module reads; None for one that reads none."""
    found: dict[str, Any] = {}
    for place in READ.get(module, ()):
        section, _, key = place.partition(".")
        value = sections[section]
        if key:
            found.setdefault(section, {})[key] = value[key]
        else:
            found[section] = {name: each for name, each in value.items() if section != "data" or name not in NOT_READ}
    if "data" in found and not _has_feature(found["data"]):
        # Settings without any feature are refused, so those that are not columns go along.
        found["data"] |= {name: sections["data"][name] for name in ("derived", "learned")}
    return found or None


def _has_feature(data: Mapping[str, Any]) -> bool:
    columns = data["columns"].items()
    return any(
        column["feature"] and column["type"] not in ("text", "date")
        for name, column in columns
        if name != data["target"]
    )
