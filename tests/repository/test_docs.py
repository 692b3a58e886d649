"""The documentation: every link leads somewhere, no page is an orphan, and files it names exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
# Records of decisions name what was there when they were made.
RECORDS = ROOT / "docs/adr"

LINK = re.compile(r"!?\[[^\]]*\]\s?\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
FILE = re.compile(r"`((?:anomaly|runners|tests|conf|benchmarks|notebooks|docs)/[\w./-]+)`")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def without_code(text: str) -> str:
    fences = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`", "", fences)


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The links of a page to files: each with the file and the anchor in it."""
    for target in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    found: dict[str, int] = {}
    for heading in HEADING.findall(text):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return {f"{slug}-{n}" if n else slug for slug, last in found.items() for n in range(last + 1)}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page):
    broken = [
        f"{file.relative_to(ROOT)}#{anchor}"
        for file, anchor in links(page)
        if not file.exists() or (anchor and anchor not in anchors(file))
    ]
    assert broken == []


def test_every_page_is_found_from_the_readme():
    found, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        found.add(page)
        waiting += [file for file, _ in links(page) if file in PAGES and file not in found]
    assert [named(page) for page in PAGES if page not in found] == []


@pytest.mark.parametrize("page", [p for p in PAGES if RECORDS not in p.parents], ids=named)
def test_files_that_a_page_names_exist(page):
    files = FILE.findall(page.read_text(encoding="utf-8"))
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_the_readme_is_for_newcomers():
    """Whatever they can do without belongs to a page of its own."""
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 135


def test_the_hooks_are_the_commands_of_make_lint():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nlint:")[1].split("\n\n")[0]
    asked = re.findall(r"^\t(.*)", recipe, re.MULTILINE)
    of_hooks = re.findall(r"entry: (.*)", hooks)
    assert of_hooks == [command.replace("$(BIN)", ".venv/bin") for command in asked]
