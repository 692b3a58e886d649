"""The command `report`: writes a published day as an HTML file, and its plots as PNG."""

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from anomaly.errors import ConfigurationError, InputError, OutputError
from anomaly.schema.tables import CELL_TABLE
from runners.engines.errors import failing_as
from runners.report.library import bundling
from runners.services.extras import missing
from runners.services.sessions import session_at
from runners.storage.destination import Storage
from runners.storage.places import on_this_machine, storage_of
from runners.storage.published import published_day

# What the extra `report` installs.
PACKAGES = ("altair", "jinja2", "vl_convert")


def run(options: argparse.Namespace) -> None:
    """Write the report of one day of published tables."""
    out, pictures = options.out, options.png
    with bundling() as library:
        check_report(out, pictures)
        place = storage_of(options.place, options.prefix)
        spark = session_at(options, place)
        page = write_report(spark, place, options.run_date, out, library, pictures)
    print(f"Report: {page}")


def check_report(out: str, pictures: str | None = None) -> None:
    """Raises ConfigurationError if a report cannot be made, or cannot be written there."""
    places = {"--out": out, "--png": pictures or ""}
    problems = [
        f"{option}: {place} is not a path on this machine; reports are only written to disk"
        for option, place in places.items()
        if not on_this_machine(storage_of(place))
    ]
    problems += missing(PACKAGES, "report")
    if problems:
        raise ConfigurationError("report", problems)


def write_report(
    spark: SparkSession,
    place: Storage,
    day: date | None,
    out: str,
    library: Callable[[], str],
    pictures: str | None = None,
) -> str:
    """Write the report of a day of published tables (by default the last one), and its plots.

    `library` gives the script that draws them (library.bundling). Returns the address of the
    report.

    Raises InputError if there are no such tables, OutputError if the files cannot be written.
    """
    from runners.report.contents import contents_of
    from runners.report.page import page_of, pictures_of

    with failing_as(InputError, f"{place}: holds no tables of a run"):
        contents = contents_of(published_day(spark, place.around(CELL_TABLE), day))
    files = {Path(out): page_of(contents, library).encode()}
    if pictures:
        drawn = pictures_of(contents)
        files |= {Path(pictures) / f"{name}.png": picture for name, picture in drawn.items()}
    try:
        for file, content in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be written ({error.strerror})") from error
    return Path(out).resolve().as_uri()
