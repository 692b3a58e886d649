"""What a run was made from: its summary tells it, and so whether it is still the same."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import SparkSession

from anomaly.profile.model import Profile
from anomaly.schema.inputs import HISTORY, SAMPLES
from runners.storage.files import Place, listed_files
from runners.storage.places import file_system

# The section of the summary.
ORIGIN = "origin"


@dataclass(frozen=True)
class Origin:
    """The files of an input: how many, and a text that is another one when any of them changes.

    It changes with name, size and time of change; what is in the files is not read.
    """

    source: str
    files: float
    digest: str


def origins(spark: SparkSession, inputs: Mapping[str, Place], profile: Profile) -> list[Origin]:
    """The files of each input as they are now. Raises InputError where they cannot be listed."""
    found = []
    for source, place in inputs.items():
        # Older samples are read as samples are.
        rules = profile.inputs[SAMPLES if source == HISTORY else source]
        files = listed_files(file_system(spark, place), place, source, rules.ignore)
        told = [(file.folders, file.name, file.size, file.modified) for file in files]
        digest = hashlib.sha256(repr(sorted(told)).encode()).hexdigest()
        found.append(Origin(source, float(len(files)), digest))
    return found
