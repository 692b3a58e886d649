"""Every command and every piece of code in the documentation works as it is printed."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from runners.cli import main
from tests.repository.snippets import PAGES, ROOT, snippets

LANGUAGES = {"bash", "python", "toml", "text", "sql", "json"}
RUNNABLE = [page for page in PAGES if any(one.runs_here for one in snippets(page))]
# Runs the snippets of a page one after the other; pieces of Python share their names.
DRIVER = """
import json, pathlib, subprocess, sys
names = {"__name__": "snippets"}
for language, title, text, exit_code in json.load(sys.stdin):
    if title:
        pathlib.Path(title).write_text(text, encoding="utf-8")
    elif language == "python":
        exec(compile(text, "snippet", "exec"), names)
    else:
        ended = subprocess.run(["bash", "-euc", text], stdin=subprocess.DEVNULL)
        if ended.returncode != exit_code:
            sys.exit(f"exit code {ended.returncode}, not {exit_code}: {text}")
"""


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what a clone holds, and an environment as `make` sets it up."""
    for entry in ROOT.iterdir():
        if not entry.name.startswith(".") and entry.name not in ("build", "out", "data"):
            (tmp_path / entry.name).symlink_to(entry)
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    python = f'PYTHONPATH="{ROOT}" exec "{sys.executable}"'
    submit = Path(sys.executable).with_name("spark-submit")
    for name, line in {
        "python": python,
        "cell-tower-anomaly": f"{python} -m runners.cli.main",
        "spark-submit": f'PATH="{submit.parent}:$PATH" exec "{submit}"',
    }.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\n{line} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n', encoding="utf-8")
    for made in re.findall(r"^\.venv/(\S+):", (ROOT / "Makefile").read_text(), re.MULTILINE):
        (tmp_path / ".venv" / made).touch()
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNABLE, ids=named)
def test_the_snippets_of_a_page_run(page: Path, clone: Path) -> None:
    steps = [
        (one.language, one.title, one.text, one.exit_code)
        for one in snippets(page)
        if one.runs_here
    ]
    # A session of this process leaves variables that would keep Spark from starting in another.
    environment = {name: value for name, value in os.environ.items() if "SPARK" not in name}
    environment["PATH"] = f"{clone}/.venv/bin:{environment['PATH']}"
    ended = subprocess.run(
        ["python", "-c", DRIVER],
        input=json.dumps(steps),
        capture_output=True,
        text=True,
        cwd=clone,
        env=environment,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_are_as_their_parser_wants_them(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is what is left to check of those that need Google Cloud."""
    monkeypatch.setattr(main, "exit_code_of", lambda command: 0)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for one in snippets(page):
        for program, *words in one.commands if one.language == "bash" else ():
            if program == "make":
                assert [word for word in words if "=" not in word and word not in targets] == []
            elif program == "spark-submit":
                assert words[0] == "runners/local.py"
                assert main.main(["run", *words[1:]]) == 0
            elif program == "cell-tower-anomaly" and words != ["--version"]:
                assert main.main(words) == 0


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_code_is_fenced_and_can_be_read(page: Path) -> None:
    for one in snippets(page):
        assert one.language in LANGUAGES
        if one.language == "python":
            ast.parse(one.text)
        if one.language == "toml":
            tomllib.loads(one.text)
    indented = r"^ {4,}(?:\.venv/|cell-tower-anomaly |make |from \w+ import)"
    fenced = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert re.findall(indented, fenced, re.MULTILINE) == []
