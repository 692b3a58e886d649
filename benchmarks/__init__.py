"""Benchmarks: the speed of whole runs, and how well alarms and verdicts find known faults."""
