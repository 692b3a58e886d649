"""What a stage leaves for the next one: its tables in a folder of its own, never changed.

gs://BUCKET/FOLDER/TABLE for each table, and `done`, which is written last and says what they are
of. A stage that is repeated writes another folder, so that one that was given up and still runs
disturbs nobody.
"""

from collections.abc import Iterator, Mapping

from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import InputError
from anomaly.profile.model import Profile
from anomaly.run import Run
from runners.storage.literal_paths import reader
from runners.storage.spark_errors import SPARK_ERRORS, root_cause
from runners.storage.whole_parquet import write, write_whole

DONE = "done"


def write_stage(
    spark: SparkSession,
    folder: str,
    tables: Mapping[str, DataFrame],
    run: Run,
    profile: Profile,
) -> Iterator[tuple[str, int]]:
    """Write the tables of a stage in turn; gives the name of each and its rows.

    Raises OutputError where one cannot be written, InputError where Spark fails at reading what
    it is made from.
    """
    for name, frame in tables.items():
        _, rows = write_whole(name, frame, f"{folder}/{name}")
        yield name, rows
    one_row = spark.range(0, 1, 1, numPartitions=1)
    write(one_row.withColumns(run.columns(profile)).drop("id"), f"{folder}/{DONE}")


def read_stage(
    spark: SparkSession, folder: str, tables: tuple[str, ...], run: Run, profile: Profile
) -> dict[str, DataFrame]:
    """The tables of a stage. Raises InputError unless they are whole, of this day and profile."""
    try:
        of = reader(spark).parquet(f"{folder}/{DONE}").head()
        if of is None:
            raise InputError(f"{folder}: the stage did not end")
        _check(folder, "day", of.run_date, run.run_date)
        _check(folder, "profile", of.profile, profile.fingerprint)
        return {name: reader(spark).parquet(f"{folder}/{name}") for name in tables}
    except SPARK_ERRORS as error:
        told = root_cause(error)
        raise InputError(f"{folder}: holds no results of a stage ({told})") from error


def _check(folder: str, what: str, found: object, expected: object) -> None:
    if found != expected:
        raise InputError(
            f"{folder}: its {what} is {found}, this run's is {expected}; repeat the earlier stages"
        )
