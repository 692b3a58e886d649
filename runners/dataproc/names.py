"""Ids of batches: always valid, and the same for the same run."""

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

    A submit that is repeated after a lost response thus finds the batch that it started.
    """
    content = json.dumps([arguments, code, rerun, run_date.isoformat()])
    end = f"{run_date:%Y%m%d}-{hashlib.sha256(content.encode()).hexdigest()[:HASH_LENGTH]}"
    start = legal(prefix)[: LONGEST - len(end) - 1].rstrip("-")
    return f"{start}-{end}"


def legal(text: str) -> str:
    """The text with lower-case letters, digits and single dashes only, without accents."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", plain.lower()).strip("-") or "run"
