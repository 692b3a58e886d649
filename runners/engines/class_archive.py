"""An archive of the classes that Spark loads, so that the second run on a machine starts sooner.

The first JVM writes the archive when it ends, into the user's cache; later ones map it instead of
reading, checking and linking some 13,000 classes from their jars. The JVM itself compares it with
its own version and with the jars on its class path, and goes on without it where they differ.
"""

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import pyspark

# The JVM writes its archive after this process has ended; by then it is surely complete.
SECONDS_TO_WRITE = 60
# The JVM's own classes, without which it refuses to start where it is asked for more.
OWN_ARCHIVES = ("classes.jsa", "classes_nocoops.jsa")
# The JVM tells of classes that cannot be archived, and of archives that it does not take.
SILENT = "-Xlog:cds=off -Xlog:cds+dynamic=off"


def archive_options() -> str:
    """The options of the JVM that use the archive, or that write it; none where neither works."""
    # A folder on the class path that is not empty, as this one, makes the JVM refuse.
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
    """Of the Java, the Spark and the place of its jars."""
    release = (java / "release").read_text()
    known = "\n".join((release, pyspark.__version__, str(Path(pyspark.__file__).resolve())))
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def java_home() -> Path:
    """The folder of the Java that PySpark will start. Raises OSError where there is none."""
    if os.environ.get("JAVA_HOME"):
        return Path(os.environ["JAVA_HOME"])
    java = shutil.which("java")
    if java is None:
        raise FileNotFoundError("java")
    return Path(java).resolve().parents[1]
