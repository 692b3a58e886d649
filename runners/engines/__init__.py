"""Spark on this machine: session, Java, and log."""
