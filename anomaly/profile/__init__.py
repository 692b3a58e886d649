"""What is judged, and how: the profile as dataclasses, read from TOML and validated."""
