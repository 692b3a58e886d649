"""Customer numbers as keyed hashes: no raw number and no part of the key leaves a run."""

import base64
import hashlib
import hmac
import json
import os
import re
import struct
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import ClassVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pyspark.sql import functions as F

from anomaly import ConfigurationError, parse_profile
from anomaly.pipeline.output_tables import table_columns
from anomaly.pipeline.pseudonyms import hash_customers, key_blocks
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS
from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE, REJECTED_TABLE, SUMMARY_TABLE
from runners.cli.main import main
from runners.dataproc import batch
from runners.dataproc.archive import code_archive
from runners.services.hash_key import VARIABLE, hash_key, key_frame
from runners.storage.places import storage_of
from tests.builders.small_inputs import SmallInputs, profile_text, write_csv

KEY = "a key of this test: Schlüssel 42"
SECRET = "projects/my-project/secrets/customer-hash/versions/3"
HEADER = ["Index", "tenure", "PhoneService", "MultipleLines", "InternetService", "CellTower"]
WITHOUT_PARTNER = ("callers who are not customers", "customers without calls")
# Stands in texts of rows that are rejected.
NAME = "Mustermann"


def number(position: int) -> int:
    """Distinctive customer numbers; call statistics have seven digits at most."""
    return 9_271_801 + 37 * position


NUMBERS = [number(position) for position in range(100)]


def hashed(customer: int) -> str:
    return hmac.new(KEY.encode(), str(customer).encode(), hashlib.sha256).hexdigest()


def forms_of_the_key() -> list[str]:
    """The key and its padded blocks as logs, plans and JSON might show them."""
    key = KEY.encode()
    padded = key.ljust(64, b"\0")
    secrets = [key, *(bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))]
    forms = [KEY, json.dumps(KEY)[1:-1]]
    for secret in secrets:
        start = secret[:12]
        forms += [start.hex(), start.hex().upper(), start.hex(" "), start.hex(" ").upper()]
        # Wherever base64 begins; the ends depend on the neighbours.
        forms += [base64.b64encode(b"\0" * skip + start)[4:-4].decode() for skip in range(3)]
        signed = struct.unpack(f"{len(start)}b", start)
        for numbers in (signed, list(start)):
            forms += [mark.join(map(str, numbers)) for mark in (",", ", ")]
        forms.append(start.decode("latin-1"))
    return forms


def assert_no_key(text: str) -> None:
    assert not [form for form in forms_of_the_key() if form in text]


# --- the transform ------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [16, 64, 65, 200])
def test_hashes_are_those_of_pythons_hmac(spark, length):
    key = bytes((7 * position + length) % 256 for position in range(length))
    frame = spark.createDataFrame(
        [(0, "a"), (number(1), "b"), (-5, "c"), (2**63 - 1, "d"), (None, "e")],
        "customerID bigint, kept string",
    )
    found = hash_customers(frame, key_frame(spark, key))
    assert [(field.name, field.dataType.simpleString()) for field in found.schema] == [
        ("customerID", "string"),
        ("kept", "string"),
    ]
    assert {row.kept: row.customerID for row in found.collect()} == {
        kept: text and hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        for text, kept in (
            ("0", "a"),
            (str(number(1)), "b"),
            ("-5", "c"),
            (str(2**63 - 1), "d"),
            (None, "e"),
        )
    }


def test_rows_lie_in_the_order_of_their_hashes(spark):
    frame = spark.createDataFrame([(n,) for n in NUMBERS], "customerID bigint").coalesce(1)
    rows = [
        row.customerID for row in hash_customers(frame, key_frame(spark, KEY.encode())).collect()
    ]
    assert {*rows} == {hashed(n) for n in NUMBERS}
    breaks = sum(one > other for one, other in pairwise(rows))
    # One break between two partitions.
    assert breaks <= 1


def test_plans_show_nothing_of_the_key(spark, capsys):
    """From parsed to physical; those of whole runs are in the event log, see below."""
    frame = spark.createDataFrame([(number(1),)], "customerID bigint")
    hash_customers(frame, key_frame(spark, KEY.encode())).explain(extended=True)
    plans = capsys.readouterr().out
    assert "inner_block" in plans
    assert_no_key(plans)


def test_the_key_would_be_found_in_a_plan(spark, capsys):
    """What the tests of its absence rest on."""
    inner, _ = key_blocks(KEY.encode())
    for shown in (F.lit(inner), F.lit(KEY), F.hex(F.lit(inner)), F.base64(F.lit(inner))):
        spark.range(1).select(shown).explain(extended=True)
        with pytest.raises(AssertionError):
            assert_no_key(capsys.readouterr().out)


