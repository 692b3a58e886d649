"""Where inputs are read from, and where the tables of a run are staged and published."""
