"""Documentation and messages use the terms of the field, not a dialect of this repository."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("*.md", "docs/**/*.md", "conf/*.toml", "runners/**/*.html")
# Not the sentences in published rows, which other tests pin.
MODULES = ("runners/**/*.py", "anomaly/profile/*.py", "anomaly/schema/*.py")
# The name of the project, and the statement that the published lab calls a cell a tower.
ALLOWED = r"cell tower anomaly detection|calls a cell a \*?tower|(not|lab says) tower"
INSTEAD = {
    r"towers?": "cell",
    r"mend(s|ed)?": "repair, correct",
    r"out of line": "anomalous",
    r"(is|are|was|were|be) told": "is reported",
    r"comes? along": "is shipped",
    r"gravest": "worst",
    r"still stands?": "is active",
    r"there already|already there": "exists",
    r"(what|that) is none": "not a, invalid",
    r"at fault": "bad",
    r"than (is )?usual": "than the baseline",
    r"as told|what is wanted|(is|are) wanted": "as the profile says, needed",
    r"broken rows?|faulty rows?": "rejected row",
    r"bad cells?|broken settings?|faulty settings?": "faulty cell, problem of a setting",
    r"thresholds? of a KPI": "limit",
    r"past samples|historic(al)? samples": "baseline samples",
    r"maintenance needed": "maintenance Required",
    r"back-?ends?": "engine",
    r"time ?slots?": "slot",
    r"quarter of an hour": "quarter hour, granularity period",
}


def prose(page: Path) -> str:
    """A page as one line, without the code in Markdown, which quotes names and output."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        text = re.sub(r"^```.*?^```|^ {4}[^\n]*|`[^`]*`", "", text, flags=re.M | re.S)
    return re.sub(r"\s#?\s*", " ", text)


def strings(module: Path) -> Iterator[str]:
    """The strings of a module, such as messages and help texts, without docstrings."""
    nodes = list(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))
    statements = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and id(node) not in statements:
            yield str(node.value)


@pytest.mark.parametrize(("word", "better"), INSTEAD.items())
def test_a_term_of_the_field_is_used(word, better):
    texts = [(path, prose(path)) for pattern in PAGES for path in ROOT.glob(pattern)]
    modules = [path for pattern in MODULES for path in ROOT.glob(pattern)]
    texts += [(path, text) for path in modules for text in strings(path)]
    banned = re.compile(rf"(?<![\w-])({word})(?![\w-])", re.IGNORECASE)
    found = ((path, re.sub(ALLOWED, "", text, flags=re.IGNORECASE)) for path, text in texts)
    assert [f"{path}: {text[:90]}" for path, text in found if banned.search(text)] == [], better
