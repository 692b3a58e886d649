"""Addresses of places, taken apart: SCHEME://HOST/NAME, or a path of this machine.

Needs the standard library alone, because `deploy-dag` uploads it beside the modules of the DAG.
"""

import re
from typing import NamedTuple

FILE, GCS, BIGQUERY = "file", "gs", "bq"
WRITTEN = re.compile(r"([a-z][a-z0-9+.-]*)://([^/]*)/?(.*)", re.DOTALL)


class Address(NamedTuple):
    """gs://BUCKET/NAME or bq://PROJECT.DATASET; a path of this machine is a name alone."""

    scheme: str
    host: str
    name: str


def address_of(text: str) -> Address:
    """The parts of an address."""
    found = WRITTEN.fullmatch(text)
    return Address(*found.groups()) if found else Address("", "", text)
