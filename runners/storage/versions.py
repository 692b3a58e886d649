"""Versions of the tables in a folder: which one readers see, and how the next takes its place.

A version, .versions/NAME, has TABLE/run_date=DAY/ with the files of each table and day. `.current`
is a link to the version that readers see, and each table a link into it. Files of days that do not
change are shared by the old and the new version (hard links), and the one link is replaced, so
that a reader finds all of a version or none of it.
"""

import errno
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from anomaly.errors import OutputError
from runners.engines.days import day_folder, day_of, days_of
from runners.storage.columns import Types

VERSIONS, CURRENT = ".versions", ".current"
# What the tables of a version have for columns.
COLUMNS_FILE = "columns.json"
# With these a file system tells that it knows no links, allows none, or no more of them.
NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK}


class Versions:
    """The versions in one folder, of which a single process makes the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.current = folder / CURRENT

    def tables(self) -> list[str]:
        """The tables of the published version; none where nothing is published."""
        return sorted(table.name for table in self.current.glob("*/")) if self._is_there() else []

    def days(self, table: str) -> list[date]:
        """The published days of a table, in order."""
        return days_of(self.current / table)

    def strays(self, tables: Iterable[str]) -> list[Path]:
        """What no run has put where these tables, or those that are published, stand.

        The next version would not have it, and it would be removed with the last one.
        """
        in_place = [self.folder / table for table in tables]
        in_tables = [
            part
            for table in self.tables()
            for part in (self.current / table).iterdir()
            # Spark's own, such as _SUCCESS.
            if part.name[0] not in "._" and day_of(part) is None
        ]
        return [
            *(part for part in in_place if part.exists() and not part.is_symlink()),
            *(self.folder / part.relative_to(self.current) for part in in_tables),
        ]

    def columns(self) -> Types:
        """The columns of the published tables."""
        file = self.current / COLUMNS_FILE
        found: Types = json.loads(file.read_text()) if file.is_file() else {}
        return found

    def publish(
        self, name: str, staging: Path, columns: Types, stays: Callable[[str, date], bool]
    ) -> None:
        """Move staged tables into a version of their own, and put it in the place of the last.

        Of the published version those days stay that `stays(table, day)` says. Raises OSError.
        """
        # One of its own also where a run is published once more.
        version = self.folder / VERSIONS / f"{name}-{uuid.uuid4().hex[:6]}"
        version.mkdir(parents=True)
        for table in sorted(staging.iterdir()):
            shutil.move(table, version / table.name)
        for table_name in self.tables():
            for day in filter(lambda day: stays(table_name, day), self.days(table_name)):
                _share(day_folder(self.current / table_name, day), version / table_name)
        known = self.columns() | columns
        (version / COLUMNS_FILE).write_text(
            json.dumps({table.name: known[table.name] for table in version.glob("*/")})
        )
        for table in version.glob("*/"):
            self._link(table.name)
        link = staging / CURRENT
        link.symlink_to(version.relative_to(self.folder))
        link.replace(self.current)

    def tidy_up(self) -> None:
        """Remove every version but the published one, and the links to tables that it lacks."""
        published = self.current.readlink().name if self.current.is_symlink() else ""
        for version in (self.folder / VERSIONS).glob("*"):
            if version.name != published:
                shutil.rmtree(version, ignore_errors=True)
        for link in self.folder.iterdir():
            if link.is_symlink() and link != self.current and not link.exists():
                link.unlink()

    def _is_there(self) -> bool:
        return self.current.is_dir()

    def _link(self, table: str) -> None:
        link = self.folder / table
        if link.exists() and not link.is_symlink():
            raise OutputError(f"{link}: is there, but no run has put it there; move it away")
        if not link.is_symlink():
            link.symlink_to(Path(CURRENT) / table)


def _share(day: Path, table: Path) -> None:
    """Have a table share the files of a day, or have copies where files cannot be shared."""
    shutil.copytree(day, table / day.name, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        shutil.copy2(source, target)
