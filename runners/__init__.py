"""Entry points that run the library: on this machine and on clusters."""
