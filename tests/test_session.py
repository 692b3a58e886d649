"""The session of the runner, as far as it shows without a second JVM."""

from pyspark.sql import SparkSession

from runners.session import local_session


def test_no_master_is_named_beside_the_address_of_a_connect_server(monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "sc://elsewhere")
    monkeypatch.delenv("SPARK_MASTER", raising=False)
    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", lambda builder: builder._options)
    assert "spark.master" not in local_session()
