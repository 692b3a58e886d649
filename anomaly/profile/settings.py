"""Settings as fields of dataclasses: what each one means is written once, beside its type.

`read` makes such a dataclass of a table of TOML; the reference page is made of the same fields.
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
# Units that need words.
OF_KPI = "unit of the KPI"
SHARE = "share"
KINDS: Mapping[type, Kind[Any]] = {bool: TRUTH, int: WHOLE, float: NUMBER, str: TEXT}


@dataclass(frozen=True)
class About:
    """What the type of a setting's field leaves open.

    default: in words, where it depends on other settings. least, most: the range of a number; no
    `most` without `least`. kind: where the type does not say what the setting may hold. table:
    reads it from a table of its own, whose keys are free.
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
    """What a field says about its setting; None for a field that is no setting."""
    found: About | None = one.metadata.get(ABOUT)
    return found


def read(table: Section, to: type[Made], **known: object) -> Made:
    """Make a dataclass of a table, which collects every problem.

    known: values of the fields that are no settings, and defaults that depend on where the table
    stands, such as its name.
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
    """What a setting may hold, from the type of its field where that says it."""
    return found.kind or _kind_of_type(hint)


def _kind_of_type(hint: Any) -> Kind[Any]:
    if get_origin(hint) is tuple:
        return list_of(_kind_of_type(get_args(hint)[0]))
    if get_origin(hint) is UnionType:  # X | None: the setting may be left out
        return _kind_of_type(get_args(hint)[0])
    return one_of(hint) if issubclass(hint, Enum) else KINDS[hint]


def out_of_range(table: "DataclassInstance") -> Iterator[str]:
    """A message for each number of a table that lies outside of its range."""
    for one in fields(table):
        found, value = about_of(one), getattr(table, one.name)
        if found is None or found.least is None or value is None:
            continue
        if found.most is not None and not found.least <= value <= found.most:
            yield f"{one.name} is {value}; it must lie between {found.least:g} and {found.most:g}"
        elif value < found.least:
            least = f"be at least {found.least:g}" if found.least else "not be negative"
            yield f"{one.name} must {least}"
