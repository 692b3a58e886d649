"""The same rows on Spark 3.5 and 4.x, classic and through Spark Connect, and on Sail and Spark.

This session's engine is the one side. The other is the Spark of the Python that OTHER_PYTHON names;
of Sail and Spark it is the one that this session is not, of that Python or, without it, of our own.
"""

import math
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from anomaly import load_profile
from anomaly.schema.inputs import HISTORY
from anomaly.schema.tables import (
    ALARMS_TABLE,
    ANOMALIES_TABLE,
    CELL_TABLE,
    CUSTOMER_TABLE,
    REJECTED_TABLE,
)
from runners.engines.choice import SAIL, SPARK, VARIABLE
from runners.engines.engine import SETTING
from runners.local import run_locally
from runners.sample.writing import write_sample
from runners.storage.places import destination_of
from tests.builders.real_inputs import INPUTS
from tests.builders.small_inputs import SmallInputs, families_text

ROOT = Path(__file__).parents[2]
RUN_DATE = date(2026, 11, 1)
# The days of dated samples: a week of baselines, and the Monday after it.
FIRST_DAY, MONDAY = date(2026, 1, 5), date(2026, 1, 12)
# Engines differ in the last bits of logarithms, powers and smoothed means. Relative, or absolute
# where that is more: a deviation is what is left of two numbers of about one.
TOLERANCE = 1e-12


def other_python(*arguments: object, engine: str = SPARK) -> str:
    """What the other Python prints; it is told nothing of this process's session."""
    told = {name: value for name, value in os.environ.items() if "SPARK" not in name}
    told[VARIABLE] = engine
    command = [os.environ.get("OTHER_PYTHON", sys.executable), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def outputs(spark, tmp_path_factory):
    """The folders of two runs of one profile on the same inputs: this Spark's and the other's."""
    folder = tmp_path_factory.mktemp("versions")
    inputs = SmallInputs().write(folder / "in", files=2)
    profile = folder / "small.toml"
    profile.write_text(families_text())
    run_locally(load_profile(str(profile)), inputs, destination_of(str(folder / "this")), RUN_DATE)
    other_python(
        *("-m", "runners.cli.main", "run", "--master", "local[2]"),
        *("--profile", profile, "--customers", inputs["customers"]),
        *("--samples", inputs["samples"], "--calls", inputs["call_statistics"]),
        *("--run-date", RUN_DATE, "--out", folder / "other"),
    )
    return folder / "this", folder / "other"


def published(out, table):
    """Column names and types of a table, and its rows as sorted texts: every bit of a number."""
    rows = duckdb.sql(f"select * exclude (run_id) from '{out}/{table}/*/*.parquet'")
    return rows.columns, rows.types, sorted(map(repr, rows.fetchall()))


@pytest.mark.other_python
def test_the_other_spark_is_of_another_version(spark):
    other = other_python("-c", "import pyspark; print(pyspark.__version__)").strip()
    assert other.split(".")[0] != spark.version.split(".")[0]


@pytest.mark.other_python
@pytest.mark.parametrize(
    ("table", "least_rows"),
    [
        ("customer_service_metrics_data", 41),
        ("cell_tower_performance_data", 12),
        ("rejected_rows", 10),
    ],
)
def test_rows_are_the_same_to_the_last_bit(outputs, table, least_rows):
    ours, others = (published(out, table) for out in outputs)
    assert len(ours[2]) >= least_rows
    assert ours == others


# --- Sail and Spark -----------------------------------------------------------------------------


def dated_samples(folder: Path) -> dict[str, str]:
    """The real inputs, whose samples of one time are given days in turn; two cells fall ill."""
    samples = INPUTS["samples"]
    duckdb.sql(
        f"""
        create or replace temp table dated as
        select *, row_number() over (partition by CellName, Time order by line) - 1 as day
        from (select *, row_number() over () as line
              from read_csv('{samples}', header = true, all_varchar = true))
        """
    )
    places = {}
    for source, chosen in (("samples", "day = 7"), (HISTORY, "day < 7")):
        places[source] = str(folder / f"{source}.csv")
        duckdb.sql(
            f"""
            copy (
              select strftime(date '{FIRST_DAY}' + day::integer, '%Y-%m-%d') || ' ' || Time as Time,
                * exclude (Time, day, line) replace (
                  case when day = 7 and CellName in ('3BLTE', '1CLTE') and Time > '12:00'
                  then '95' else PRBUsageDL end as PRBUsageDL)
              from dated where {chosen} order by line
            ) to '{places[source]}' (header true)
            """
        )
    return {**INPUTS, **places}


def made_up(spark, folder: Path) -> dict[str, str]:
    write_sample(spark, 1, 1, str(folder))
    return {source: str(folder / source) for source in INPUTS}


def rows_of(out: Path, table: str) -> list[dict[str, object]]:
    """The rows of a table, in the order of all but their fractions."""
    found = duckdb.sql(f"select * exclude (run_id) from '{out}/{table}/*/*.parquet'")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    return sorted(rows, key=lambda row: repr(without_fractions(row)))


def without_fractions(value: object) -> object:
    if isinstance(value, dict):
        return {name: without_fractions(field) for name, field in value.items()}
    if isinstance(value, list):
        return [*map(without_fractions, value)]
    return None if isinstance(value, float) else value


def is_alike(one: object, other: object) -> bool:
    """Whether two values are equal, fractions within TOLERANCE."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return [*one] == [*other] and all(is_alike(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_alike, one, other))
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return one == other


LEAST_ROWS = {CUSTOMER_TABLE: 700, CELL_TABLE: 50, REJECTED_TABLE: 0}
OF_LAB = {CUSTOMER_TABLE: 50, CELL_TABLE: 23, REJECTED_TABLE: 30_000}
OF_DATED = LEAST_ROWS | {ALARMS_TABLE: 2, ANOMALIES_TABLE: 100}


@pytest.mark.slow
@pytest.mark.on_each_spark
@pytest.mark.parametrize(
    ("inputs", "profile", "least_rows"),
    [
        pytest.param("real", "default", LEAST_ROWS, marks=pytest.mark.real_data),
        pytest.param("real", "lab", OF_LAB, marks=pytest.mark.real_data),
        pytest.param("dated", "default", OF_DATED, marks=pytest.mark.real_data),
        ("made up", "default", LEAST_ROWS),
    ],
)
def test_sail_and_spark_publish_the_same(spark, tmp_path, inputs, profile, least_rows):
    """Every text, flag and count, and numbers as near as engines compute them."""
    places = {
        "real": lambda: INPUTS,
        "dated": lambda: dated_samples(tmp_path),
        "made up": lambda: made_up(spark, tmp_path / "in"),
    }[inputs]()
    day = MONDAY if inputs == "dated" else RUN_DATE
    run_locally(load_profile(profile), places, destination_of(str(tmp_path / "this")), day)
    history = ["--history", places[HISTORY]] if HISTORY in places else []
    other_python(
        *("-m", "runners.cli.main", "run", "--profile", profile, "--run-date", day),
        *("--customers", places["customers"], "--samples", places["samples"]),
        *("--calls", places["call_statistics"], *history, "--out", tmp_path / "other"),
        engine=SPARK if spark.conf.get(SETTING, SPARK) == SAIL else SAIL,
    )
    for table, least in least_rows.items():
        ours, others = (rows_of(tmp_path / side, table) for side in ("this", "other"))
        assert len(ours) == len(others) >= least, table
        unlike = [pair for pair in zip(ours, others, strict=True) if not is_alike(*pair)]
        assert not unlike, table
