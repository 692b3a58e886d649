"""The notebooks as a user runs them: from the first cell to the last, in kernels of their own."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import nbformat
import pytest
from nbclient import NotebookClient

from runners.engines.spark.session import SETTINGS

pytestmark = pytest.mark.notebooks

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
QUARTER_HOURS = 96
SPARK4_PYTHON = os.environ.get("SPARK4_PYTHON")
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
ADDRESS = re.compile(r"Spark Connect server started at: .*:(\d+)")


def executed(name: str, folder: Path, kernel: str = "python3") -> dict[str, str]:
    """What each cell shows after it was executed in this folder, by the id of the cell.

    That is its HTML if there is any, else plain text, or what it prints.
    """
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name=kernel, resources=place).execute()
    return {cell.id: shown(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"}


def shown(outputs: list) -> str:
    results = [output.data for output in outputs if output.output_type == "execute_result"]
    if results:
        return results[0].get("text/html") or results[0]["text/plain"]
    return "".join(output.text for output in outputs if output.get("name") == "stdout")


def lines_of(table: str) -> list[list[str]]:
    """The lines of what Spark prints of a frame, without its header."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[text.strip() for text in line.strip("|").split("|")] for line in lines[1:]]


# --- explore_cells -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    return executed("explore_cells.ipynb", tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="module")
def faults(explored):
    """The cells that the sample data has made faulty, each with its fault."""
    return {cell: fault for cell, fault, _ in lines_of(explored["truth"])}


def test_the_faulty_cells_are_those_to_visit(explored, faults):
    assert len(faults) == 8
    assert "2026-11-02: 8 of 52 cells need maintenance" in explored["visit"]
    assert explored["visit"].count('scope="row"') == 8
    assert all(f"<bdi>{cell}</bdi>" in explored["visit"] for cell in faults)


def test_both_tables_are_shown_worst_first(explored, faults):
    assert faults[lines_of(explored["cells"])[0][0]] == "sleeping_cell"
    defects = [int(line[2]) for line in lines_of(explored["customers"])]
    assert defects == sorted(defects, reverse=True)


def test_each_kpi_of_the_cell_is_explained(explored):
    assert explored["explained"].count('scope="row"') == 35
    assert "<bdi>CRIT</bdi>" in explored["explained"]


def test_a_lower_threshold_makes_more_verdicts_required_some_of_them_wrongly(explored, faults):
    changed = {line[0]: line[1:] for line in lines_of(explored["changed"])}
    # A bound that is nearer makes more defects, never fewer.
    assert {change for change, _, _ in changed.values()} <= {
        "Not Required to Required",
        "Not judged to Required",
    }
    assert all(int(after) > int(before) for _, before, after in changed.values())
    assert changed
    assert not changed.keys() & faults.keys()
    assert explored["threshold"].count('scope="row"') == len(faults) + len(changed)


def test_the_plot_has_two_curves_over_the_day(explored):
    assert explored["plot"].count('"Time": ') == 2 * QUARTER_HOURS
    assert '"description": "Median of the uplink users' in explored["plot"]


# --- spark_connect ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a Spark Connect server that runs for as long as the tests here do."""
    settings = SETTINGS | {"spark.connect.grpc.binding.port": "0"}
    options = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    submit = Path(SPARK4_PYTHON).parent / "spark-submit"
    with subprocess.Popen(
        [submit, "--master", "local[2]", "--class", SERVER, *options],
        env={**os.environ, "PYSPARK_PYTHON": SPARK4_PYTHON},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        started = next(filter(None, map(ADDRESS.search, process.stderr)))
        # What nobody reads would halt the server when its pipe is full.
        Thread(target=process.stderr.read, daemon=True).start()
        yield f"sc://localhost:{started[1]}"
        process.terminate()


@pytest.fixture
def kernel_of_spark4(tmp_path, monkeypatch) -> str:
    """The name of a kernel that has Spark 4."""
    name = "spark4"
    specification = tmp_path / "jupyter" / "kernels" / name / "kernel.json"
    specification.parent.mkdir(parents=True)
    start = [SPARK4_PYTHON, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    specification.write_text(
        json.dumps({"argv": start, "display_name": name, "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return name


@pytest.mark.connect_server
def test_a_server_finds_the_same_cell(server, kernel_of_spark4, tmp_path, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", server)
    seen = executed("spark_connect.ipynb", tmp_path, kernel_of_spark4)
    assert seen["session"] == "pyspark.sql.connect.session.SparkSession"
    assert "2026-11-02: 8 of 52 cells need maintenance" in seen["visit"]
    assert "<bdi>4CLTE</bdi>" in seen["visit"]
    assert seen["explained"].count('scope="row"') == 35


# --- as they are committed ----------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_committed_without_results(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs"), cell.id
        assert not cell.get("execution_count"), cell.id
