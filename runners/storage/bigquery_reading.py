"""Reads tables of BigQuery with Spark's connector."""

from pyspark.sql import DataFrame, SparkSession


def read_table(spark: SparkSession, table: str) -> DataFrame:
    """The rows of PROJECT.DATASET.TABLE; the project pays for the reading."""
    project = table.rsplit(".", 2)[0]
    # Credentials of a person name no project, and the connector then asks for one.
    return spark.read.format("bigquery").option("parentProject", project).load(table)
