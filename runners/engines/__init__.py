"""Spark on this machine: its session, its Java, and its log."""
