"""Drafts a profile from files that nobody described: the command `inspect`."""

import argparse

from anomaly import load_profile
from anomaly.errors import ConfigurationError, InputError
from runners.inspection.draft import draft
from runners.inspection.inputs import inputs_of
from runners.inspection.tables import tables_of
from runners.services.arguments import INPUT_OPTIONS
from runners.services.arguments import inputs_of as inputs_given
from runners.storage.files import File
from runners.storage.local_files import LocalFiles
from runners.storage.places import on_this_machine, storage_of


def run(options: argparse.Namespace) -> None:
    """Print the draft. Raises InputError if there is nothing to look at."""
    profile = load_profile(options.profile)
    places: list[tuple[str, str | None]] = [
        (place, source) for source, place in inputs_given(options).items() if place
    ]
    # Last: a file of the folder that is also given by itself is what it is given as.
    places += [(options.place, options.source)] if options.place else []
    if not places:
        options_of_inputs = ", ".join(INPUT_OPTIONS.values())
        problem = f"give a folder or file, or any of {options_of_inputs}"
        raise ConfigurationError("inspect", [problem])
    files: dict[str, tuple[File, str | None]] = {}
    for place, source in places:
        for file in _files(place):
            files.setdefault(file.address, (file, source))
    tables = []
    for source in dict.fromkeys(source for _, source in files.values()):
        readable = [file for file, given in files.values() if given == source and _is_table(file)]
        found = tables_of(readable, profile.inputs.values())
        tables += [(table, source) for table in found]
    others = [file for file, _ in files.values() if not _is_table(file)]
    names = ", ".join(place for place, _ in places)
    print(draft(inputs_of(tables, profile), others, profile, options.profile, names), end="")


def _files(given: str) -> list[File]:
    """The files at a place. Raises InputError if none of them is CSV or Parquet."""
    place = storage_of(given)
    if not on_this_machine(place):
        raise ConfigurationError("inspect", [f"{place}: give a folder or file on this machine"])
    found = LocalFiles().files(given)
    if found is None:
        raise InputError(f"{place}: does not exist")
    seen = sorted((file for file in found if not file.name.startswith(".")), key=str)
    if not any(map(_is_table, seen)):
        raise InputError(f"{place}: no .csv or .parquet file there")
    return seen


def _is_table(file: File) -> bool:
    return bool(file.kind and not file.fault)
