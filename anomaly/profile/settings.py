"""Settings as fields of dataclasses: the meaning of each is written once, beside its type.

`read` builds such a dataclass from a TOML table; the reference page is built from the same fields.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from anomaly.profile.toml_section import NUMBER, TEXT, TRUTH, WHOLE, Kind, Section, list_of, one_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Made = TypeVar("Made", bound="DataclassInstance")
Default = TypeVar("Default")

ABOUT = "about"
# Units that are words.
OF_KPI = "unit of the KPI"
SHARE = "share"
KINDS: Mapping[type, Kind[Any]] = {bool: TRUTH, int: WHOLE, float: NUMBER, str: TEXT}


@dataclass(frozen=True)
class About:
    """What the type of a field does not say about its setting.

    default: in words, if it depends on other settings. least, most: the range of a number; `most`
    only with `least`. kind: overrides the kind that follows from the type. table: reads the setting
    from a table of its own with free keys.
    """

    meaning: str
    unit: str = ""
    default: str = ""
    least: float | None = None
    most: float | None = None
    kind: Kind[Any] | None = None
    table: Callable[[Section], object] | None = None


def about(meaning: str, unit: str = "", default: str = "") -> dict[str, About]:
    """The metadata of a field that is a setting without a fixed default."""
    return {ABOUT: About(meaning, unit, default)}


def setting(
    default: Default,
    meaning: str,
    unit: str = "",
    *,
    least: float | None = None,
    most: float | None = None,
    kind: Kind[Any] | None = None,
    table: Callable[[Section], object] | None = None,
) -> Default:
    """A field that is a setting with a default."""
    found = About(meaning, unit, "", least, most, kind, table)
    made: Default = field(default=default, metadata={ABOUT: found})
    return made


def about_of(one: Field[Any]) -> About | None:
    """The metadata of a setting; None for a field that is not a setting."""
    found: About | None = one.metadata.get(ABOUT)
    return found


def read(table: Section, to: type[Made], **known: object) -> Made:
    """Build a dataclass from a table, which collects every problem.

    known: values of fields that are not settings, and defaults that depend on the table, such as
    its name.
    """
    hints = get_type_hints(to)
    values = {
        one.name: _value(table, one, hints[one.name], known.get(one.name, one.default))
        for one in fields(to)
    }
    return to(**values)


def _value(table: Section, one: Field[Any], hint: Any, default: object) -> object:
    found = about_of(one)
    if found is None:
        return default
    if found.table:
        return found.table(table.section(one.name))
    kind = kind_of(found, hint)
    if default is MISSING:
        return table.needed(one.name, kind)
    return table.value(one.name, kind, default)


def kind_of(found: About, hint: Any) -> Kind[Any]:
    """The kind of a setting, by default from the type of its field."""
    return found.kind or _kind_of_type(hint)


def _kind_of_type(hint: Any) -> Kind[Any]:
    if get_origin(hint) is tuple:
        return list_of(_kind_of_type(get_args(hint)[0]))
    if get_origin(hint) is UnionType:  # X | None: the setting may be left out
        return _kind_of_type(get_args(hint)[0])
    return one_of(hint) if issubclass(hint, Enum) else KINDS[hint]


def out_of_range(table: "DataclassInstance") -> Iterator[str]:
    """A message for each number of a table that is out of range."""
    for one in fields(table):
        found, value = about_of(one), getattr(table, one.name)
        if found is None or found.least is None or value is None:
            continue
        if found.most is not None and not found.least <= value <= found.most:
            yield f"{one.name} is {value}; it must be between {found.least:g} and {found.most:g}"
        elif value < found.least:
            least = f"be at least {found.least:g}" if found.least else "not be negative"
            yield f"{one.name} must {least}"
