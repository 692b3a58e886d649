"""Averages to baselines, limits, flags with their evidence, verdicts and ranks."""
