"""Typed access to the tables of a TOML file; problems are collected instead of raised."""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from anomaly.suggestions import did_you_mean

Value = TypeVar("Value")
Default = TypeVar("Default")
Choice = TypeVar("Choice", bound=Enum)


@dataclass(frozen=True)
class Kind(Generic[Value]):
    """The kind of value that a setting holds.

    words: its name in messages. read: returns the value, or None if it is of another kind.
    placeholder: replaces a required value that is missing or wrong, so that reading can go on.
    names: all values, if they are names.
    """

    words: str
    read: Callable[[object], Value | None]
    placeholder: Value
    names: tuple[str, ...] = ()


def _text(found: object) -> str | None:
    return found if isinstance(found, str) else None


def _truth(found: object) -> bool | None:
    return found if isinstance(found, bool) else None


def _whole(found: object) -> int | None:
    # In Python a bool is an int; in a file `minimum_defects = true` is a mistake.
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _number(found: object) -> float | None:
    number = found if isinstance(found, float) else _whole(found)
    return None if number is None or not abs(number) <= sys.float_info.max else float(number)


TEXT = Kind("text", _text, "")
TRUTH = Kind("true or false", _truth, False)
WHOLE = Kind("a whole number", _whole, 0)
NUMBER = Kind("a finite number", _number, 0.0)


def one_of(options: type[Choice]) -> Kind[Choice]:
    """The kind of a setting that names a member of an enumeration by its value."""

    def member(found: object) -> Choice | None:
        return next((option for option in options if option.value == found), None)

    names = tuple(str(option.value) for option in options)
    return Kind(" or ".join(names), member, next(iter(options)), names)


def list_of(kind: Kind[Value]) -> Kind[tuple[Value, ...]]:
    """The kind of a setting that is a list with members of one kind."""

    def members(found: object) -> tuple[Value, ...] | None:
        read = [kind.read(member) for member in found] if isinstance(found, list) else [None]
        values = tuple(value for value in read if value is not None)
        return values if len(values) == len(read) else None

    return Kind(f"a list, each element {kind.words}", members, (), kind.names)


def _first_wrong(found: object, names: Collection[str]) -> object:
    """The value itself or, of a list, the first element that is not one of the names."""
    members = found if isinstance(found, list) else [found]
    return next((member for member in members if member not in names), None)


class Section:
    """One table of the file; it collects the problems found in it.

    It remembers which settings were read; any other setting in the file is unknown, and a problem.
    `defaults` is a table of settings for those that are missing here.
    """

    def __init__(
        self,
        settings: Mapping[str, object],
        path: tuple[str, ...] = (),
        defaults: "Section | None" = None,
    ) -> None:
        self._settings = settings
        self._path = path
        self._defaults = defaults
        self._asked: list[str] = []
        self._problems: list[str] = []
        self._sections: list[Section] = []

    def problems(self) -> list[str]:
        """All problems, here and in the sections below; call it when everything has been read."""
        known = ", ".join(sorted(set(self._asked)))
        unknown = [
            f"{self._where} unknown setting {key!r}; use one of: {known}"
            f"{did_you_mean(key, self._asked)}"
            for key in self._settings
            if key not in self._asked
        ]
        below = [problem for section in self._sections for problem in section.problems()]
        # A default is read once for each table that uses it.
        return list(dict.fromkeys([*self._problems, *unknown, *below]))

    def has(self, key: str) -> bool:
        """Whether the file has the setting."""
        return key in self._settings

    def refuse(self, problem: str) -> None:
        """Add a problem of this section."""
        self._problems.append(f"{self._where} {problem}")

    def value(self, key: str, kind: Kind[Value], default: Default) -> Value | Default:
        """The setting, or the default if it is missing or wrong."""
        self._asked.append(key)
        if key not in self._settings:
            return self._defaults.value(key, kind, default) if self._defaults else default
        value = kind.read(self._settings[key])
        if value is None:
            found = self._settings[key]
            meant = did_you_mean(_first_wrong(found, kind.names), kind.names)
            self.refuse(f"{key} is {found!r}; it must be {kind.words}{meant}")
            return default
        return value

    def needed(self, key: str, kind: Kind[Value]) -> Value:
        """The setting, which is required."""
        if not self.has(key) and not (self._defaults and self._defaults.has(key)):
            self.refuse(f"setting {key!r} is missing; it must be {kind.words}")
        return self.value(key, kind, kind.placeholder)

    def section(
        self, key: str, needed: bool = False, defaults: "Section | None" = None
    ) -> "Section":
        """The table below this one; an empty one if it is missing or not a table."""
        self._asked.append(key)
        found = self._settings.get(key, None if needed else {})
        if not isinstance(found, dict):
            self.refuse(f"table {key!r} is missing")
            found = {}
        self._sections.append(Section(found, (*self._path, key), defaults))
        return self._sections[-1]

    def sections(self, defaults: "Section | None" = None) -> Iterator[tuple[str, "Section"]]:
        """Each table below this one with its name; any name is allowed."""
        for key in self._settings:
            yield key, self.section(key, defaults=defaults)

    def all_values(self, kind: Kind[Value]) -> dict[str, Value]:
        """Each setting of this table with its name; any name is allowed."""
        return {key: self.needed(key, kind) for key in self._settings}

    @property
    def _where(self) -> str:
        return f"[{'.'.join(self._path)}]" if self._path else "top level:"
