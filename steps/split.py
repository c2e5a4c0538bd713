"""Divide rows into train, validation and test parts, and a reserve, the same way every time."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pandas as pd

from steps.batches import batches
from steps.data_settings import DataSettings
from steps.failure import JobError
from steps.split_settings import SplitSettings
from steps.workers import in_parallel

RESERVE = "reserve"
ROWS_AT_ONCE = 1 << 16  # that one process hashes


def split(rows: pd.DataFrame, data: DataSettings, settings: SplitSettings) -> dict[str, pd.DataFrame]:
    """Divide rows into the parts of `marked`, in the order of `rows`."""
    return {name: rows[mask].reset_index(drop=True) for name, mask in marked(rows, data, settings).items()}


def marked(rows: pd.DataFrame, data: DataSettings, settings: SplitSettings) -> dict[str, np.ndarray]:
    """Mark the rows of the parts train, validation and test, and reserve where there is one; see `needed` for columns.

    By hash, a row's part depends on its own keys and the seed only, never on other rows: rows with
    equal keys stay together, and new rows move no old ones. By time, the newest rows are the test
    part, whole days only, so that no test row is as old as a training row; the validation part is
    drawn from the rest by hash, because the newest of those rows teach most about the test period. A reserve
    is drawn as the test part is: by hash, and by time from the same newest days, which it shares with the test part by
    hash. Without one the other parts are what they were before there was such a thing.
    Raises JobError when a part has no rows.
    """
    position = hash_position(rows, data.split_keys, settings.seed)
    tested, never = settings.test + settings.reserve, np.zeros(len(rows), dtype=bool)
    if settings.by == "hash":
        test, reserve = position < settings.test, position >= 1 - settings.reserve if settings.reserve else never
        validation = ~test & (position < settings.test + settings.validation)
    else:
        dates = rows[data.date].to_numpy()
        cutoff = np.sort(dates)[min(int(len(dates) * (1 - tested)), len(dates) - 1)]
        newest = dates >= cutoff
        reserve = newest & (position >= 1 - settings.reserve / tested) if settings.reserve else never
        test = newest & ~reserve
        validation = ~newest & (position < settings.validation / (1 - tested))
    masks = {"train": ~(test | validation | reserve), "validation": validation, "test": test}
    if settings.reserve:
        masks[RESERVE] = reserve
    for name, mask in masks.items():
        if not mask.any():
            raise JobError(
                f"The {name} part has no rows: {len(rows):,} rows are too few for the split by {settings.by}; "
                "give more data, or change the shares under split in the YAML."
            )
    return masks


def needed(data: DataSettings) -> list[str]:
    """The columns that decide which part a row belongs to."""
    return list(dict.fromkeys([*data.split_keys, *([data.date] if data.date else [])]))


def hash_position(rows: pd.DataFrame, keys: tuple[str, ...], seed: int) -> np.ndarray:
    """Return for each row a number in [0, 1), uniform over keys, from the SHA-256 of its keys."""
    return _hashes(rows, keys, str(seed)).astype(float) / 2.0**64


def row_keys(rows: pd.DataFrame, data: DataSettings) -> np.ndarray:
    """Return for each row a number of 64 bits that stands for its identity: all of its columns, where none is set."""
    return _hashes(rows, data.identity or tuple(data.columns), "row").astype(np.uint64)


def _hashes(rows: pd.DataFrame, keys: tuple[str, ...], salt: str) -> np.ndarray:
    def of_batch(batch: slice) -> np.ndarray:
        return _hashes_at_once(rows.iloc[batch], keys, salt)

    return np.concatenate(list(in_parallel(of_batch, batches(len(rows), ROWS_AT_ONCE))))


def _hashes_at_once(rows: pd.DataFrame, keys: tuple[str, ...], salt: str) -> np.ndarray:
    salted = sha256(f"{salt}\x1f".encode())

    def first_bytes(text: str) -> bytes:
        digest = salted.copy()
        digest.update(text.encode())
        return digest.digest()[:8]

    texts = [_texts(rows[key]) for key in keys]
    return np.frombuffer(b"".join(map(first_bytes, map("\x1f".join, zip(*texts, strict=True)))), dtype=">u8")


def _texts(values: pd.Series) -> np.ndarray:
    """Values as texts that do not depend on other rows: 3 is "3" in a column of floats, too, as one with gaps is."""
    if values.dtype == object:
        return values.astype(str).to_numpy()
    codes, found = pd.factorize(values, use_na_sentinel=False)
    different = pd.Series(found)
    if pd.api.types.is_float_dtype(different):
        texts = different.map(lambda value: str(int(value)) if value.is_integer() else str(value))
    else:
        texts = different.astype(str)
    return np.asarray(texts, dtype=object)[codes]
