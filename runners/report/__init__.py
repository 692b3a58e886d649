"""A page of a published run that people look at: one HTML file, and its plots as pictures."""
