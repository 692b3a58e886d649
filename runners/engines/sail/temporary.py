"""Temporary files of this process, and Parquet files as Sail reads them."""

import atexit
import fcntl
import re
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

PREFIX = "cell-tower-anomaly-"
# A process holds the lock of its folder while it runs, however it ends.
LOCK = "lock"
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
    _remove_leftovers()
    root = Path(tempfile.mkdtemp(prefix=PREFIX))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    # Named last: a lock that is there and free is of a process that is gone.
    lock = (root / "unheld").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (root / "unheld").rename(root / LOCK)
    # Closed with this process, and so is the lock.
    atexit.register(lock.close)
    return root


def _remove_leftovers() -> None:
    """Remove the folders of processes that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent, ignore_errors=True)
