"""What a release consists of besides its files."""

import re
from pathlib import Path

from anomaly import __version__

ROOT = Path(__file__).parents[2]


def test_the_last_version_in_the_changelog_is_this_one():
    versions = re.findall(r"^## \[(\d\S*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == __version__
