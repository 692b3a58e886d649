"""Sail on this machine: Spark's DataFrames on an engine without Java, inputs read by Arrow."""
