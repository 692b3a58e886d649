"""How the fake of Dataproc runs batches with a real spark-submit, against the services here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.cloud.conftest import use_java_of_wheel_if_needed
from tests.doubles.dataproc_fake import LocalSubmit
from tests.doubles.services import CloudServices

# Small data: the second compiler would cost more than it saves.
QUICK_JAVA = "spark.driver.defaultJavaOptions=-XX:TieredStopAtLevel=1"


def spark_submit(
    cloud: CloudServices, cloud_jars: list[Path], log_directory: Path, *before: str
) -> LocalSubmit:
    """A spark-submit that reaches gs:// and BigQuery; `before` is a program that starts it."""
    use_java_of_wheel_if_needed()
    programs = Path(sys.executable).parent
    known = {name: os.environ[name] for name in ("JAVA_HOME", "HOME") if name in os.environ}
    return LocalSubmit(
        [*before, str(programs / "spark-submit"), "--master", "local[2]", "--conf", QUICK_JAVA],
        cloud.storage_root,
        log_directory,
        known
        | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_CONF_DIR": str(cloud.write_spark_defaults(cloud_jars)),
            "BIGQUERY_EMULATOR_HOST": cloud.bigquery_url,
        },
    )
