"""What another file of sales changes in the features of the rows before it: `python tests/benchmarks/new_month.py`.

For each feature the share of the old training rows that have another value since; and of the features that stay, the
seconds to compute them again and to read them back.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.append(str(Path(__file__).resolve().parents[2]))

import pandas as pd
import sales
from project import unpack_code
from rows import PYTHON, wall

from steps.batches import batches
from steps.columns import columns_of
from steps.data_settings import DataSettings, PreparationSettings, load_as
from steps.derived import Derived
from steps.part_files import part_files

FILES, TIMES = 10, 5
KEYS = ["id", "date"]


def main() -> None:
    """Prepare ten files, and eleven, and compare."""
    from pipelines.settings.settings import default_config, load_settings

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unpack_code(folder / "code", load_settings(default_config()), "training")
        data = load_as(PreparationSettings, folder / "code" / "settings.json").data
        files = sorted(sales.write(folder / "raw", (FILES + 1) * sales.ROWS_OF_A_PART).iterdir())
        before, after = (_prepared(folder, files[:count]) for count in (FILES, FILES + 1))
        old, new = map(_features, (before, after))
        new = new.loc[old.index]
        changed = ((old != new) & ~(old.isna() & new.isna())).mean()
        print(f"Of {len(old):,} training rows of {FILES} files, those with another value since there are {FILES + 1}:")
        print("\n".join(f"  {feature}: {share:.1%}" for feature, share in changed.items() if share))
        stay = [str(feature) for feature, share in changed.items() if not share]
        rows = pd.read_parquet(before / "rows" / "rows.parquet")
        again = _seconds(lambda: _computed(rows, data))
        back = _seconds(lambda: [pd.read_parquet(path, columns=stay) for path in part_files(before / "train")])
        print(f"The other {len(stay) - 1}, and the target: {again:.2f} s to compute, {back:.2f} s to read.")


def _prepared(folder: Path, files: list[Path]) -> Path:
    """Where Preprocess has written what it makes of these files."""
    work = folder / str(len(files))
    (work / "raw").mkdir(parents=True)
    for path in files:
        (work / "raw" / path.name).symlink_to(path)
    for module, source in (("steps.validate", "raw"), ("steps.preprocess", "validated")):
        wall([PYTHON, "-m", module, "--input", str(work / source), "--output", str(work)], cwd=folder / "code")
    return work


def _features(work: Path) -> pd.DataFrame:
    """The features of the training rows by what names a row, which is in the raw rows, in the same order."""
    rows = pd.read_parquet(work / "rows" / "rows.parquet", columns=KEYS)
    table = pd.concat(map(pd.read_parquet, part_files(work / "train")), ignore_index=True)
    return table.set_index(pd.MultiIndex.from_frame(rows.astype(str))).sort_index()


def _computed(rows: pd.DataFrame, data: DataSettings) -> None:
    """The inputs and what is derived of them, as Preprocess has them before it adds what is learned."""
    types = {name: column.type for name, column in data.inputs.items()}
    for batch in batches(len(rows)):
        columns = columns_of(rows.iloc[batch], data.inputs, types)
        Derived(data.derived, types).of(columns, batch.stop - batch.start)


def _seconds(work: Callable[[], object]) -> float:
    """The middle of some times."""

    def once() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return median(once() for _ in range(TIMES))


if __name__ == "__main__":
    main()
