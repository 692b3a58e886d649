"""docs/reference/tables.md, from the columns that a run publishes."""

import re
from collections.abc import Iterator
from pathlib import Path

from anomaly.pipeline.output_tables import (
    TABLE_MEANINGS,
    TABLES_OF_A_RUN,
    TABLES_OF_ALARMS,
    table_columns,
)
from anomaly.profile.reader import load_profile
from anomaly.schema.evidence import ALARM_EVIDENCE_TYPE, EVIDENCE_TYPE
from anomaly.schema.inputs import Column
from docs.markdown import markdown_table

PAGE = Path(__file__).parent / "reference" / "tables.md"

INTRODUCTION = """\
# The tables

Generated from the code by `make docs-reference`; do not edit this page.

A run publishes five tables, and two more if its samples are dated. The columns of the first two
follow from the profile; this page shows those of `conf/default.toml`. They begin with the columns
of the published lab, under the lab's names. In BigQuery each column carries its description.
"""

DAYS = """\
## Days in a folder

In a folder, the days of each table are folders: `OUT/TABLE/run_date=2026-11-01/*.parquet`.
Readers such as Spark, DuckDB and pandas take the column `run_date` from these names. If the
profile changed and days have different columns, read them with Spark's option `mergeSchema`.
`OUT/TABLE` is a link to the published version (`.current`), which the next run replaces.

In BigQuery a day is a partition: see [BigQuery](../deploy/bigquery.md).
"""

# What the types of evidence cannot say.
FIELD_MEANINGS = {
    "kpi": "name of the KPI",
    "status": "OK, WARN or CRIT; NO_DATA, NO_BASELINE or OUT_OF_REACH if it was not judged",
    "flag": "1 defect, 0 no defect, NULL not judged",
    "value": "the KPI",
    "unit": "unit of value, limit and baseline",
    "bound": "the limit",
    "direction": "the bad side of the limit: above or below",
    "method": "how the baseline was found",
    "baseline": "what the value is compared with",
    "spread": "how far values usually are from the baseline",
    "baseline_count": "values behind the baseline",
    "value_count": "values behind the value",
    "deviation": "how far the value is from the baseline",
    "deviation_unit": "spreads or %",
    "reason": "all of it in one sentence",
    "family": "KPI family",
    "peers": "the group of cells that the baseline comes from",
    "scale": "linear or log",
    "log_offset": "scale log: what is added to value and baseline",
    "standard_error": "standard error of the value, for the call statistics of a cell",
    "periods": "anomalous granularity periods",
    "peak_at": "start of the period with the largest deviation",
    "smoothed_value": "mean of the KPI over the last periods",
}


def page() -> str:
    """The text of the page."""
    tables = table_columns(load_profile("default"), (*TABLES_OF_A_RUN, *TABLES_OF_ALARMS))
    sections = (
        f"## `{name}`\n\n{TABLE_MEANINGS[name]}.\n\n{_columns(columns)}"
        for name, columns in tables.items()
    )
    evidence = (
        f"## Evidence\n\nThe fields of `evidence`, one element per KPI, in the cell and customer "
        f"tables:\n\n{_fields(EVIDENCE_TYPE)}",
        f"In `cell_alarms`:\n\n{_fields(ALARM_EVIDENCE_TYPE)}",
    )
    return "\n".join((INTRODUCTION, *sections, *evidence, DAYS))


def _columns(columns: tuple[Column, ...]) -> str:
    rows = (
        (f"`{column.name}`", f"`{_short(column.type)}`", column.unit, column.meaning)
        for column in columns
    )
    return markdown_table(("column", "type", "unit", "meaning"), rows)


def _short(type_of_column: str) -> str:
    """A type without the fields of its structs."""
    return re.sub(r"struct<.*>(?=>)", "struct", type_of_column)


def _fields(type_of_evidence: str) -> str:
    return markdown_table(("field", "type", "meaning"), _rows(type_of_evidence))


def _rows(type_of_evidence: str) -> Iterator[tuple[str, str, str]]:
    for name, kind in re.findall(r"(\w+):(\w+)", type_of_evidence):
        yield f"`{name}`", f"`{kind}`", FIELD_MEANINGS[name]
