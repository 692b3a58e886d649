"""Profiles as people edit them: check-config tells what is wrong, whatever it is."""

import random
from collections.abc import Callable
from pathlib import Path

from anomaly.profile.files import whole_text
from tests.campaign.case import PROFILE

VALUES = (
    "0", "-1", "1e999", "nan", "inf", "-inf", "1_000", "''", '"x"', "[]", "{}", "[[1]]", "true",
    "2026-03-02", "2026-03-02T10:00:00Z", "07:32:00", "0x10", "99999999999999999999", '"\\u0000"',
    '"' + "x" * 500 + '"', "{ unit = 1 }", '["a", 1]', '"é"', '" "', '"`"', "[nan]", "-0.0", "1.5",
    '"UTC+25"', '"../x"', "'''\n'''",
)  # fmt: skip
LineEdit = Callable[[random.Random, list[str], int], None]


def other_value(source: random.Random, lines: list[str], at: int) -> None:
    key, equals, _ = lines[at].partition("=")
    if equals:
        lines[at] = f"{key}= {source.choice(VALUES)}"


def other_key(source: random.Random, lines: list[str], at: int) -> None:
    key, equals, value = lines[at].partition("=")
    names = ('"a b"', "x", '""', f"{key.strip()}s", '"é"', f"a.{key.strip()}", '"a`b"', '"a.b"')
    lines[at] = f"{source.choice(names)} ={value}" if equals else f"[{source.choice(names)}]"


def line_away(_: random.Random, lines: list[str], at: int) -> None:
    del lines[at]


def line_twice(_: random.Random, lines: list[str], at: int) -> None:
    lines.insert(at, lines[at])


def line_elsewhere(source: random.Random, lines: list[str], at: int) -> None:
    lines.insert(source.randrange(len(lines)), lines.pop(at))


def character_lost(source: random.Random, lines: list[str], at: int) -> None:
    place = source.randrange(len(lines[at]) or 1)
    lines[at] = lines[at][:place] + lines[at][place + 1 :]


def inline_value(source: random.Random, lines: list[str], at: int) -> None:
    """Another value within braces."""
    head, equals, rest = lines[at].rpartition(" = ")
    if equals and "}" in rest:
        lines[at] = f"{head} = {source.choice(VALUES)} }}"


LINE_EDITS: tuple[LineEdit, ...] = (
    other_value, other_value, other_value, other_key, line_away, line_twice, line_elsewhere,
    character_lost, inline_value,
)  # fmt: skip


def edited(source: random.Random, text: str) -> str:
    """A profile after one to three edits, which may well be right."""
    lines = text.splitlines()
    for _ in range(source.choice((1, 1, 2, 3))):
        source.choice(LINE_EDITS)(source, lines, source.randrange(len(lines)))
    return source.choice(("\n", "\n", "\r\n")).join(lines)


def edited_profile(seed: int) -> bytes:
    """A profile of those that come along, or of the campaign, after edits."""
    source = random.Random(seed)
    shipped = whole_text(source.choice(("default", "lab")))
    whole = edited(source, source.choice((shipped, f'name = "campaign"\n{PROFILE}')))
    if source.random() < 0.1:
        forms = ("utf-8-sig", "utf-16", "latin-1")
        return whole.encode(source.choice(forms), errors="replace")
    if source.random() < 0.05:
        return whole.encode()[: source.randrange(len(whole))]
    return whole.encode()


def write_profile(seed: int, folder: Path) -> Path:
    """An edited profile as a file."""
    target = folder / f"profile {seed}.toml"
    target.write_bytes(edited_profile(seed))
    return target
