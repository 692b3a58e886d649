"""The published lab's profile, read without the library, which would bring Spark along."""

import tomllib
from pathlib import Path
from typing import Any

CONF = Path(__file__).parents[1] / "conf"


def lab_tables() -> dict[str, Any]:
    """The tables of the profile, above those of the catalogue that it extends."""
    catalogue, lab = (
        tomllib.loads((CONF / name).read_text(encoding="utf-8"))
        for name in ("catalogue.toml", "lab.toml")
    )
    return lab | {name: table | lab.get(name, {}) for name, table in catalogue.items()}
