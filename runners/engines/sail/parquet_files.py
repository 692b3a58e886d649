"""How the Parquet files are written that Sail reads once, and that are then thrown away."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from anomaly.schema.inputs import SOURCE_FILE

# As much as memory should hold of a file; Sail reads a group of rows with one thread.
ROWS_IN_GROUP = 1 << 17


@contextmanager
def writing(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """A function that adds rows to a new file, in groups that are worth reading.

    Nothing is written that would pay in a second reading.
    """
    waiting, rows = list[pa.Table](), 0
    target = parquet.ParquetWriter(
        path,
        schema,
        compression="none",
        # The address of its file, which is the same in each row.
        use_dictionary=[SOURCE_FILE],
        write_statistics=False,
        # Otherwise types are what Arrow calls them, and not what Parquet does.
        store_schema=False,
    )

    def add(table: pa.Table) -> None:
        nonlocal rows
        waiting.append(table)
        rows += table.num_rows
        if rows >= ROWS_IN_GROUP:
            write()

    def write() -> None:
        nonlocal rows
        target.write_table(pa.concat_tables(waiting), row_group_size=ROWS_IN_GROUP)
        waiting.clear()
        rows = 0

    with target:
        yield add
        if waiting:
            write()


def the_same(value: str, rows: int) -> pa.DictionaryArray:
    """A column that has one value in all of its rows."""
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), rows), [value])
