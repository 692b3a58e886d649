"""Verdicts over days, and what changed between two runs."""