# --- whole runs ---------------------------------------------------------------------------------


class Runs:
    """The same inputs published plainly and with hashes, the latter with Spark's event log."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.inputs = folder, distinctive_inputs(folder / "in")
        (folder / "small.toml").write_text(profile_text())
        assert main(self.arguments("plain")) == 0
        self.told = self._run_hashed()

    def arguments(self, out: str, *others: str) -> list[str]:
        named = {"profile": "small.toml", "out": out, "run-date": "2026-11-01"}
        paths = {"calls": self.inputs["call_statistics"]} | {
            name: self.inputs[name] for name in ("customers", "samples")
        }
        places = {name: f"{self.folder}/{named[name]}" for name in ("profile", "out")}
        options = (named | places | paths).items()
        return ["run", *(part for name, one in options for part in (f"--{name}", one)), *others]

    def _run_hashed(self) -> str:
        """A process of its own, because an event log begins with Spark; returns what it printed."""
        events = self.folder / "events"
        events.mkdir()
        conf = self.folder / "conf"
        conf.mkdir()
        (conf / "spark-defaults.conf").write_text(
            f"spark.eventLog.enabled true\nspark.eventLog.compress false\n"
            f"spark.eventLog.dir file://{events}\n"
            f"spark.log.level INFO\n"
        )
        # Through Spark Connect, these would lead it to the server of this process.
        others = {name: text for name, text in os.environ.items() if name[:6] != "SPARK_"}
        ended = subprocess.run(
            [sys.executable, "-m", "runners.cli.main", *self.arguments("hashed", HASHING)],
            env={
                **others,
                VARIABLE: KEY,
                "SPARK_CONF_DIR": str(conf),
                "CELL_TOWER_LOG": f"{self.folder}/log.txt",
            },
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        # Sail logs nothing, and then there is no file.
        logged = [file.read_text() for file in self.folder.glob("log.txt")]
        return "".join((ended.stdout, ended.stderr, *logged))


HASHING = "--hash-customers"


def distinctive_inputs(folder: Path) -> dict[str, str]:
    """Small inputs with distinctive numbers, callers who are not customers, and faulty rows."""
    inputs = SmallInputs()
    places = inputs.write(folder)
    for file in (folder / "customers").iterdir():
        file.unlink()
    customers = [[number(row[0]), *row[1:]] for row in inputs.customers]
    faulty = [
        [f"{NAME} {number(71)}", 5, "Yes", "No", "DSL", "1ALTE"],
        [number(72), f"{NAME} {number(73)}", "Yes", "No", "DSL", "1BLTE"],
        [number(74), 5, "Yes", "No", "DSL", "1CLTE", NAME],
        [number(1), 99, NAME, "No", "DSL", "2ALTE"],
    ]
    write_csv(folder / "customers" / "0.csv", HEADER, [*customers, *faulty])
    header, *calls = inputs.calls
    calls = [[f"100{number(int(row[0][3:]))}", *row[1:]] for row in calls]
    calls += [
        [f"100{number(2)}", f"{NAME} {number(75)}", *calls[0][2:]],
        [f"{NAME} {number(76)}", *calls[0][1:]],
        [f"100{number(77)}", *calls[0][1:], NAME],
    ]
    write_csv(folder / "call_statistics" / "0.csv", header, calls)
    return places


@pytest.fixture(scope="module")
def runs(spark, tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("pseudonyms"))


def published(spark, runs: Runs, out: str, table: str) -> list[dict[str, object]]:
    """The rows of a table, but for what differs from run to run."""
    rows = spark.read.parquet(str(runs.folder / out / table)).drop("run_id").collect()
    rows = [row.asDict(recursive=True) for row in rows]
    return [row for row in rows if row.get("section") != "seconds"]


def in_order(rows: list[dict[str, object]]) -> list[str]:
    return sorted(map(repr, rows))


def raw_numbers_in(text: str) -> list[str]:
    """Numbers, and the name in rejected rows, that stand there; not digits within a longer one."""
    found = re.findall(r"(?<![0-9.])\d{7}(?![0-9])", text)
    return [one for one in found if int(one) in NUMBERS] + re.findall(NAME, text)


@pytest.mark.slow
def test_no_raw_number_is_in_any_table_file_or_message(spark, runs):
    assert raw_numbers_in(repr(published(spark, runs, "plain", CUSTOMER_TABLE)))
    for table in (CUSTOMER_TABLE, CELL_TABLE, REJECTED_TABLE, SUMMARY_TABLE):
        assert not raw_numbers_in(repr(published(spark, runs, "hashed", table))), table
    sought = [str(n).encode() for n in NUMBERS] + [struct.pack("<q", n) for n in NUMBERS]
    for file in (runs.folder / "hashed").rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not [one for one in (*sought, NAME.encode()) if one in content], file
    assert not raw_numbers_in(runs.told)


@pytest.mark.slow
def test_all_else_is_the_same_as_without_hashes(spark, runs):
    def both(table):
        return [published(spark, runs, out, table) for out in ("plain", "hashed")]

    plain, found = both(CUSTOMER_TABLE)
    assert in_order([row | {"customerID": hashed(row["customerID"])} for row in plain]) == in_order(
        found
    )
    plain, found = both(CELL_TABLE)
    assert in_order(plain) == in_order(found)

    plain, found = both(REJECTED_TABLE)
    withheld = {"raw_value": None, "raw_row": None}
    assert {CUSTOMERS, CALL_STATISTICS} < {row["source"] for row in plain}
    assert all(row["raw_row"] for row in plain)
    assert in_order(
        [row | withheld if row["source"] in (CUSTOMERS, CALL_STATISTICS) else row for row in plain]
    ) == in_order(found)

    plain, found = both(SUMMARY_TABLE)
    unmatched = [row for row in plain if row["section"] == "unmatched"]
    people = [row for row in unmatched if row["subject"] in WITHOUT_PARTNER]
    assert {row["subject"] for row in people} == {*WITHOUT_PARTNER}
    for row in people:
        row["item"] = hashed(int(row["item"]))
    assert in_order(plain) == in_order(found)


@pytest.mark.slow
def test_columns_are_those_of_the_contract(spark, runs):
    wanted = table_columns(parse_profile(profile_text()), hash_customers=True)
    place = storage_of(str(runs.folder / "hashed"))
    for table, columns in wanted.items():
        schema = place.table(spark, table).schema
        assert [(one.name, one.dataType.simpleString()) for one in schema] == [
            (column.name, column.type) for column in columns
        ]


@pytest.mark.slow
@pytest.mark.classic
def test_no_event_log_shows_the_key(runs):
    logs = (file for file in (runs.folder / "events").rglob("*") if file.is_file())
    events = "".join(file.read_text() for file in logs)
    assert "inner_block" in events
    assert_no_key(events)
    assert "INFO SparkContext" in runs.told


@pytest.mark.slow
def test_no_output_shows_the_key(runs):
    assert_no_key(runs.told)
    for file in (runs.folder / "hashed").rglob("*"):
        if file.is_file():
            assert_no_key(file.read_bytes().decode("latin-1"))


# --- the key ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "CELL_TOWER_HASH_KEY is not set"),
        ("", "CELL_TOWER_HASH_KEY is not set"),
        ("only 15 bytes !", "CELL_TOWER_HASH_KEY holds a key of fewer than 16 bytes"),
        ("projects/my-project/secrets/customer-hash", "CELL_TOWER_HASH_KEY does not name a secret"),
        (
            "projects/p/secrets/../versions/1?alt=proto",
            "CELL_TOWER_HASH_KEY does not name a secret",
        ),
    ],
)
def test_a_run_without_a_good_key_is_refused_before_an_engine_starts(
    monkeypatch, capsys, tmp_path, given, said
):
    monkeypatch.delenv(VARIABLE, raising=False)
    if given is not None:
        monkeypatch.setenv(VARIABLE, given)
    for start in ("start", "session_at"):
        monkeypatch.setattr(f"runners.local.{start}", None)
    assert main(["run", "--sample", "--out", str(tmp_path), "--hash-customers"]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert not given or given not in told


def test_a_key_of_the_environment_is_its_bytes(monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)
    assert hash_key() == KEY.encode()


class FakeSecretManager(BaseHTTPRequestHandler):
    """Answers as projects.secrets.versions.access does, or with what `answers` has for a name."""

    answers: ClassVar[dict[str, tuple[int, str]]] = {}
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        status, content = self.answers.get(self.path, (404, "{}"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Answer:
    """What of a response of requests is used here."""

    def __init__(self, status: int, content: bytes) -> None:
        self.status_code, self._content = status, content

    def json(self) -> object:
        return json.loads(self._content)


class AuthorizedSession:
    """The part of google-auth's session that is used here; tests/cloud has the real one."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get(self, address: str, timeout: float) -> Answer:
        asked = Request(address, headers={"Authorization": f"Bearer {self._token}"})
        try:
            with urlopen(asked, timeout=timeout) as response:
                return Answer(response.status, response.read())
        except HTTPError as error:
            return Answer(error.code, error.read())


