"""An archive of Spark's classes, with which later runs on a machine start faster.

The first JVM writes the archive into the user's cache when it ends. Later ones map it instead of
reading, checking and linking about 13,000 classes from their jars. The JVM compares the archive
with its own version and with the jars on its class path, and ignores it if they differ.
"""

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import pyspark

# The JVM writes its archive after this process has ended; after this time it is complete.
SECONDS_TO_WRITE = 60
# Archives of the JVM's own classes, which it needs for an archive of further classes.
OWN_ARCHIVES = ("classes.jsa", "classes_nocoops.jsa")
# The JVM warns of classes that cannot be archived, and of archives that it ignores.
SILENT = "-Xlog:cds=off -Xlog:cds+dynamic=off"


def archive_options() -> str:
    """The JVM options that use the archive, or write it; empty if neither is possible."""
    # The JVM refuses a class path with a non-empty folder, which this would be.
    if os.environ.get("SPARK_CONF_DIR"):
        return ""
    with suppress(OSError):
        java = java_home()
        if not all((java / "lib" / "server" / name).is_file() for name in OWN_ARCHIVES):
            return ""
        archive = _folder() / f"classes-{_fingerprint(java)}.jsa"
        written = archive.with_suffix(".written")
        archive.parent.mkdir(parents=True, exist_ok=True)
        if written.exists():
            if time.time() - written.stat().st_mtime < SECONDS_TO_WRITE:
                return ""
            written.replace(archive)
        if archive.exists():
            return f'"-XX:SharedArchiveFile={archive}" {SILENT}'
        return f'"-XX:ArchiveClassesAtExit={written}" {SILENT}'
    return ""


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "cell-tower-anomaly"


def _fingerprint(java: Path) -> str:
    """A hash of the Java, the Spark version and the path of its jars."""
    release = (java / "release").read_text()
    known = "\n".join((release, pyspark.__version__, str(Path(pyspark.__file__).resolve())))
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def java_home() -> Path:
    """The folder of the Java that PySpark will start. Raises OSError if there is none."""
    if os.environ.get("JAVA_HOME"):
        return Path(os.environ["JAVA_HOME"])
    java = shutil.which("java")
    if java is None:
        raise FileNotFoundError("java")
    return Path(java).resolve().parents[1]
