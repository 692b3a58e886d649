"""Sessions of commands: their arguments, and what their places mean for the engine."""

import argparse
from collections.abc import Iterable

from pyspark.sql import SparkSession

from runners.engines.choice import AUTO, ENGINES, VARIABLE, Work, open_session
from runners.storage.destination import Storage
from runners.storage.local_files import bytes_below
from runners.storage.places import on_this_machine


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what executes a command."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        help=f"what executes it (default: {VARIABLE}, or else {AUTO}: Sail if it is installed, "
        "all places are on this machine and the inputs fit in memory; else Spark)",
    )
    parser.add_argument("--master", help="Spark master (default: local[*], every core)")


def work_at(*places: Storage, reads: Iterable[Storage] = ()) -> Work:
    """What a command has to do: it reads or writes tables at `places`, and reads inputs."""
    read = [*reads]
    size = bytes_below(str(place) for place in read if on_this_machine(place))
    is_local = not any(place.needs_spark for place in (*read, *places))
    return Work(is_local, size)


def session_at(options: argparse.Namespace, *places: Storage) -> SparkSession:
    """The session of a command whose tables are at `places`.

    Raises ConfigurationError if the wanted engine does not suit, or does not start.
    """
    return open_session(work_at(*places), options.master, options.engine)
