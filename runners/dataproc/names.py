"""Ids of batches: always legal, the same for the same run."""

import hashlib
import json
import re
import unicodedata
from datetime import date

# https://cloud.google.com/dataproc-serverless/docs/reference/rest/v1/projects.locations.batches
LONGEST = 63
HASH_LENGTH = 10


def batch_id(prefix: str, run_date: date, arguments: list[str], code: str, rerun: int) -> str:
    """PREFIX-YYYYMMDD-HASH: the same for the same arguments, code and number of the rerun.

    A submit that is repeated after a lost answer thus finds the batch that it started.
    """
    said = json.dumps([arguments, code, rerun, run_date.isoformat()])
    end = f"{run_date:%Y%m%d}-{hashlib.sha256(said.encode()).hexdigest()[:HASH_LENGTH]}"
    start = legal(prefix)[: LONGEST - len(end) - 1].rstrip("-")
    return f"{start}-{end}"


def legal(text: str) -> str:
    """Small letters, digits and single dashes; letters with marks lose them."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", plain.lower()).strip("-") or "run"
