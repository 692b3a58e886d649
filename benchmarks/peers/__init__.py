"""The work of the profile `lab`, done by others: PEER INPUTS OUT writes the lab's two tables."""
