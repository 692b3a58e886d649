"""What holds of every run, whatever the tables and their faults: properties of random inputs."""

import math
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import Row

from anomaly import Run, detect, parse_profile
from anomaly.pipeline.detection import Results
from anomaly.profile.methods import Direction
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, SAMPLES
from runners.storage.inputs import read_input
from tests.builders.kept import kept
from tests.builders.small_inputs import kpi_names, profile_text, write_csv

pytestmark = pytest.mark.slow

PROFILE = parse_profile(profile_text())
SAMPLE_KPIS, CALL_KPIS = kpi_names(6)
HEADERS = {
    CUSTOMERS: ["Index", "tenure", "PhoneService", "MultipleLines", "InternetService", "CellTower"],
    SAMPLES: ["CellName", *SAMPLE_KPIS],
    CALL_STATISTICS: ["Customer_ID", *CALL_KPIS],
}
# An example runs Spark several times; shrinking would run it hundreds of times.
few_examples = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


# --- inputs -------------------------------------------------------------------------------------

Rows = list[list[str]]


@dataclass(frozen=True)
class Inputs:
    """The rows of the three inputs by their names, without headers."""

    rows: dict[str, Rows]

    def write(self, folder: Path, files: int) -> dict[str, str]:
        """CSV files below a folder; returns the places of the inputs."""
        for source, rows in self.rows.items():
            for file in range(files):
                # Of another header each, because copies of a file are refused.
                header = [*HEADERS[source], f"part {file}"]
                part = ([*row, ""] for row in rows[file::files])
                write_csv(folder / source / f"{file}.csv", header, part)
        return {source: str(folder / source) for source in self.rows}

    def shuffled(self, order: random.Random) -> "Inputs":
        return replace(
            self, rows={name: order.sample(rows, len(rows)) for name, rows in self.rows.items()}
        )

    def with_rows(self, more: dict[str, list[str]], order: random.Random) -> "Inputs":
        """With one row more in each input, anywhere."""
        rows = {name: [*rows] for name, rows in self.rows.items()}
        for name, row in more.items():
            rows[name].insert(order.randint(0, len(rows[name])), row)
        return replace(self, rows=rows)


cells = st.sampled_from([f"{number}ALTE" for number in range(1, 8)])
bad_cells = st.sampled_from(["", " ", "N/A", "-", "null"])
numbers = st.one_of(
    st.integers(0, 40).map(str),
    st.floats(0, 1000).map(repr),
    st.floats(0, 1e12).map(repr),
    st.sampled_from(["0", "-0.0", "1e12", "5e-324", " 7 ", "+3", "1e-9"]),
)
bad_values = st.sampled_from(["", "N/A", "#VALUE!", "abc", "NaN", "-inf", "1e400", "1.1e12", "12d"])
# Four values in five are numbers.
values = st.one_of(numbers, numbers, numbers, numbers, bad_values)
customer_numbers = st.integers(1, 25).map(str)
bad_customer_numbers = st.sampled_from(["", "x", "1.5", "-", "NaN"])
texts = st.sampled_from(["Yes", "No", "", 'a "quoted" text, and more', "N/A"])
tenures = st.one_of(st.integers(0, 80).map(str), st.sampled_from(["", "long", "3.0"]))


def customer_rows(number, cell):
    return st.tuples(number, tenures, texts, texts, texts, cell).map(list)


def kpi_rows(key):
    return st.tuples(key, values, values, values).map(list)


caller = st.one_of(customer_numbers, customer_numbers, st.just("90")).map("100{:0>4}".format)
bad_caller = st.sampled_from(["", "100", "100x7", "N/A"])
any_cell = st.one_of(cells, cells, cells, bad_cells)
any_number = st.one_of(customer_numbers, customer_numbers, bad_customer_numbers)
any_caller = st.one_of(caller, caller, caller, bad_caller)
too_short = kpi_rows(cells).map(lambda row: row[:-1])

inputs_of_rows = st.builds(
    lambda customers, samples, calls: Inputs(
        {CUSTOMERS: customers, SAMPLES: samples, CALL_STATISTICS: calls}
    ),
    st.lists(customer_rows(any_number, any_cell), min_size=8, max_size=40),
    st.lists(st.one_of(kpi_rows(any_cell), kpi_rows(cells), too_short), min_size=8, max_size=40),
    st.lists(kpi_rows(any_caller), min_size=8, max_size=40),
)
# A row for each input that is rejected as a whole, although its values are extreme.
faulty_rows = st.fixed_dictionaries(
    {
        CUSTOMERS: customer_rows(bad_customer_numbers, cells),
        SAMPLES: st.one_of(
            bad_cells.map(lambda cell: [cell, "1e11", "1e11", "1e11"]),
            cells.map(lambda cell: [cell, "1e11", "1e11"]),
        ),
        CALL_STATISTICS: bad_caller.map(lambda number: [number, "1e11", "1e11", "1e11"]),
    }
)


