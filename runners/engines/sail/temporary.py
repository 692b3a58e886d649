"""Temporary files of this process, and paths as Sail takes them."""

import atexit
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

# Sail takes a path with one of these for a pattern, and refuses to write there.
PATTERN = re.compile(r"[*?\[\]{}%]")


def temporary_folder() -> Path:
    """A new folder, which is removed when this process ends."""
    return Path(tempfile.mkdtemp(dir=_root()))


def plain_path(path: Path) -> Path:
    """The path, or a link to it if Sail would take it for a pattern."""
    if not PATTERN.search(str(path)):
        return path
    link = temporary_folder() / "link"
    link.symlink_to(path.absolute())
    return link


@cache
def _root() -> Path:
    root = Path(tempfile.mkdtemp(prefix="cell-tower-anomaly-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root
