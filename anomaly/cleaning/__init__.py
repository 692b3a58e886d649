"""Raw rows to clean rows, and to rejected rows with their reasons."""
