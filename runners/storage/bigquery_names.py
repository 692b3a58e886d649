"""Names of BigQuery and Cloud Storage that come from a user, checked before they enter SQL."""

import re

# https://cloud.google.com/resource-manager/docs/creating-managing-projects (older projects have a
# domain before a colon), https://cloud.google.com/bigquery/docs/datasets#dataset-naming,
# https://cloud.google.com/storage/docs/buckets#naming
PROJECT = re.compile(r"(?:[a-z0-9][a-z0-9.-]*:)?[a-z][a-z0-9-]{0,28}[a-z0-9]")
DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
PREFIX = re.compile(r"[A-Za-z0-9_]{0,200}")
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
