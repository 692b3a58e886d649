"""The profile `lab` against the expected output of the published lab, on the real inputs."""

import csv
import json
import math
import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from anomaly import load_profile
from runners.local import run_locally
from runners.services.console import plain_text
from runners.services.outcome import Outcome
from runners.storage.places import destination_of
from tests.builders.real_inputs import INPUTS, REAL_DATA

pytestmark = [pytest.mark.slow, pytest.mark.on_each_spark, pytest.mark.real_data]
DUCKDB_TYPES = {"VARCHAR": "string", "BIGINT": "int64", "INTEGER": "int32", "DOUBLE": "double"}


@pytest.fixture(scope="module")
def lab(spark, tmp_path_factory):
    out = tmp_path_factory.mktemp("lab")
    return run_locally(
        load_profile("lab"), INPUTS, destination_of(str(out)), date(2026, 11, 1)
    ).summary, out


@pytest.mark.parametrize(
    ("table", "expected", "key", "rows"),
    [
        ("cell_tower_performance_data", "lab_real_cell_tower_performance", "CellName", 23),
        ("customer_service_metrics_data", "lab_real_customer_service_metrics", "customerID", 50),
    ],
)
def test_tables_equal_the_published_lab(lab, table, expected, key, rows):
    relation = duckdb.sql(f"select * from '{lab[1]}/{table}/*/*.parquet'")
    schema = json.loads((REAL_DATA / f"parity/{expected}.schema.json").read_text())
    found = [
        [name, DUCKDB_TYPES.get(str(kind))]
        for name, kind in zip(relation.columns, relation.types, strict=True)
    ]
    assert found[: len(schema)] == schema
    ours = {
        str(row[relation.columns.index(key)]): dict(zip(relation.columns, row, strict=True))
        for row in relation.fetchall()
    }
    with (REAL_DATA / f"parity/{expected}.csv").open() as file:
        theirs = {row[key]: row for row in csv.DictReader(file)}
    assert len(theirs) == rows
    assert ours.keys() == theirs.keys()
    for name, kind in schema:
        for entity, row in theirs.items():
            value = ours[entity][name]
            if kind == "double":
                assert math.isclose(value, float(row[name]), rel_tol=1e-9), (entity, name)
            else:
                assert str(value) == row[name], (entity, name)


def test_every_input_row_is_accounted_for(lab):
    def total(section, source, *items):
        return sum(
            row.value
            for row in lab[0].rows
            if (row.section, row.subject) == (section, source) and (not items or row.item in items)
        )

    for source, rows in (("customers", 4930), ("samples", 36904), ("call_statistics", 1136)):
        assert total("input", source, "rows in") == rows
        assert total("input", source, "rows clean") + total("rejected", source) == rows


def test_four_cells_are_reported_worst_first(lab):
    lines = plain_text(Outcome(lab[0], str(lab[1]))).splitlines()
    assert lines[0] == "4 of 23 cells need maintenance; worst first:"
    cells = [line.split()[1] for line in lines if re.match(" {3}[0-9]", line)]
    assert cells == ["6VLTE", "3BLTE", "1CLTE", "8ALTE"]
    assert Path(lines[-1].removeprefix("Tables: ")).is_dir()
