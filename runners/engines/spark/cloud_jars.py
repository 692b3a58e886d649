"""The jars that let Spark on this machine reach Cloud Storage and BigQuery."""

import os
from pathlib import Path

FOLDER = ".jars"
GCS = "com.google.cloud.hadoop.fs.gcs"


def cloud_settings() -> dict[str, str]:
    """Spark settings for the jars in CELL_TOWER_JARS or .jars (`make jars`); empty without jars.

    A Spark that already has the connectors, such as Dataproc's, needs none.
    """
    folder = Path(os.environ.get("CELL_TOWER_JARS", FOLDER)).resolve()
    jars = sorted(str(jar) for jar in folder.glob("*.jar"))
    if not jars:
        return {}
    return {
        "spark.jars": ",".join(jars),
        "spark.hadoop.fs.gs.impl": f"{GCS}.GoogleHadoopFileSystem",
        "spark.hadoop.fs.AbstractFileSystem.gs.impl": f"{GCS}.GoogleHadoopFS",
    }
