"""The sdist and the wheel, built from this checkout and installed where there is nothing else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from anomaly import __version__

pytestmark = pytest.mark.package
ROOT = Path(__file__).parents[2]
COMMAND = "cell-tower-anomaly"


def uv(*arguments: str) -> None:
    """Run uv; make test-package says where it is."""
    subprocess.run([os.environ["UV"], "--quiet", *arguments], check=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """The wheel, which is built from the sdist, and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--out-dir", str(folder), str(ROOT))
    return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}


class Installed:
    """An environment with this package alone, or with what some extras add."""

    def __init__(self, folder: Path, distribution: Path, extras: str = "") -> None:
        self.folder = folder
        self.programs = folder / "environment" / "bin"
        uv("venv", "--python", sys.executable, str(folder / "environment"))
        python = str(self.programs / "python")
        uv("pip", "install", "--python", python, f"{distribution}{extras}")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command elsewhere than in this checkout, and without any other program."""
        return subprocess.run(
            [self.programs / COMMAND, *arguments],
            cwd=self.folder,
            env={"PATH": str(self.programs), "HOME": str(self.folder)},
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def base(request, built, tmp_path_factory) -> Installed:
    return Installed(tmp_path_factory.mktemp("base"), built[request.param])


@pytest.fixture(scope="module")
def laptop(built, tmp_path_factory) -> Installed:
    return Installed(tmp_path_factory.mktemp("laptop"), built["wheel"], "[sail,report]")


def test_the_wheel_holds_every_module_of_the_checkout(built):
    with zipfile.ZipFile(built["wheel"]) as wheel:
        held = {name for name in wheel.namelist() if name.endswith((".py", "page.js"))}
    ours = [*ROOT.glob("anomaly/**/*.py"), *ROOT.glob("runners/**/*.py")]
    assert held == {str(path.relative_to(ROOT)) for path in ours} | {"runners/report/page.js"}


def test_the_base_install_tells_its_version_and_checks_profiles(base):
    assert base.run("--version").stdout == f"{COMMAND} {__version__}\n"
    for profile in ("default", "lab"):
        done = base.run("check-config", profile)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{profile}@")
    assert "--samples" in base.run("run", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "extras"),
    [(("run", "--sample"), "local"), (("report", "out", "--out", "page.html"), "local,report")],
    ids=["run", "report"],
)
def test_the_base_install_says_what_a_command_needs(base, arguments, extras):
    done = base.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"pip install '{COMMAND}[{extras}]' (No module named 'pyspark')" in done.stderr


def test_sail_alone_is_enough_for_a_laptop(laptop):
    done = laptop.run("run", "--sample", "--out", "out", "--report", "page.html")
    assert done.returncode == 0, done.stderr
    assert "8 of 52 cells need maintenance" in done.stdout
    assert (laptop.folder / "page.html").stat().st_size > 1_000_000
    assert "8 of 52 cells need maintenance" in laptop.run("show", "out").stdout


def test_without_spark_a_command_says_what_installs_it(laptop):
    done = laptop.run("run", "--sample", "--engine", "spark", "--out", "of-spark")
    assert done.returncode == 2
    assert f"pip install '{COMMAND}[local]'" in done.stderr


def test_uvx_runs_the_command(built, tmp_path):
    done = subprocess.run(
        [os.environ["UV"], "tool", "run", "--from", str(built["wheel"]), COMMAND, "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{COMMAND} {__version__}\n", done.stderr
