"""Fixtures of the tests that run DAG files in real Airflow, against services of this machine.

    AIRFLOW_VERSIONS="2.11 3.1" python -m pytest tests/airflow -m airflow

with the virtual environment of `tests/cloud/requirements.txt`. Each version of Airflow has one of
its own, `.venv-airflow-VERSION`, made of `requirements-VERSION.txt`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.deployed import Deployed
from tests.airflow.harness import Airflow, environment_of
from tests.doubles.connect_proxy import ConnectProxy
from tests.doubles.services import CloudServices

SERVICE_NAME = "europe-west1-dataproc.googleapis.com"


@pytest.fixture(scope="session", params=os.environ.get("AIRFLOW_VERSIONS", "2.11 3.1").split())
def version(request: pytest.FixtureRequest) -> str:
    """The version of Airflow; each test is run with each."""
    return str(request.param)


@pytest.fixture(scope="session")
def cloud() -> Iterator[CloudServices]:
    """Cloud Storage and BigQuery on this machine, for the whole run."""
    with CloudServices() as services:
        yield services


@pytest.fixture(scope="session")
def new_home(version: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of Airflow with a database in which nothing has run; to be copied."""
    home = tmp_path_factory.mktemp(f"airflow-{version}")
    Airflow(version, home).command("db", "migrate")
    return home


@pytest.fixture
def run_batch(cloud: CloudServices, tmp_path: Path) -> Any:
    """A `LocalSubmit` whose batches do nothing, at once; modules that need more override it."""
    from tests.doubles.dataproc_fake import LocalSubmit

    return LocalSubmit(["true"], cloud.storage_root, tmp_path / "batches")


@pytest.fixture
def dataproc(run_batch: Any, tmp_path: Path) -> Iterator[Any]:
    """A `DataprocFake` under the name of the service; its certificate is in `ca.pem`."""
    from tests.doubles.dataproc_fake import DataprocFake, make_tls

    with DataprocFake(run_batch, make_tls(tmp_path / "ca.pem", SERVICE_NAME)) as fake:
        yield fake


@pytest.fixture
def proxy(dataproc: Any) -> Iterator[ConnectProxy]:
    """What leads Google's clients to that service."""
    with ConnectProxy(int(dataproc.address.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.fixture
def airflow(
    version: str, new_home: Path, cloud: CloudServices, proxy: ConnectProxy, tmp_path: Path
) -> Airflow:
    """Airflow with an empty database, whose operators meet the services of this machine."""
    home = tmp_path / "airflow"
    home.mkdir()
    for name in ("airflow.cfg", "airflow.db"):
        shutil.copy(new_home / name, home)
    return Airflow(version, home, environment_of(cloud, proxy, tmp_path / "ca.pem"))


@pytest.fixture
def deployed(
    airflow: Airflow,
    dataproc: Any,
    cloud: CloudServices,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Deployed:
    """The product's DAG, to be deployed to a bucket of its own."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", cloud.gcs_url)
    return Deployed(airflow, dataproc, cloud, tmp_path)
