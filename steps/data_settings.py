"""What preparing the data needs to know: the sections data, validation and split of the YAML file.

In the bundle the sections that a job reads lie as settings.json beside the `steps` package. The classes hold plain
types only, so that the pipeline's strict settings can be built from them. What is evaluated and watched is set in
`steps.evaluated_settings` and `steps.settings`: an archive has what its job reads, so a change there reruns no other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from steps.column_settings import Column, ComparableSettings, column_of
from steps.expressions import ExpressionError, names, parse
from steps.failure import JobError, did_you_mean
from steps.learned_settings import STRICT, LearnedFeature
from steps.monotone import Rule, feature_signs
from steps.split_settings import SplitSettings
from steps.text_format import FileFormat, with_file_format
from steps.validation_settings import Expectation, ValidationSettings

DEFAULT_PATH = Path(__file__).resolve().parent.parent / "settings.json"
OF_LATER_JOBS = ("evaluation", "estimators", "monitoring")  # sections that may be there and are not read here
AnySettings = TypeVar("AnySettings", bound="PreparationSettings")


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """The data file, its columns in order, and what is made of them.

    personal: columns that no request may hold where requests are captured; so none of them may be what the model needs.
    format: how the file is written, where it is not a plain CSV file or Parquet.
    identity: the columns that together name a row; without them equal rows are taken for one.
    group: the columns whose rows stay together in a hash split (all sales of one house); default: identity.
    date: the column by which a time split orders the rows.
    derived: features computed from the columns, in the language of `steps.expressions`.
    learned: features learned from the targets of other training rows, see `steps.learned`.
    monotone: inputs with more of which no prediction falls (increasing) or rises (decreasing), see `steps.monotone`.
    comparables: what the model tells of the training rows that are most like a predicted one; None carries none.
    feature_groups: features by what they are about; the ablation says what each group is worth.
    target_scale: log trains on the logarithm (targets must be positive), linear on the target itself.
    """

    __pydantic_config__ = STRICT

    file: str
    target: str
    columns: dict[str, Column]
    identity: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    format: FileFormat = field(default_factory=FileFormat)
    sha256: str = ""
    rows: int = 0
    group: tuple[str, ...] = ()
    date: str | None = None
    derived: dict[str, str] = field(default_factory=dict)
    learned: dict[str, LearnedFeature] = field(default_factory=dict)
    monotone: dict[str, Rule] = field(default_factory=dict)
    comparables: ComparableSettings | None = None
    feature_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    target_scale: Literal["log", "linear"] = "log"

    def __post_init__(self) -> None:
        for key in ("identity", "group", "personal"):
            for name in getattr(self, key):
                self._require(name, f"data.{key}")
        self._check_target()
        if self.date is not None:
            self._require(self.date, "data.date")
            if self.columns[self.date].type != "date":
                raise ValueError(f"data.date: {self.date} must have the type date.")
        self._check_derived()
        self._check_learned()
        self._check_personal()
        if not self.features:
            raise ValueError("data.columns has no feature: the model would know nothing.")
        self.signs()
        self._check_comparables()
        for group, members in self.feature_groups.items():
            for name in members:
                if name not in self.features:
                    place = f"data.feature_groups.{group}"
                    raise ValueError(f"{place}: {name} is not a feature{did_you_mean(name, self.features)}.")

    def _check_target(self) -> None:
        self._require(self.target, "data.target")
        if self.columns[self.target].type not in ("integer", "number"):
            raise ValueError(f"data.target: {self.target} must be an integer or number to be predicted.")
        if self.columns[self.target].optional:
            raise ValueError(
                f"data.target: {self.target} cannot be optional: a row without it cannot be used for training."
            )

    def _check_personal(self) -> None:
        for name in self.personal:
            if name in self.inputs:
                raise ValueError(
                    f"data.personal: {name} is needed for a prediction, so every request would hold it: give it "
                    "feature: false, and use it in no derived or learned feature."
                )

    def _check_derived(self) -> None:
        types = {name: kind for name, kind in self.types.items() if name != self.target}
        for name, text in self.derived.items():
            if name in self.columns:
                raise ValueError(f"data.derived.{name}: a column has that name already.")
            try:
                parse(text, types)
            except ExpressionError as error:
                if self.target in names_or_none(text):
                    sentence = f"a feature may not use the target {self.target}."
                    raise ValueError(f"data.derived.{name}: {sentence}") from error
                raise ValueError(f"data.derived.{name}: {error}") from error
            types[name] = "number"

    def _check_learned(self) -> None:
        types = {**self.types, **dict.fromkeys(self.derived, "number")}
        for name, feature in self.learned.items():
            if name in types:
                raise ValueError(f"data.learned.{name}: a column or derived feature has that name already.")
            try:
                feature.check(types, self.target)
            except ValueError as error:
                raise ValueError(f"data.learned.{name}: {error}") from error

    def _require(self, name: str, place: str) -> None:
        if name not in self.columns:
            raise ValueError(f"{place}: {name} is not a column{did_you_mean(name, self.columns)}.")

    def _check_comparables(self) -> None:
        for name in self.comparables.show if self.comparables else ():
            self._require(name, "data.comparables.show")
            if name in self.personal:
                raise ValueError(f"data.comparables.show: {name} is personal, and answers are captured: leave it out.")

    def signs(self) -> dict[str, int]:
        """In which direction of a feature predictions must not fall, 1 or -1. Raises ValueError as `feature_signs`."""
        if not self.monotone:
            return {}
        columns = {name: column for name, column in self.columns.items() if name != self.target}
        return feature_signs(
            self.monotone,
            {name: column.type for name, column in columns.items()},
            {name: column.range for name, column in columns.items()},
            self.derived,
            {name: feature.of for name, feature in self.learned.items()},
            self.features,
        )

    @property
    def types(self) -> dict[str, str]:
        """Column name -> type."""
        return {name: column.type for name, column in self.columns.items()}

    @property
    def split_keys(self) -> tuple[str, ...]:
        """The columns whose hash decides on which side of a hash split a row falls; all, where none name a row."""
        return self.group or self.identity or tuple(self.columns)

    @property
    def features(self) -> tuple[str, ...]:
        """The features in the model's order: columns first, then the derived and the learned ones."""
        direct = [name for name, column in self.columns.items() if column.is_feature and name != self.target]
        return (*direct, *self.derived, *self.learned)

    @property
    def inputs(self) -> dict[str, Column]:
        """The raw columns from which all features are computed: what a prediction request must hold."""
        needed = set(self.features).union(*[names(text) for text in self.derived.values()])
        needed = needed.union(*[feature.of for feature in self.learned.values()])
        return {name: column for name, column in self.columns.items() if name in needed}


