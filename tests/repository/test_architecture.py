"""The library stays lazy and runs on Spark Connect; `make lint` checks what imports what."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = r"sparkContext|_jvm|_jdf|\.rdd\b|\.collect\(|\.toPandas\(|\.cache\(|\.persist\(|\budf\b"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "anomaly").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_transforms_hold_no_action_and_import_no_runner(path):
    text = path.read_text()
    assert not re.findall(FORBIDDEN, text)
    assert not re.findall(r"^\s*(?:from|import) (?:runners|google|airflow)", text, re.MULTILINE)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "anomaly").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_transforms_take_the_size_of_an_array_by_array_size(path):
    """F.size of NULL is -1 or NULL by a setting, too."""
    assert "F.size(" not in path.read_text(), "use F.array_size"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "runners").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_runners_run_on_spark_connect(path):
    assert not re.findall(r"sparkContext|_jvm|_jdf|\.rdd\b", path.read_text())


@pytest.mark.parametrize(
    "path", sorted((ROOT / "runners").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_what_kind_of_place_an_address_names_is_decided_once(path):
    """storage.addresses takes addresses apart, and storage.places knows the kinds."""
    asked = r"has_scheme|(?:startswith|removeprefix|match|search)\(\(?[frb]*[\"'](?:gs|bq|file):"
    asked += r"|(?:startswith|removeprefix)\((?:BIGQUERY|GCS|FILE|SCHEME)\b"
    assert not re.findall(asked, path.read_text())


def test_the_module_of_addresses_imports_the_standard_library_alone():
    """It is uploaded beside the modules of the DAG."""
    text = (ROOT / "runners" / "storage" / "addresses.py").read_text()
    imported = re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE)
    assert imported
    assert set(imported) <= sys.stdlib_module_names


@pytest.mark.parametrize(
    "path", sorted((ROOT / "runners" / "composer").glob("*.py")), ids=lambda p: p.name
)
def test_modules_of_the_dag_import_each_other_alone(path):
    """They are uploaded to where there is nothing else of the library, and no Spark."""
    ours = r"^\s*(?:from|import) ((?:anomaly|pyspark|runners)\b[\w.]*)"
    beside = re.compile(r"runners\.composer\.(?!deploy\b)\w+|runners\.storage\.addresses")
    found = re.findall(ours, path.read_text(), re.MULTILINE)
    assert all(beside.fullmatch(module) for module in found), found
