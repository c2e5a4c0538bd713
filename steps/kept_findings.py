"""What Preprocess has found of the training and test rows, kept beside them, so that Evaluate need not ask again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from steps.artifacts import write_json
from steps.data_checks import Finding
from steps.data_set import Part, part_digest
from steps.data_settings import PreparationSettings

CHECKS = "_checks.json"  # beside the training rows: its underscore says that it is not a data file
CODE = ("data_checks.py", "leaks.py", "derived.py")  # the archives of both jobs have these


def keep_findings(findings: Sequence[Finding], train: Path, test: Path, settings: PreparationSettings) -> None:
    """Keep beside the file of the training rows what `check_parts` says of it and of that of the test rows."""
    found = [finding.to_json() for finding in findings]
    document = {"of": _key(train, test, settings), "findings": found, "sha256": _hash(found)}
    write_json(train.parent / CHECKS, document)


def kept_findings(train: Path, test: Path, settings: PreparationSettings) -> list[Finding] | None:
    """What is kept of these two files; None where nothing is, or it is of other rows, settings or code."""
    path = train.parent / CHECKS
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_bytes())
        if document["of"] != _key(train, test, settings):
            return None
        if document["sha256"] != _hash(document["findings"]):
            raise ValueError("its findings are not those that were written")
        return [Finding(**each) for each in document["findings"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        print(f"{path.name} is ignored, and the rows are checked again: {error}", flush=True)
        return None


def _key(train: Path, test: Path, settings: PreparationSettings) -> str:
    """The hash of all that the findings follow from: the two files, the settings, and the code of the checks."""
    known = {
        "code": [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in CODE],
        "settings": [asdict(settings.data), asdict(settings.split)],
        "files": [part_digest(Part(path.name, path)) for path in (train, test)],
    }
    return _hash(known)


def _hash(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