@pytest.fixture
def google_auth(monkeypatch):
    """Stands in for google-auth, which comes with the extra `gcp` alone."""
    names = ("google", "google.auth", "google.auth.exceptions", "google.auth.transport.requests")
    modules = {name: ModuleType(name) for name in names}
    modules["google"].auth = modules["google.auth"]
    modules["google.auth"].default = lambda scopes: (f"token for {' '.join(scopes)}", "my-project")
    modules["google.auth.exceptions"].GoogleAuthError = RuntimeError
    modules["google.auth.transport.requests"].AuthorizedSession = AuthorizedSession
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules["google.auth"]


@pytest.fixture
def secret_manager(monkeypatch):
    """The address of a fake; `FakeSecretManager` has what it answers and was asked."""
    monkeypatch.setattr(FakeSecretManager, "answers", {})
    monkeypatch.setattr(FakeSecretManager, "asked", [])
    with HTTPServer(("127.0.0.1", 0), FakeSecretManager) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def payload(secret: bytes) -> str:
    return json.dumps({"name": SECRET, "payload": {"data": base64.b64encode(secret).decode()}})


PATH = f"/v1/{SECRET}:access"


def test_a_key_is_read_from_secret_manager(google_auth, secret_manager):
    FakeSecretManager.answers = {PATH: (200, payload(KEY.encode()))}
    assert hash_key(SECRET, secret_manager) == KEY.encode()
    scope = "https://www.googleapis.com/auth/cloud-platform"
    assert FakeSecretManager.asked == [(PATH, f"Bearer token for {scope}")]


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (403, KEY, "names projects/my-project/.*HTTP 403.*Secret Manager Secret Accessor"),
        (404, "{}", "cannot be read .HTTP 404"),
        (200, KEY, "cannot be read .JSONDecodeError"),
        (200, "{}", "cannot be read .KeyError"),
        (200, json.dumps({"payload": {"data": KEY}}), "cannot be read"),
        (200, payload(KEY.encode()[:15]), "holds a key of fewer than 16 bytes"),
    ],
)
def test_a_secret_that_cannot_be_read_is_told_without_its_content(
    google_auth, secret_manager, status, content, said
):
    FakeSecretManager.answers = {PATH: (status, content)}
    with pytest.raises(ConfigurationError, match=said) as told:
        hash_key(SECRET, secret_manager)
    assert VARIABLE in str(told.value)
    assert KEY[:10] not in str(told.value)


