"""Which transform feeds which: whole, or stage by stage."""
