"""What Spark tells when a job fails, turned into an error of ours that names the file at fault."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from pyspark.errors import PySparkException

from anomaly.errors import AnomalyError, InputError, OutputError
from runners.engines.open_quotes import REFUSAL

# A job that fails is told by py4j on classic Spark, by PySpark itself through Spark Connect.
SPARK_ERRORS: tuple[type[Exception], ...] = (PySparkException,)
with suppress(ImportError):
    from py4j.protocol import Py4JJavaError

    SPARK_ERRORS += (Py4JJavaError,)
SIGNS_OF_FAILED_WRITING = ("No space left", "Permission denied", "Mkdirs failed", "Disk quota")
SIGNS_OF_FAILED_READING = (
    "FAILED_READ_FILE",
    "error while reading file",
    "CANNOT_READ_FILE_FOOTER",
    "ChecksumException",
    "is not a Parquet file",
    "Could not read footer",
    "Parquet column cannot be converted",
    "FileNotFoundException",
    "UNABLE_TO_INFER_SCHEMA",
    REFUSAL,
    "UnsupportedCharsetException",
    "UnsupportedEncodingException",
    "TextParsingException",
)
OTHER_JAVA = (
    "this Java does not know that encoding: write the files as UTF-8, or install a full Java 17"
)
# What a sign means to who does not know Spark; the first one that is there counts.
MEANINGS = {
    "exceeds the maximum number of characters": "a quote does not close",
    "UnsupportedCharsetException": OTHER_JAVA,
    "UnsupportedEncodingException": OTHER_JAVA,
    "TextParsingException": "a packed file is damaged or broken off; `gzip -t` or `bzip2 -t` tells "
    "which",
}
# With the address of the file, in which there is no blank.
REFUSED = re.compile(rf"\S+: {REFUSAL}.*?prints")
# What py4j says before the error itself, and the JVM before what led to it.
NOISE, CAUSE = "An error occurred while calling", "Caused by: "
NO_FILE_SYSTEM = "No FileSystem for scheme"


@contextmanager
def failing_as(kind: type[AnomalyError], message: str) -> Iterator[None]:
    """Turn an error of Spark into one of ours, with the message and the root cause."""
    try:
        yield
    except SPARK_ERRORS as error:
        raise kind(f"{message}: {root_cause(error)}") from error


@contextmanager
def reading_and_writing(target: str) -> Iterator[None]:
    """Turns an error of Spark into an InputError, or an OutputError where it could not write."""
    try:
        yield
    except SPARK_ERRORS as error:
        told = str(error)
        if any(sign in told for sign in SIGNS_OF_FAILED_WRITING):
            line = root_cause(error, SIGNS_OF_FAILED_WRITING)
            raise OutputError(f"{target}: cannot be written: {line}") from error
        if any(sign in told for sign in SIGNS_OF_FAILED_READING):
            line = root_cause(error, SIGNS_OF_FAILED_READING)
            raise InputError(f"cannot be read: {line}") from error
        raise
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error}") from error


def root_cause(error: Exception, signs: Sequence[str] = SIGNS_OF_FAILED_READING) -> str:
    """The line that has a sign of the cause, and its meaning; else what was raised, and why."""
    lines = [line.strip(" :") for line in str(error).splitlines() if line.strip(" :")]
    told = _signed_or_raised(error, lines, signs)
    # Spark 4 says first which file it was, and why among what led to it.
    why = "".join((told, *(line for line in lines if line.startswith(CAUSE))))
    meanings = (f"{told}: {meaning}" for sign, meaning in MEANINGS.items() if sign in why)
    return next(meanings, told)


def _signed_or_raised(error: Exception, lines: Sequence[str], signs: Sequence[str]) -> str:
    refused = REFUSED.search(str(error))
    if refused:
        return refused[0]
    signed = next((line for line in lines if any(sign in line for sign in signs)), None)
    if signed:
        return signed
    raised = next((line for line in lines if not line.startswith(NOISE)), type(error).__name__)
    causes = [line.removeprefix(CAUSE) for line in lines if line.startswith(CAUSE)]
    return f"{raised} ({causes[-1]})" if causes else raised
