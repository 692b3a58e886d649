"""Clean rows to averages of each cell and each customer, and their joins."""
