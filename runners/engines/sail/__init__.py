"""Sail on this machine: the files that it cannot read as Spark does, made into Parquet first."""