def test_credentials_and_a_server_that_are_missing_are_told(google_auth):
    with pytest.raises(ConfigurationError, match=r"cannot be read .URLError"):
        hash_key(SECRET, "http://127.0.0.1:9")

    def no_credentials(scopes):
        raise RuntimeError(KEY)

    google_auth.default = no_credentials
    with pytest.raises(ConfigurationError, match=r"cannot be read .RuntimeError"):
        hash_key(SECRET, "http://127.0.0.1:9")


def test_google_auth_that_is_missing_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with pytest.raises(
        ConfigurationError, match=r"needs google-auth: pip install 'cell-tower-anomaly\[gcp\]'"
    ):
        hash_key(SECRET)


# --- batches ------------------------------------------------------------------------------------

PLACES = ["--customers", "gs://b/c", "--samples", "gs://b/s", "--calls", "gs://b/k"]
TO_BUCKET = [*PLACES, "--out", "gs://b/out"]
DATAPROC = str(Path(__file__).parents[3] / "conf" / "dataproc.toml")


@pytest.mark.parametrize("given", ["", KEY])
def test_submit_sends_no_key(monkeypatch, capsys, given):
    monkeypatch.setenv(VARIABLE, given)
    assert main(["submit", "--settings", DATAPROC, *TO_BUCKET, "--hash-customers"]) == 2
    told = capsys.readouterr().err
    assert f"{VARIABLE} must name a secret of Secret Manager" in told
    assert KEY not in told


def test_a_batch_reads_the_secret_that_it_is_told_of(monkeypatch, capsys):
    """Here it cannot, which ends the run before it asks for Spark."""
    monkeypatch.setattr(batch, "SparkSession", None)
    monkeypatch.setitem(sys.modules, "google.auth", None)
    assert batch.main([*TO_BUCKET, "--hash-customers", "--hash-secret", SECRET]) == 2
    assert "needs google-auth" in capsys.readouterr().out


def test_a_batch_refuses_a_secret_that_would_hash_nothing(monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.setattr(batch, "SparkSession", None)
    assert batch.main([*TO_BUCKET, "--hash-secret", SECRET]) == 2
    message = json.loads(capsys.readouterr().out)["message"]
    assert "--hash-secret needs --hash-customers" in message


def test_the_code_of_a_batch_has_what_reads_keys():
    assert b"runners/services/hash_key.py" in code_archive()
