"""The schema of the settings of a run, written once: `deploy-dag` and the DAG go by it."""

import re

from runners.composer.run_settings import Setting
from runners.services.hash_key import SECRET
from runners.storage.bigquery_names import BUCKET, DATASET, PREFIX, PROJECT

ADDRESS = rf"gs://{BUCKET.pattern}(/[^{{}}*?\[\]\s]*)?"
DATED = rf"gs://{BUCKET.pattern}(/([^{{}}*?\[\]\s]|\{{run_date\}})*)?"
FUNCTION = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+"
# What Airflow takes.
CONNECTION = re.compile(r"[\w#!()\-.:/\\]{1,200}")

# The keys of [composer.run] in conf/dataproc.toml. What runs in Airflow's workers is not for
# everyone who may start a run; add_columns because Airflow 2 draws no switch to be left alone.
RUN_SETTINGS = {
    "customers": Setting("customers, a gs:// folder; {run_date} stands for the day", DATED),
    "samples": Setting("quarter-hour samples of the cells, likewise", DATED),
    "calls": Setting("call statistics of the customers, likewise", DATED),
    "history": Setting(
        "samples of earlier days, which the baselines of alarms rest on, likewise",
        f"({DATED})?",
        default="",
    ),
    "marker": Setting(
        "an object in the folder of an input, such as _SUCCESS", r"[^/{}\n]*", default=""
    ),
    "steps": Setting("takes the results of the steps, a gs:// folder", f"({ADDRESS})?", default=""),
    "out": Setting(
        "the tables: bq://PROJECT.DATASET or a gs:// folder",
        rf"bq://{PROJECT.pattern}\.{DATASET.pattern}|{ADDRESS}",
    ),
    "prefix": Setting("of BigQuery tables: PREFIX_NAME", PREFIX.pattern, default=""),
    "staging_bucket": Setting(
        "BigQuery tables are loaded from it", f"({BUCKET.pattern})?", default=""
    ),
    "add_columns": Setting(
        "add columns that an existing BigQuery table lacks",
        kind="boolean",
        default=False,
        set_in="variable",
    ),
    "hash_secret": Setting(
        "the secret with the key that customer numbers are hashed with",
        f"({SECRET.pattern})?",
        default="",
        set_in="variable",
    ),
    "smallest_required_share": Setting(
        "of the towers, Required; less is suspicious", kind="number", default=0.0
    ),
    "largest_required_share": Setting(
        "of the towers, Required; more is suspicious", kind="number", default=0.5
    ),
    "alert_callable": Setting(
        "PACKAGE.MODULE.FUNCTION that is called", f"({FUNCTION})?", default="", set_in="variable"
    ),
    "alert_connection": Setting(
        "HTTP connection that the result is posted to",
        f"({CONNECTION.pattern})?",
        default="",
        set_in="variable",
    ),
}
# And what the command sets itself. Code runs with the rights of the batches.
SCHEMA = RUN_SETTINGS | {
    "archive": Setting("the code, a zip", ADDRESS, set_in="deployment"),
    "main_file": Setting("what a batch starts", ADDRESS, set_in="deployment"),
    "profile": Setting("KPIs and rules, a TOML file", ADDRESS),
}
