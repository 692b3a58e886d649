"""Matching the columns of a raw frame to its contract: by name, whatever their order or case."""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.errors import InputError
from anomaly.expressions.guards import columns_there
from anomaly.expressions.sql import column
from anomaly.profile.input_columns import expected_columns, names_in_files
from anomaly.profile.model import Profile
from anomaly.schema.inputs import (
    MALFORMED_LINE,
    MALFORMED_TEXT,
    SOURCE_FILE,
    SOURCE_ROW_ID,
)

USABLE_TYPES = (
    T.StringType,
    T.NumericType,
    T.BooleanType,
    T.TimestampType,
    T.TimestampNTZType,
)
LIKE_A_TIME = re.compile(r"date|time|stamp|epoch", re.IGNORECASE)
# Where a row comes from: what the reader adds.
PROVENANCE = (SOURCE_FILE, SOURCE_ROW_ID, MALFORMED_LINE, MALFORMED_TEXT)
# What stands between the fields of CSV files, where it is not what the profile says.
DELIMITERS = (";", "\t", "|", ",")
NAMES = ("CellName", "CellTower")
FRACTIONAL_TYPES = (T.DoubleType, T.FloatType, T.DecimalType)


def conform(raw: DataFrame, source: str, profile: Profile, origin: str = "") -> DataFrame:
    """The columns that are read of an input under their contract's names, and where rows come from.

    Other columns are dropped, personal ones among them. A row per raw row. `origin` (a file or
    folder) stands in messages. Frames made in memory get a row number in place of a file.
    Raises InputError that names every column that is missing, ambiguous or of a type that holds
    neither text nor numbers.
    """
    where = f"{source} ({origin})" if origin else source
    named = dict(profile.inputs[source].columns)
    remedy = f"say in [inputs.{source}.columns] what they are called"
    if profile.kpis_of(source):
        remedy += '; X = "" leaves out KPI X'
    return select_expected_columns(
        raw, expected_columns(source, profile), where, names=named, remedy=remedy
    )


def unused_times(raw: DataFrame, source: str, profile: Profile) -> list[str]:
    """The columns of a raw input that are named like a date or a time, and are not read."""
    settled = (*names_in_files(source, profile), *expected_columns(source, profile))
    read = {name.strip().lower() for name in settled}
    return [
        name
        for name in raw.columns
        if LIKE_A_TIME.search(name) and name.strip().lower() not in read
    ]


def select_expected_columns(
    raw: DataFrame,
    expected: Mapping[str, bool],
    where: str,
    times: Collection[str] = ("Time",),
    names: Mapping[str, str] = MappingProxyType({}),
    remedy: str = "",
) -> DataFrame:
    """The same for columns that are named, each with whether it must be there.

    `where` begins messages; `times` are the columns that hold times. `names` are those that columns
    have in the raw frame, where they are not their own; the empty one for what is not to be read.
    `remedy` says what to do about columns that are missing.
    """
    # Through Spark Connect each question for a schema is a call.
    schema = raw.schema
    found = defaultdict(list)
    for name in schema.names:
        found[name.strip().lower()].append(name)
    faults, selected, missing = [], [], []
    for name, required in expected.items():
        named = names.get(name, name).strip()
        # What has been conformed already has its own name.
        candidates = (found.get(named.lower()) or found.get(name.lower(), [])) if named else []
        if len(candidates) > 1:
            faults.append(f"column {name} is there {len(candidates)} times: {candidates}")
        elif candidates:
            kind = schema[candidates[0]].dataType
            place = schema.names.index(candidates[0])
            selected.append((place, _usable(candidates[0], kind, name in times).alias(name)))
            found_faults = _faults_of_type(name, kind, name in times)
            faults += [f"column {name} {fault}" for fault in found_faults]
        elif named and named != name:
            faults.append(f"column {name}, which the profile says is named {named!r}, is missing")
        elif required:
            missing.append(name)
    if missing:
        those = f"{'column' if len(missing) == 1 else 'columns'} {', '.join(missing)}"
        be = "is" if len(missing) == 1 else "are"
        faults.append(f"{those} {be} missing{f' ({remedy})' if remedy else ''}")
    if faults:
        raise InputError(f"{where}: {'; '.join(faults)}. {_columns_there(schema.names)}")
    # In the order of the file, in which rejected rows are shown.
    in_order = [column for _, column in sorted(selected, key=itemgetter(0))]
    return raw.select(*in_order, *_provenance(schema.names))


def _columns_there(of_raw: Sequence[str]) -> str:
    """The columns of a raw frame in words, with a hint where one holds all of them."""
    names = [name for name in of_raw if name not in PROVENANCE]
    there = columns_there(names)
    found = [mark for mark in DELIMITERS if mark in names[0]] if len(names) == 1 else []
    if not found:
        return there
    mark = json.dumps(max(found, key=names[0].count))
    return f"{there}. It is one column with {mark} in it: set delimiter = {mark} in the profile"


def _usable(name: str, kind: T.DataType, is_time: bool) -> Column:
    # Whole numbers of a time are those since 1970, which are told by their digits.
    if isinstance(kind, T.BooleanType) or (is_time and isinstance(kind, T.NumericType)):
        return column(name).cast("string")
    return column(name)


def _faults_of_type(name: str, kind: T.DataType, is_time: bool) -> list[str]:
    if name == "Date" and isinstance(kind, T.DateType):
        return []
    if not isinstance(kind, USABLE_TYPES):
        return [f"is of type {kind.simpleString()}, not text or number"]
    if is_time and isinstance(kind, FRACTIONAL_TYPES):
        return [f"is of type {kind.simpleString()}; give texts, timestamps or whole numbers"]
    if name in NAMES and isinstance(kind, FRACTIONAL_TYPES):
        return [f"is of type {kind.simpleString()}, so that 1 became 1.0; write names as text"]
    return []


def _provenance(there: Collection[str]) -> list[Column]:
    """Where rows come from; frames made in memory have a row number, and no file."""
    of_memory = {
        SOURCE_FILE: F.lit(None).cast("string"),
        SOURCE_ROW_ID: F.monotonically_increasing_id(),
        MALFORMED_LINE: F.lit(False),
        MALFORMED_TEXT: F.lit(None).cast("string"),
    }
    return [F.col(name) if name in there else of_memory[name].alias(name) for name in PROVENANCE]
