"""The columns of inputs and tables, with their types, units and meanings."""
