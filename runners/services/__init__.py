"""What the doors share: a run, its limits, its stages, and what it prints."""
