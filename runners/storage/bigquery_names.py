"""Names of BigQuery and Cloud Storage that come from a user, checked before they enter SQL."""

import re
from dataclasses import dataclass

from anomaly.errors import ConfigurationError

SCHEME = "bq://"
# https://cloud.google.com/resource-manager/docs/creating-managing-projects (older projects have a
# domain before a colon), https://cloud.google.com/bigquery/docs/datasets#dataset-naming,
# https://cloud.google.com/storage/docs/buckets#naming
PROJECT = re.compile(r"(?:[a-z0-9][a-z0-9.-]*:)?[a-z][a-z0-9-]{0,28}[a-z0-9]")
DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
TABLE = re.compile(rf"{SCHEME}({PROJECT.pattern}\.{DATASET.pattern}\.{DATASET.pattern})")
PREFIX = re.compile(r"[A-Za-z0-9_]{0,200}")
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


@dataclass(frozen=True)
class BigQueryPlace:
    """A dataset of BigQuery, and the prefix that the names of all tables have there."""

    project: str
    dataset: str
    prefix: str = ""

    def table(self, name: str) -> str:
        """The full name of a table: PROJECT.DATASET.PREFIX_NAME."""
        prefixed = f"{self.prefix}_{name}" if self.prefix else name
        return f"{self.project}.{self.dataset}.{prefixed}"

    def __str__(self) -> str:
        return f"{SCHEME}{self.project}.{self.dataset}"


def bigquery_table(place: str, name: str, prefix: str = "") -> str:
    """The full name of a table: that of bq://PROJECT.DATASET.TABLE, or `name` in a dataset.

    Raises ConfigurationError with every name that Google would refuse.
    """
    if is_table := TABLE.fullmatch(place):
        return is_table.group(1)
    return bigquery_place(place, prefix).table(name)


def bigquery_place(out: str, prefix: str = "", bucket: str | None = None) -> BigQueryPlace:
    """The place that bq://PROJECT.DATASET and a prefix name.

    Raises ConfigurationError with every name that Google would refuse, `bucket` among them.
    """
    # A project with a domain, example.com:project, has a dot of its own.
    project, _, dataset = out.removeprefix(SCHEME).rpartition(".")
    faults = []
    if not PROJECT.fullmatch(project) or not DATASET.fullmatch(dataset):
        faults.append(f"--out {out!r} is not bq://PROJECT.DATASET")
    if not PREFIX.fullmatch(prefix):
        faults.append(f"--prefix {prefix!r} has more than letters, digits and underscores")
    if bucket is not None and not BUCKET.fullmatch(bucket):
        faults.append(f"--staging-bucket {bucket!r} is no name of a bucket; leave gs:// out")
    if faults:
        raise ConfigurationError("BigQuery", faults)
    return BigQueryPlace(project, dataset, prefix)
