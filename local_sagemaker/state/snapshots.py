"""What moto knows of each small service: one pickle for each, with the version of moto that wrote it."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import NamedTuple

from local_sagemaker.state.database import Database


class Snapshot(NamedTuple):
    """A service's state; `name` is service/account/region, and `moto` is empty where its version is not known."""

    name: str
    data: bytes
    moto: str


class Snapshots:
    """The pickles, by name."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.moto = version("moto")

    def save(self, changes: Mapping[str, bytes]) -> None:
        """Keep these, all or none."""
        with self._database.lock:
            for name, data in changes.items():
                self._database.execute(
                    "INSERT OR REPLACE INTO snapshots (name, data, moto) VALUES (?, ?, ?)", (name, data, self.moto)
                )

    def all(self) -> list[Snapshot]:
        """Every one of them."""
        return [Snapshot(*row) for row in self._database.select("SELECT name, CAST(data AS BLOB), moto FROM snapshots")]
