"""Drafts a profile from files that nobody described: the command `inspect`."""

import argparse
from pathlib import Path

from anomaly import load_profile
from anomaly.errors import ConfigurationError, InputError
from anomaly.profile.files import SHIPPED
from runners.inspection.draft import draft
from runners.inspection.inputs import inputs_of
from runners.inspection.tables import tables_of
from runners.storage.local_files import LocalFiles
from runners.storage.places import on_this_machine, storage_of


def run(options: argparse.Namespace) -> None:
    """Print the draft. Raises InputError if there is nothing to look at."""
    profile = load_profile(options.profile)
    place = storage_of(options.place)
    if not on_this_machine(place):
        raise ConfigurationError("inspect", [f"{place}: give a folder or file on this machine"])
    found = LocalFiles().files(options.place)
    if found is None:
        raise InputError(f"{place}: does not exist")
    seen = sorted((file for file in found if not file.name.startswith(".")), key=str)
    files = [file for file in seen if file.kind and not file.fault]
    if not files:
        raise InputError(f"{place}: no .csv or .parquet file there")
    others = [file for file in seen if file not in files]
    inputs = inputs_of(tables_of(files, profile.inputs.values()), profile, options.source)
    # The draft may be saved in another folder than the profile.
    is_shipped = options.profile in SHIPPED
    base = options.profile if is_shipped else str(Path(options.profile).resolve())
    print(draft(inputs, others, profile, base, options.place), end="")
