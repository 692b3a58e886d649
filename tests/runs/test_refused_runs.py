"""A run that is refused leaves the good output before it as it was, and says which exit code."""

from pathlib import Path

import pytest

from runners.cli.main import main
from tests.builders.small_inputs import SmallInputs, profile_text

pytestmark = pytest.mark.slow

LIMITS = "\n[limits]\nsmallest_match_rate = 1\n"


@pytest.fixture(scope="module")
def good(spark, tmp_path_factory):
    """The folder of a good run, its inputs, and how to run once more with other arguments."""
    folder = tmp_path_factory.mktemp("refused")
    inputs = SmallInputs().write(folder / "in")
    (folder / "good.toml").write_text(profile_text())
    (folder / "strict.toml").write_text(profile_text() + LIMITS)
    usual = {
        "profile": f"{folder}/good.toml",
        "customers": inputs["customers"],
        "samples": inputs["samples"],
        "calls": inputs["call_statistics"],
        "out": f"{folder}/out",
    }

    def run(**other: str) -> int:
        named = (usual | other).items()
        return main(["run", *(part for name, path in named for part in (f"--{name}", path))])

    assert run() == 0
    return folder, run


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(part.relative_to(folder)): part.read_bytes()
        for table in folder.iterdir()
        if table.name[0] != "."
        for part in table.rglob("*")
        if part.is_file()
    }


@pytest.mark.parametrize(
    ("other", "code", "said"),
    [
        ({"profile": "strict.toml"}, 3, "fewer than the profile's smallest_match_rate of 100.0%"),
        ({"samples": "header_only"}, 3, "samples: none of 0 rows can be used"),
        ({"samples": "nowhere"}, 3, "/nowhere does not exist"),
        ({"profile": "nowhere.toml"}, 2, "no such file"),
        ({"out": "in/samples"}, 2, "is the folder of the samples input"),
        ({"out": "in/samples/tables"}, 2, "lies inside the samples input, or the other way"),
        ({"out": "."}, 2, "lies inside the samples input, or the other way"),
    ],
)
def test_a_refused_run_changes_nothing(good, capfd, other, code, said):
    folder, run = good
    header = (folder / "in" / "samples" / "0.csv").read_text().splitlines()[0]
    (folder / "header_only").mkdir(exist_ok=True)
    (folder / "header_only" / "0.csv").write_text(f"{header}\n")
    before = contents(folder / "out")
    assert len(before) >= 4
    assert run(**{name: str(folder / path) for name, path in other.items()}) == code
    assert said in capfd.readouterr().err
    assert contents(folder / "out") == before


def test_every_input_that_cannot_be_read_is_named(good, capfd):
    folder, run = good
    places = {source: str(folder / f"no {source}") for source in ("customers", "samples", "calls")}
    assert run(**places) == 3
    told = capfd.readouterr().err
    assert [place for place in places.values() if f"{place} does not exist" in told] == [
        *places.values()
    ]
