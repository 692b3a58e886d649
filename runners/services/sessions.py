"""Sessions of commands: what their places mean for the engine."""

import argparse
from collections.abc import Iterable

from pyspark.sql import SparkSession

from runners.engines.choice import Work, open_session
from runners.storage.destination import Storage
from runners.storage.local_files import bytes_below
from runners.storage.places import on_this_machine


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