@dataclass(frozen=True, kw_only=True)
class PreparationSettings:
    """What ValidateData and Preprocess read."""

    __pydantic_config__ = STRICT

    data: DataSettings
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    split: SplitSettings = field(default_factory=SplitSettings)

    def __post_init__(self) -> None:
        if self.split.by == "time" and self.data.date is None:
            raise ValueError("split: time needs data.date, the column that says when a row happened.")
        for name, text in self.validation.derived.items():
            if name in self.data.columns or name in self.data.derived:
                raise ValueError(f"validation.derived.{name}: a column has that name already.")
            try:
                parse(text, self.data.types)
            except ExpressionError as error:
                raise ValueError(f"validation.derived.{name}: {error}") from error
        known = [*self.data.columns, *self.validation.derived]
        for expectation in (*self.validation.rows, *self.validation.table):
            for name in _columns_of(expectation):
                if name not in known:
                    place = f"validation, {expectation.expectation}"
                    raise ValueError(f"{place}: {name} is not a column{did_you_mean(name, known)}.")

    @classmethod
    def from_json(cls: type[AnySettings], document: Mapping[str, Any]) -> AnySettings:
        """Build the settings from the parsed sections. Raises JobError with one sentence."""
        own = {each.name for each in fields(cls)}
        try:
            sections = cls.sections(normalise(document))
            return cls(**{name: each for name, each in sections.items() if name in own or name not in OF_LATER_JOBS})
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise JobError(f"The settings cannot be used: {error}") from error

    @classmethod
    def sections(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Each section of a document, those of here as what they are."""
        data = dict(document["data"])
        for key in ("identity", "group", "personal"):
            data[key] = tuple(data.get(key, ()))
        data["columns"] = {name: column_of(column) for name, column in data["columns"].items()}
        data["format"] = FileFormat.from_json(data.get("format") or {})
        data["learned"] = {name: _learned(feature) for name, feature in data.get("learned", {}).items()}
        told = data.get("comparables")
        data["comparables"] = ComparableSettings(**{**told, "show": tuple(told.get("show", ()))}) if told else None
        data["feature_groups"] = {name: tuple(group) for name, group in data.get("feature_groups", {}).items()}
        validation = dict(document.get("validation") or {})
        for key in ("rows", "table"):
            validation[key] = tuple(Expectation(**expectation) for expectation in validation.get(key, ()))
        return {
            **document,
            "data": DataSettings(**data),
            "validation": ValidationSettings(**validation),
            "split": SplitSettings(**(document.get("split") or {})),
        }

    def to_json(self) -> dict[str, Any]:
        """The sections as they lie in settings.json; `from_json` gives them back."""
        return asdict(self)


def load_as(kind: type[AnySettings], path: Path) -> AnySettings:
    """Read settings.json as the settings of a kind of jobs. Raises JobError when it is missing or cannot be used."""
    try:
        return kind.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise JobError(f"The settings {path} do not exist; give their place with --settings.") from error
    except json.JSONDecodeError as error:
        raise JobError(f"The settings {path} are not JSON: {error}.") from error


def normalise(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections with their short forms written out.

    `split: time` is `split: {by: time}`; what data.format says of values is said by each column that it is about.
    """
    result, split, data = dict(raw), raw.get("split"), raw.get("data")
    if isinstance(split, str):
        result["split"] = {"by": split}
    if isinstance(data, Mapping):
        columns, written = data.get("columns"), data.get("format")
        if isinstance(columns, Mapping) and isinstance(written, Mapping):
            full = {
                name: with_file_format(column, written) if isinstance(column, Mapping) else column
                for name, column in columns.items()
            }
            result["data"] = {**data, "columns": full}
    return result


def names_or_none(text: str) -> set[str]:
    """Return the names in an expression, none if it cannot be parsed."""
    try:
        return names(text)
    except (SyntaxError, ValueError):
        return set()


def _columns_of(expectation: Expectation) -> list[str]:
    """Return the columns that an expectation's arguments name."""
    arguments = expectation.arguments
    single = [arguments[key] for key in ("column", "column_A", "column_B") if key in arguments]
    return [*single, *arguments.get("column_list", ()), *arguments.get("column_set", ())]


def _learned(raw: Mapping[str, Any]) -> LearnedFeature:
    tuples = {key: tuple(raw[key]) for key in ("of", "scale") if raw.get(key) is not None}
    return LearnedFeature(**{**raw, **tuples})
