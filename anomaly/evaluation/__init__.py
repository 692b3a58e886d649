"""Alarms scored against known events."""