# --- runs ---------------------------------------------------------------------------------------


class Found:
    """The tables of a run, each collected when it is first asked for."""

    def __init__(self, results: Results) -> None:
        self.results = results

    @cached_property
    def customers(self) -> list[Row]:
        return self.results.customers.collect()

    @cached_property
    def cells(self) -> list[Row]:
        return self.results.cells.collect()

    @cached_property
    def rejected_rows(self) -> Counter[str]:
        """The rows of each input that were rejected as a whole."""
        rejected = self.results.rejected.where("scope = 'row'").collect()
        return Counter(row.source for row in rejected)

    @cached_property
    def account(self) -> dict[str, Counter[str]]:
        """The figures of the summary on input files, added up: rows by item and input."""
        totals: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self.results.summary.where("section = 'input'").collect():
            totals[row["item"]][row.subject] += int(row.value)
        return totals

    def tables(self) -> list[list[str]]:
        """Both tables as sorted texts of rows: every column, to the last bit."""
        return [sorted(map(repr, table)) for table in (self.customers, self.cells)]


def found_in(spark, folder: Path, inputs: Inputs, files: int) -> Found:
    places = inputs.write(folder, files)
    raw = {source: read_input(spark, source, places[source], PROFILE) for source in HEADERS}
    run = Run(date(2026, 11, 1), "properties")
    return Found(
        detect(
            raw["samples"],
            customers=raw["customers"],
            calls=raw["call_statistics"],
            profile=PROFILE,
            run=run,
            keep=kept,
        )
    )


@pytest.fixture(scope="module")
def new_folder(tmp_path_factory):
    """Makes a folder for each run: hypothesis runs many in one test."""
    return lambda: tmp_path_factory.mktemp("run")


# --- properties ---------------------------------------------------------------------------------


def assert_all_rows_are_accounted_for(inputs: Inputs, found: Found) -> None:
    rows_in = Counter({source: len(rows) for source, rows in inputs.rows.items()})
    assert found.account["rows in"] == rows_in
    assert found.account["rows rejected"] == found.rejected_rows
    assert found.account["rows clean"] + found.rejected_rows == rows_in


def assert_each_row_is_of_the_inputs(inputs: Inputs, found: Found) -> None:
    known = {(row[0], row[5]) for row in inputs.rows[CUSTOMERS]}
    sampled = {row[0] for row in inputs.rows[SAMPLES]}
    callers = {str(int(row[0][3:])) for row in inputs.rows[CALL_STATISTICS] if row[0][3:].isdigit()}
    assert {(str(row.customerID), row.CellName) for row in found.customers} <= known
    assert {str(row.customerID) for row in found.customers} <= callers
    assert {row.CellName for row in found.cells} <= sampled | {cell for _, cell in known}
    assert len({row.CellName for row in found.cells}) == len(found.cells)


def assert_each_flag_follows_from_its_bound(found: Found) -> None:
    for row in (*found.customers, *found.cells):
        for rule, kpi in zip(PROFILE.rules, row.evidence, strict=True):
            assert kpi.flag == row[rule.flag]
            assert kpi.value == row[PROFILE.column_of(rule.kpi)]
            assert kpi.direction == rule.bad_when.value
            if kpi.flag is not None:
                assert kpi.flag == is_beyond(kpi), kpi
        assert row.defected_count == sum(kpi.flag or 0 for kpi in row.evidence)
        assert row.evaluated_kpis == sum(kpi.flag is not None for kpi in row.evidence)


def is_beyond(kpi: Row) -> bool:
    """Whether a value is on the bad side of its bound; the two are no tie within 1e-9."""
    is_above = kpi.direction == Direction.ABOVE.value
    is_bad = kpi.value > kpi.bound if is_above else kpi.value < kpi.bound
    return is_bad and not math.isclose(kpi.value, kpi.bound, rel_tol=1e-9)


@few_examples
@given(inputs=inputs_of_rows, faulty=faulty_rows, order=st.randoms(use_true_random=False))
def test_what_holds_of_every_run(spark, new_folder, inputs, faulty, order):
    found = found_in(spark, new_folder(), inputs, files=1)
    assert_all_rows_are_accounted_for(inputs, found)
    assert_each_row_is_of_the_inputs(inputs, found)
    assert_each_flag_follows_from_its_bound(found)

    # Other order, more files and a rejected row more, in one run: none of them changes a table.
    changed = found_in(spark, new_folder(), inputs.shuffled(order).with_rows(faulty, order), 3)
    assert changed.tables() == found.tables()
    assert changed.rejected_rows == found.rejected_rows + Counter([*faulty])
