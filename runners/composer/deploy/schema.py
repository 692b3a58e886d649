"""The schema of the settings of a run, for `deploy-dag` and for the DAG."""

import re

from runners.composer.run_settings import Setting
from runners.services.hash_key import SECRET
from runners.storage.bigquery_names import BUCKET, DATASET, PREFIX, PROJECT

ADDRESS = rf"gs://{BUCKET.pattern}(/[^{{}}*?\[\]\s]*)?"
DATED = rf"gs://{BUCKET.pattern}(/([^{{}}*?\[\]\s]|\{{run_date\}})*)?"
FUNCTION = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+"
# The ids that Airflow accepts.
CONNECTION = re.compile(r"[\w#!()\-.:/\\]{1,200}")

# The keys of [composer.run] in conf/dataproc.toml. The form has no alerts, because not everybody
# who may start a run may choose what runs in Airflow's workers; and no add_columns, because
# Airflow 2 cannot leave a switch unset.
RUN_SETTINGS = {
    "customers": Setting("customers: a gs:// folder; {run_date} stands for the day", DATED),
    "samples": Setting("samples of the cells, likewise", DATED),
    "calls": Setting("call statistics of the customers, likewise", DATED),
    "history": Setting(
        "baseline samples of alarms: those of earlier days, likewise",
        f"({DATED})?",
        default="",
    ),
    "marker": Setting(
        "name of an object in the folder of an input, such as _SUCCESS", r"[^/{}\n]*", default=""
    ),
    "steps": Setting("folder for the results of stages, on gs://", f"({ADDRESS})?", default=""),
    "out": Setting(
        "place of the tables: bq://PROJECT.DATASET or a gs:// folder",
        rf"bq://{PROJECT.pattern}\.{DATASET.pattern}|{ADDRESS}",
    ),
    "prefix": Setting("prefix of BigQuery tables: PREFIX_NAME", PREFIX.pattern, default=""),
    "staging_bucket": Setting(
        "bucket from which BigQuery tables are loaded", f"({BUCKET.pattern})?", default=""
    ),
    "add_columns": Setting(
        "add columns that an existing BigQuery table lacks",
        kind="boolean",
        default=False,
        set_in="variable",
    ),
    "hash_secret": Setting(
        "secret with the key for hashing customer numbers",
        f"({SECRET.pattern})?",
        default="",
        set_in="variable",
    ),
    "smallest_required_share": Setting(
        "share of Required cells; a smaller one is suspicious", kind="number", default=0.0
    ),
    "largest_required_share": Setting(
        "share of Required cells; a larger one is suspicious", kind="number", default=0.5
    ),
    "alert_callable": Setting(
        "PACKAGE.MODULE.FUNCTION to call with the result",
        f"({FUNCTION})?",
        default="",
        set_in="variable",
    ),
    "alert_connection": Setting(
        "HTTP connection to post the result to",
        f"({CONNECTION.pattern})?",
        default="",
        set_in="variable",
    ),
}
# The settings of the command itself. Code runs with the permissions of the batches.
SCHEMA = RUN_SETTINGS | {
    "archive": Setting("the code: a zip file", ADDRESS, set_in="deployment"),
    "main_file": Setting("the main file of a batch", ADDRESS, set_in="deployment"),
    "profile": Setting("the profile: a TOML file", ADDRESS),
}
