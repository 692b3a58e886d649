"""The TOML files of profiles: where they are, and how one extends another."""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from anomaly.errors import ConfigurationError
from anomaly.suggestions import did_you_mean

Tables = dict[str, object]

EXTENDS = "extends"
SHIPPED = ("default", "lab")
# The shipped profiles extend it; it is not a profile by itself.
CATALOGUE = "catalogue"
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def shipped_profiles() -> Traversable:
    """The folder of the shipped profiles: installed, in a batch's archive, or in a checkout."""
    installed = files("anomaly") / "conf"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "conf"


def read_tables(source: str | Path) -> Tables:
    """The tables of a profile, merged with those that it extends.

    source: a path, or the name of a shipped profile. Raises ConfigurationError.
    """
    subject = f"profile {source}"
    file = _find(str(source), Path())
    if file is None:
        raise ConfigurationError(subject, [_no_such_file(str(source), Path(), SHIPPED)])
    return tables_of(_text(file, subject), str(source), file)


def tables_of(text: str, subject: str, *chain: Traversable) -> Tables:
    """The same from the text of a profile; `subject` names it in messages.

    chain: the files that led here by `extends`, the file of this text last. Without it, `extends`
    is looked up in the current folder.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(subject, [f"is not valid TOML: {error}"]) from error
    name = tables.get(EXTENDS)
    if not isinstance(name, str):  # missing, or refused with all other problems
        return tables
    folder = Path(str(chain[-1])).parent if chain else Path()
    file = _find(name, folder)
    if file is None:
        problem = f"extends {name!r}: {_no_such_file(name, folder, (CATALOGUE, *SHIPPED))}"
        raise ConfigurationError(subject, [problem])
    if file in chain:
        circle = " extends ".join(one.name for one in (*chain[chain.index(file) :], file))
        raise ConfigurationError(subject, [f"extends itself: {circle}"])
    below = tables_of(_text(file, subject), str(file), *chain, file)
    del tables[EXTENDS]
    return _merged(tables, {key: one for key, one in below.items() if isinstance(one, dict)})


def whole_text(source: str | Path) -> str:
    """A profile as self-contained TOML, with everything that it extends."""
    return toml_of(read_tables(source))


def toml_of(tables: Tables) -> str:
    """Tables as TOML."""
    return "\n".join(_lines(tables)) + "\n"


def _find(source: str, folder: Path) -> Traversable | None:
    is_name = source == Path(source).stem
    file = shipped_profiles() / f"{source}.toml" if is_name else (folder / source).resolve()
    return file if file.is_file() else None


def _no_such_file(source: str, folder: Path, shipped: Sequence[str]) -> str:
    """The problem of a profile that does not exist, with the name that was probably meant."""
    beside = Path(source).parent
    files_there = (str(beside / file.name) for file in (folder / beside).glob("*.toml"))
    meant = did_you_mean(source, (*shipped, *files_there))
    return f"no such file; give a path or one of: {', '.join(shipped)}{meant}"


def _text(file: Traversable, subject: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(subject, [f"cannot be read: {error}"]) from error


def _merged(above: Tables, below: Tables) -> Tables:
    """Both merged, setting by setting: `above` wins, `below` comes first in order."""
    both = {**below, **above}
    for key, table in above.items():
        other = below.get(key)
        if isinstance(table, dict) and isinstance(other, dict):
            both[key] = _merged(table, other)
    return both


def _lines(table: Tables, path: str = "") -> Iterator[str]:
    """TOML lines: the settings of a table, then each table below it under its heading."""
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{_key(key)} = {_literal(value)}"
    for key, value in table.items():
        if isinstance(value, dict):
            yield f"\n[{path}{_key(key)}]"
            yield from _lines(value, f"{path}{_key(key)}.")


def _key(key: str) -> str:
    return key if BARE_KEY.fullmatch(key) else _literal(key)


def _literal(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, (str, bool)):
        # TOML has the escapes of JSON, and escapes one more character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
