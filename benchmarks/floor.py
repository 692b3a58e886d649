"""The least that a Spark program can do with the three inputs: read, count, write one row.

Default JVM flags and settings, so that what a run adds to it is seen.
"""

import sys
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession


def read(spark: SparkSession, folder: Path) -> DataFrame:
    """An input, CSV or Parquet by its files."""
    if any(folder.glob("*.csv")):
        return spark.read.csv(str(folder), header=True)
    return spark.read.parquet(str(folder))


def main() -> None:
    """Count the inputs below the first argument, and write the counts to the second."""
    inputs, out = Path(sys.argv[1]), sys.argv[2]
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    counts = [
        read(spark, inputs / name).count() for name in ("customers", "samples", "call_statistics")
    ]
    row = spark.createDataFrame([tuple(counts)], "customers long, samples long, calls long")
    row.write.mode("overwrite").parquet(out)


if __name__ == "__main__":
    main()
