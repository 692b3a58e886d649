"""Inputs are converted once for as long as they stay as they are."""

import os
import time
from pathlib import Path

import pytest

from runners.engines.engine import CsvFormat
from runners.engines.sail import reading
from runners.engines.sail.session import sail_session
from runners.storage.files import File

FORM = CsvFormat(("a", "b"), "UTF-8", ",", frozenset({"a", "b"}))
# Older than what may still be changed unseen.
AN_HOUR_AGO = time.time_ns() - 3_600_000_000_000


@pytest.fixture
def conversions(monkeypatch):
    """How many files were converted so far."""
    files = []
    convert = reading.csv_to_parquet

    def counted(written, *others):
        files.extend(written)
        return convert(written, *others)

    monkeypatch.setattr(reading, "csv_to_parquet", counted)
    return files


def write(file: Path, text: str, modified: int) -> File:
    file.write_text(text)
    os.utime(file, ns=(modified, modified))
    return File(str(file), len(text))


def read(file: File) -> list[tuple[str, str]]:
    rows = reading.read_csv(sail_session(), [file], FORM).collect()
    return [(row.a, row.b) for row in rows]


def test_a_file_is_converted_again_once_it_has_changed(tmp_path, conversions):
    file = write(tmp_path / "1.csv", "a,b\n1,2\n", AN_HOUR_AGO)
    assert read(file) == read(file) == [("1", "2")]
    assert len(conversions) == 1
    changed = write(tmp_path / "1.csv", "a,b\n3,4\n", AN_HOUR_AGO + 1)
    assert read(changed) == [("3", "4")]
    assert len(conversions) == 2


def test_a_file_that_has_just_changed_is_converted_each_time(tmp_path, conversions):
    now = time.time_ns()
    assert read(write(tmp_path / "1.csv", "a,b\n1,2\n", now)) == [("1", "2")]
    # Of the same size and, as far as a clock with slow ticks can tell, of the same time.
    assert read(write(tmp_path / "1.csv", "a,b\n3,4\n", now)) == [("3", "4")]
    assert len(conversions) == 2
