"""Temporary files of this process, and Parquet files as Sail reads them."""

import atexit
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

# Sail takes a path with one of these for a pattern, and refuses to write there.
APART = "kept apart"
PATTERN = re.compile(r"[*?\[\]{}%]")


def temporary_folder() -> Path:
    """A new folder, which is removed when this process ends."""
    return Path(tempfile.mkdtemp(dir=_root()))


def read_folder(spark: SparkSession, folder: Path) -> DataFrame:
    """The rows of the Parquet files in a folder."""
    rows = spark.read.parquet(str(plain_path(folder)))
    # Otherwise Sail evaluates filters while it reads, and fails if they have a lambda:
    # spark.read.parquet(p).where(F.exists(F.array("c"), lambda a: a == "q")) has no field named c.
    return rows.withColumn(APART, F.monotonically_increasing_id()).drop(APART)


def plain_path(path: Path) -> Path:
    """The path, or a link to it if Sail would take it for a pattern."""
    if not PATTERN.search(str(path)):
        return path
    link = temporary_folder() / "link"
    link.symlink_to(path.absolute())
    return link


@cache
def _root() -> Path:
    root = Path(tempfile.mkdtemp(prefix="cell-tower-anomaly-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root
