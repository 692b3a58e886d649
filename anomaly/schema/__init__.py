"""What goes in and what comes out: columns with their types, units and meanings."""
