"""Names the file that Sail could not read: its errors tell what is wrong with it alone."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from anomaly.errors import InputError
from runners.engines.errors import SIGNS_OF_FAILED_WRITING, SPARK_ERRORS
from runners.engines.sail.source_uri import source_uri


@contextmanager
def naming_broken_files(frame: DataFrame) -> Iterator[None]:
    """Turns an error of Sail into an InputError if a Parquet file of the frame is at fault."""
    try:
        yield
    except SPARK_ERRORS as error:
        if any(sign in str(error) for sign in SIGNS_OF_FAILED_WRITING):
            raise
        for file in _files_of(frame):
            if fault := _fault(file):
                raise InputError(f"cannot be read: {source_uri(str(file))}: {fault}") from error
        raise


def _files_of(frame: DataFrame) -> Iterator[Path]:
    # inputFiles() looks into the files, and so fails like what failed before.
    plan: Any = frame
    for path in map(Path, _paths_in(plan._plan.to_proto(plan.sparkSession.client))):
        yield from sorted(path.rglob("*.parquet")) if path.is_dir() else [path]


def _paths_in(message: Any) -> Iterator[str]:
    """The paths that a plan of Spark Connect reads."""
    for field, value in message.ListFields():
        if field.name == "paths":
            yield from value
        elif field.message_type:
            # A map is a message to its field, and its values may be texts.
            parts: Iterable[Any] = [value] if hasattr(value, "ListFields") else value
            for part in parts:
                if hasattr(part, "ListFields"):
                    yield from _paths_in(part)


def _fault(file: Path) -> str:
    """Why a file cannot be read; empty if it can."""
    try:
        with pq.ParquetFile(file) as content:
            for _ in content.iter_batches():
                pass
    except (pa.ArrowException, OSError) as error:
        return str(error)
    return ""
