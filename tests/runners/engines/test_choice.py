"""Which engine a command takes, and why."""

import pytest

from anomaly.errors import ConfigurationError
from runners.engines import choice
from runners.engines.choice import Choice, Work, choice_of, choose, open_session

ELSEWHERE = Work(is_local=False)
GIGABYTE = 2**30


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Ten gigabytes, Sail installed, and nothing that names an engine."""
    for name in ("CELL_TOWER_ENGINE", "SPARK_MASTER", "SPARK_REMOTE", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(choice, "memory_limit", lambda: 10 * GIGABYTE)
    monkeypatch.setattr(choice, "find_spec", lambda name: name)


@pytest.mark.parametrize(
    ("variable", "wanted", "work", "chosen"),
    [
        (None, None, Work(), Choice("sail", "all places are on this machine")),
        (
            None,
            "auto",
            Work(input_bytes=2 * GIGABYTE),
            Choice("sail", "all places are on this machine"),
        ),
        (None, None, ELSEWHERE, Choice("spark", "some places are not on this machine")),
        (
            None,
            None,
            Work(input_bytes=3 * GIGABYTE),
            Choice("spark", "3.0 GB of inputs may not fit in memory"),
        ),
        (None, "spark", Work(), Choice("spark", "as asked for")),
        ("spark", None, Work(), Choice("spark", "as asked for")),
        ("spark", "sail", Work(input_bytes=3 * GIGABYTE), Choice("sail", "as asked for")),
        ("", None, Work(), Choice("sail", "all places are on this machine")),
    ],
)
def test_an_engine_is_chosen_by_places_and_size_unless_it_is_named(
    variable, wanted, work, chosen, monkeypatch
):
    if variable is not None:
        monkeypatch.setenv("CELL_TOWER_ENGINE", variable)
    assert choose(wanted, work) == chosen


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SPARK_MASTER", "local[1]", "a Spark master is named"),
        ("PYSPARK_GATEWAY_PORT", "1234", "spark-submit starts Spark"),
        ("SPARK_REMOTE", "sc://there", "SPARK_REMOTE names a server of Spark"),
    ],
)
def test_what_is_set_for_spark_takes_spark(name, value, reason, monkeypatch):
    monkeypatch.setenv(name, value)
    assert choose(None, Work()) == Choice("spark", reason)
    with pytest.raises(ConfigurationError, match=f"{reason}: take --engine spark"):
        choose("sail", Work())


@pytest.mark.classic
def test_a_session_of_spark_in_this_process_is_used(spark):
    reason = "this process has a session of Spark"
    assert choose(None, Work()) == Choice("spark", reason)
    assert open_session() is spark
    with pytest.raises(ConfigurationError, match=f"{reason}: take --engine spark"):
        choose("sail", Work())


def test_a_named_master_is_one_of_spark():
    assert choose(None, Work(), master="local[2]") == Choice("spark", "a Spark master is named")


def test_sail_is_taken_only_where_it_is_installed(monkeypatch):
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    assert choose(None, Work()) == Choice("spark", "Sail is not installed")
    with pytest.raises(ConfigurationError, match="Sail is not installed"):
        choose("sail", Work())


def test_a_variable_that_names_no_engine_is_told(monkeypatch):
    monkeypatch.setenv("CELL_TOWER_ENGINE", "flink")
    with pytest.raises(ConfigurationError, match="is 'flink': choose auto, sail, spark"):
        choose(None, Work())


def test_a_session_knows_its_engine_and_the_reason(spark, monkeypatch):
    own = choice_of(spark).engine
    opened = open_session(engine=own)
    assert choice_of(opened) == Choice(own, "as asked for")
