"""The parts of an address: SCHEME://HOST/NAME, or a path on this machine.

Needs only the standard library, because `deploy-dag` uploads it beside the modules of the DAG.
"""

import re
from typing import NamedTuple

FILE, GCS, BIGQUERY = "file", "gs", "bq"
WRITTEN = re.compile(r"([a-z][a-z0-9+.-]*)://([^/]*)/?(.*)", re.DOTALL)


class Address(NamedTuple):
    """gs://BUCKET/NAME or bq://PROJECT.DATASET; a path on this machine has only a name."""

    scheme: str
    host: str
    name: str


def address_of(text: str) -> Address:
    """The parts of an address."""
    found = WRITTEN.fullmatch(text)
    return Address(*found.groups()) if found else Address("", "", text)
