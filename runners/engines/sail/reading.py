"""Reads input files for Sail: Arrow makes Parquet files of them, with the provenance of rows."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from anomaly.schema.inputs import MALFORMED_LINE, MALFORMED_TEXT, SOURCE_FILE, SOURCE_ROW_ID
from runners.engines.sail.temporary import temporary_folder


def _prov(t, address, text):
    n = t.num_rows
    t = (
        t.append_column(SOURCE_FILE, pa.array([Path(address).as_uri()] * n, pa.string()))
        .append_column(SOURCE_ROW_ID, pa.array(range(n), pa.int64()))
        .append_column(MALFORMED_LINE, pa.array([False] * n))
    )
    if text:
        t = t.append_column(MALFORMED_TEXT, pa.nulls(n, pa.string()))
    return t


def read_csv(spark, files, form):
    folder = temporary_folder()
    wanted = [h for h in form.header if h.strip().lower() in form.columns]
    for i, f in enumerate(files):
        t = pc.read_csv(
            f.address,
            parse_options=pc.ParseOptions(delimiter=form.delimiter),
            convert_options=pc.ConvertOptions(
                column_types={h: pa.string() for h in wanted},
                include_columns=wanted,
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=False,
            ),
        )
        pq.write_table(_prov(t, f.address, True), folder / f"{i}.parquet", compression="lz4")
    return spark.read.parquet(str(folder))


def read_parquet(spark, files, columns, place):
    folder = temporary_folder()
    for i, f in enumerate(files):
        names = [n for n in pq.read_schema(f.address).names if n.strip().lower() in columns]
        t = pq.read_table(f.address, columns=names)
        pq.write_table(_prov(t, f.address, False), folder / f"{i}.parquet", compression="lz4")
    return [(place, spark.read.parquet(str(folder)))]
