"""What an engine does for a run: reading, keeping and writing frames, each in its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

# The setting of a session that says which engine it has.
SETTING = "spark.cell_tower.engine"
# And the one that says why that was chosen.
REASON = "spark.cell_tower.engine_reason"


class InputFile(Protocol):
    """A file of an input."""

    @property
    def address(self) -> str:
        """Where it is."""

    @property
    def packing(self) -> str:
        """.gz or .bz2; empty if it is not compressed."""


# A frame, and the number of its rows; None where it is computed later.
Kept: TypeAlias = "tuple[DataFrame, int | None]"
MayRunOn = Callable[[InputFile], bool]


@dataclass(frozen=True)
class CsvFormat:
    """What CSV files have in common: header, encoding as Java names it, and delimiter.

    columns: those that are read, by their names in the files, in lower case.
    """

    header: tuple[str, ...]
    encoding: str
    delimiter: str
    columns: Collection[str]


class Keeper(Protocol):
    """Keeps intermediates of one run until it releases them."""

    def keep(self, name: str, frame: DataFrame, has_input_rows: bool) -> Kept:
        """The frame to go on with, which is computed once.

        has_input_rows: whether it has about as many rows as the inputs.
        """

    def shorten(self, name: str, frame: DataFrame) -> Kept:
        """The frame to go on with, kept if long plans cost the engine more than that."""

    def release(self) -> None:
        """Free the memory, or the disk."""


class Engine(ABC):
    """What executes frames."""

    name: ClassVar[str]

    @abstractmethod
    def read_csv(
        self, spark: SparkSession, files: Sequence[InputFile], form: CsvFormat, may_run_on: MayRunOn
    ) -> DataFrame:
        """The rows of CSV files as texts, by the names in their header, with their provenance.

        may_run_on: whether a field of a file may go on to the next line. Raises InputError if a
        file cannot be read, as far as that is found out here.
        """

    @abstractmethod
    def read_parquet(
        self, spark: SparkSession, files: Sequence[InputFile], columns: Collection[str], place: str
    ) -> list[tuple[str, DataFrame]]:
        """The rows of Parquet files with their provenance, in frames of files of one schema each.

        With each frame comes the place that messages name: `place` if it holds all files. Raises
        InputError if a file cannot be read.
        """

    @abstractmethod
    def read_days(self, spark: SparkSession, table: Path, days: Iterable[date]) -> DataFrame:
        """Days of a table in a folder of this machine, with `run_date`; without days, all of it."""

    @abstractmethod
    def write(self, frame: DataFrame, target: Path, *partitions: str) -> tuple[DataFrame, int]:
        """Write Parquet files into a new folder; what is read from there, and the number of rows.

        Raises OutputError if it cannot be written, InputError if an input cannot be read.
        """

    @abstractmethod
    def keeper(self, packs_inputs: bool) -> Keeper:
        """A keeper for one run; packs_inputs: whether its inputs are large."""

    @abstractmethod
    def frame_of(self, spark: SparkSession, rows: Sequence[Row], type_: str) -> DataFrame:
        """A few rows of this process as a frame; type_ is that of a row, struct<...>."""
