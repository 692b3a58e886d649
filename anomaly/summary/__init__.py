"""The account of a run: every row in, what became of it, and what was found."""
