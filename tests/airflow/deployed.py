"""The product's DAG, deployed by its own command and run in Airflow."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runners.cli.main import main
from tests.airflow.harness import Airflow, Run
from tests.doubles.services import CloudServices

if TYPE_CHECKING:
    from tests.doubles.dataproc_fake import DataprocFake

ROOT = Path(__file__).parents[2]
DAG_ID = "cell-tower-anomaly"
TIMEOUT_SECONDS = 60.0
# What the interval of the run at this time begins with.
LOGICAL_DATE, DAY = "2026-11-02T03:00:00+00:00", "2026-11-01"


class Deployed:
    """The DAG in a bucket and in Airflow; `name` is that of the bucket and of the dataset."""

    def __init__(
        self, airflow: Airflow, dataproc: DataprocFake, cloud: CloudServices, folder: Path
    ) -> None:
        self.airflow, self.dataproc, self.cloud = airflow, dataproc, cloud
        self.dag_id = DAG_ID
        self.name = f"b{uuid.uuid4().hex[:10]}"
        self.settings = folder / "dataproc.toml"
        shutil.copy(ROOT / "conf" / "dataproc.toml", self.settings)
        self.change('"my-project"', f'"{cloud.project}"')
        self.change("bq://my-project.cell_towers", f"bq://{cloud.project}.{self.name}")
        self.settings.write_text(self.settings.read_text().replace("my-data-bucket", self.name))
        cloud.create_bucket(self.name)
        cloud.bigquery_client().create_dataset(self.name, timeout=TIMEOUT_SECONDS)

    @property
    def package(self) -> str:
        """The folder of the DAG."""
        return f"dag_{self.dag_id.replace('-', '_')}"

    def change(self, old: str, new: str) -> None:
        """Other settings from here on."""
        text = self.settings.read_text()
        assert old in text, old
        self.settings.write_text(text.replace(old, new, 1))

    def rename(self, dag_id: str) -> None:
        """Another DAG from here on, beside the one before."""
        self.change(f'dag_id = "{self.dag_id}"', f'dag_id = "{dag_id}"')
        self.dag_id = dag_id

    def put(self, name: str, content: bytes = b"a") -> None:
        """An object in the bucket."""
        bucket = self.cloud.storage_client().bucket(self.name)
        bucket.blob(name).upload_from_string(content, timeout=TIMEOUT_SECONDS)

    def upload(self, *options: str) -> None:
        """What `deploy-dag` does."""
        named = ["--settings", str(self.settings), "--bucket", self.name]
        assert main(["deploy-dag", *named, *options]) == 0

    def deploy(self, **changes: Any) -> Path:
        """Upload, and give Airflow what is then in the bucket, with changes; gives the DAG file."""
        self.upload()
        folder = self.cloud.storage_root / self.name / "dags" / self.package
        here = shutil.copytree(folder, self.airflow.dags / self.package, dirs_exist_ok=True)
        description = json.loads((here / "deployment.json").read_text()) | changes
        (here / "deployment.json").write_text(json.dumps(description))
        return here / "dag.py"

    def run(self, dag_file: Path, **options: Any) -> Run:
        """One run of the day, or the last of several."""
        return self.airflow.test(
            dag_file, self.dag_id, **{"logical_date": LOGICAL_DATE, **options}
        )[-1]

    def arguments(self) -> dict[str, list[str]]:
        """Those of each batch that was asked for, by its id."""
        return {
            call.request.batch_id: list(call.request.batch.pyspark_batch.args)
            for call in self.dataproc.requests
            if call.method == "CreateBatch"
        }

    def rows(self, table: str) -> list[Any]:
        """The rows that are in BigQuery."""
        query = f"SELECT run_id, run_date FROM `{self.cloud.project}.{self.name}.{table}`"
        return [*self.cloud.bigquery_client().query(query).result(timeout=TIMEOUT_SECONDS)]
