"""The code of a batch as one zip: what `runners.dataproc.batch` imports, and the shipped profiles.

The same source gives the same bytes, wherever and whenever it is built.
"""

import ast
import io
import zipfile
from pathlib import Path
from threading import Lock

from anomaly.profile.files import CATALOGUE, SHIPPED, shipped_profiles

ENTRY = "runners.dataproc.batch"
PACKAGES = ("anomaly", "runners")
# The oldest time that a zip can hold; real times differ between checkouts.
TIME = (1980, 1, 1, 0, 0, 0)
READABLE_FILE = 0o100644 << 16
UNIX = 3
# Concurrent parsing fails in Python 3.11 (CPython issue 106905).
_PARSE_LOCK = Lock()


def code_archive() -> bytes:
    """The zip, from the packages as they are installed."""
    root = Path(__file__).parents[2]
    content = io.BytesIO()
    # Not compressed, because compressors differ between machines.
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(_needed_files(root) - {main_file()}):
            archive.writestr(_entry(path.relative_to(root).as_posix()), path.read_bytes())
        for file in (f"{name}.toml" for name in (CATALOGUE, *SHIPPED)):
            profile = shipped_profiles() / file
            archive.writestr(_entry(f"anomaly/conf/{file}"), profile.read_bytes())
    return content.getvalue()


def main_file() -> Path:
    """The main file of a batch."""
    return Path(__file__).parent / "batch.py"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, TIME)
    entry.external_attr = READABLE_FILE
    entry.create_system = UNIX
    return entry


def _needed_files(root: Path) -> set[Path]:
    """The files of all modules that the entry imports, directly or indirectly."""
    found: set[Path] = set()
    waiting = [ENTRY]
    while waiting:
        module = waiting.pop()
        for path in _files_of(root, module) - found:
            found.add(path)
            waiting += _imported(path)
    return found


def _files_of(root: Path, module: str) -> set[Path]:
    """The files of a module and of its parent packages; empty for other libraries."""
    parts = module.split(".")
    if parts[0] not in PACKAGES:
        return set()
    folders = [root.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    paths = [folder / "__init__.py" for folder in folders]
    return {path for path in (*paths, folders[-1].with_suffix(".py")) if path.is_file()}


def _imported(path: Path) -> list[str]:
    """Every module that a file imports, and every imported name that may be a module."""
    with _PARSE_LOCK:
        parsed = ast.parse(path.read_text(encoding="utf-8"))
    modules = []
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            modules += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
    return modules
