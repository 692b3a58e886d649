"""Writes sample data: the three inputs, and the truth about their faults."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import ConfigurationError
from runners.sample.call_table import call_statistics
from runners.sample.customer_table import customers
from runners.sample.faults import truth
from runners.sample.sample_table import samples
from runners.storage.addresses import FILE, address_of
from runners.storage.places import storage_of


def write_sample(
    spark: SparkSession, scale: int, seed: int, out: str, file_format: str = "csv"
) -> None:
    """Write customers (always Parquet), samples, call_statistics and truth.csv below `out`.

    Existing files and folders of these names are replaced. `truth.csv` is a single file on a local
    disk, and elsewhere (gs://) a folder of that name with one part file.
    """
    if file_format not in ("csv", "parquet"):
        raise ConfigurationError(
            "sample", [f"format is {file_format!r}; it must be csv or parquet"]
        )
    root = storage_of(out).folder
    if root is None:
        raise ConfigurationError("sample", [f"{out} cannot hold files; give a folder or gs://"])
    with short_methods(spark):
        _write(customers(spark, scale, seed), f"{root}/customers", "parquet")
        _write(samples(spark, scale, seed), f"{root}/samples", file_format)
        _write(call_statistics(spark, scale, seed), f"{root}/call_statistics", file_format)
        file = _on_this_disk(f"{root}/truth.csv")
        # Sail replaces folders alone.
        if file.is_file():
            file.unlink()
        _write(truth(spark, scale, seed), f"{root}/truth.csv", "csv")
    _unfold(file)


@contextmanager
def short_methods(spark: SparkSession) -> Iterator[None]:
    """Let Spark split its generated code into short methods, until the end of the block.

    The JVM never compiles methods above 8,000 bytes. By default Spark generates a single method for
    these wide rows, which is then interpreted: four to ten times as slow.
    """
    setting = "spark.sql.codegen.hugeMethodLimit"
    before = spark.conf.get(setting)
    spark.conf.set(setting, "8000")
    try:
        yield
    finally:
        spark.conf.set(setting, before or "65535")


def _write(table: DataFrame, path: str, file_format: str) -> None:
    writer = table.write.mode("overwrite").format(file_format)
    if file_format == "csv":
        writer = writer.options(header=True, nullValue="", emptyValue="")
    writer.save(path)


def _on_this_disk(path: str) -> Path:
    """Where the path leads on this machine; there is nothing if it is elsewhere."""
    address = address_of(path)
    return Path(f"/{address.name}" if address.scheme == FILE else path)


def _unfold(folder: Path) -> None:
    """Replace a local folder by its only part file."""
    if not folder.is_dir():
        return
    # Beside it Spark puts marks and checksums; engines name the part itself in ways of their own.
    (part,) = folder.glob("[!._]*")
    single = part.rename(folder.with_name(f".{folder.name}.part"))
    shutil.rmtree(folder)
    single.rename(folder)


def _local(path: str) -> Path:
    """Where a path is on this machine; of an address elsewhere, where there is nothing."""
    address = address_of(path)
    return Path(f"/{address.name}" if address.scheme == FILE else path)
