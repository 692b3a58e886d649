"""Which column of a table may be which column of an input, with the evidence."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite

from anomaly.cleaning.values import NUMBER, WHOLE_NUMBER_PATTERN
from anomaly.profile.input_columns import expected_columns
from anomaly.profile.model import Profile
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, SAMPLES
from runners.inspection.names import OF_CELL, OF_CUSTOMER, OF_TIME, likeness, says
from runners.inspection.tables import Table
from runners.inspection.times import are_dates, form_of
from runners.services.plurals import counted

# Words in common of all words of both names.
SMALLEST_LIKENESS = 0.6
# Keys of one input that another one has, so that they are joined at all.
SMALLEST_OVERLAP = 0.5
EXAMPLE_LENGTH = 30
AS_IN_PROFILE = "as in the profile"
# A customer number behind three characters, and by itself, as checks.customer_number has it.
CUSTOMER_IDS = {3: r"([0-9]{3}|..[^0-9])0*[0-9]{1,18}", 0: r"[0-9]{1,18}"}


@dataclass(frozen=True)
class Choice:
    """The column of a file for a column of an input; None where that cannot be told."""

    column: str
    found: str | None
    evidence: str
    candidates: Sequence[str] = ()


@dataclass(frozen=True)
class Keys:
    """The keys that other tables have, by which a column of the same meaning is recognized."""

    cells: Collection[str] = ()
    customers: Collection[int] = ()


@dataclass
class Columns:
    """The facts about the columns of a table."""

    table: Table
    numbers: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        number = re.compile(NUMBER.format(mark=re.escape(self.table.decimal)))
        for name, texts in self.filled.items():
            found = [text for text in texts if number.fullmatch(text)]
            # A few bad values do not make texts of a column.
            if texts and len(found) >= 0.9 * len(texts):
                plain = (text.replace(self.table.decimal, ".") for text in found)
                self.numbers[name] = [float(text) for text in plain if isfinite(float(text))]

    @cached_property
    def filled(self) -> dict[str, list[str]]:
        """The texts of each column that stand for a value."""
        return {name: [*filter(None, texts)] for name, texts in self.table.texts.items()}

    @cached_property
    def forms(self) -> dict[str, str | None]:
        """The form of times of each column; None where it has no times."""
        return {name: form_of(texts) for name, texts in self.filled.items()}

    def fact(self, name: str) -> str:
        """What a column holds, in a few words, without the values of customers."""
        texts, numbers = self.filled[name], self.numbers.get(name)
        if not texts:
            return f"no values in {counted(self.table.rows, 'row')}"
        if form := self.forms[name]:
            return f"{counted(len(texts), 'time')} such as {_short(texts[0])!r}: {form}"
        if numbers:
            others = len(texts) - len(numbers)
            bad = f", and {counted(others, 'other text')}" if others else ""
            return f"{counted(len(numbers), 'number')} from {self.range_of(name)}{bad}"
        return f"{counted(len(texts), 'text')}, {len(set(texts)):,} different"

    def range_of(self, name: str) -> str:
        """The smallest and the largest number of a column."""
        return f"{min(self.numbers[name]):g} to {max(self.numbers[name]):g}"

    def fact_of_key(self, name: str, words: Collection[str]) -> str:
        """The same of a key: a cell is named, the number of a customer is not."""
        texts = self.filled[name]
        if words is OF_CUSTOMER:
            return f"{counted(len(set(texts)), 'number')} in {counted(len(texts), 'row')}"
        if words is not OF_CELL:
            return self.fact(name)
        names = counted(len(set(texts)), "name")
        return f"{names} such as {_short(texts[0])!r} in {counted(len(texts), 'row')}"


def _short(text: str) -> str:
    return text if len(text) <= EXAMPLE_LENGTH else f"{text[:EXAMPLE_LENGTH]}..."


def choices_of(source: str, columns: Columns, profile: Profile, keys: Keys) -> list[Choice]:
    """A choice for each column that the profile reads of an input, in the profile's order."""
    special = _SPECIAL[source]
    kpis = {kpi.column: (kpi.column, kpi.name, kpi.meaning) for kpi in profile.kpis_of(source)}
    header, named = columns.table.header, dict(profile.inputs[source].columns)
    expected = [name for name in expected_columns(source, profile) if named.get(name) != ""]
    settled = {name: _exact(named[name], header) for name in expected if name in named}
    exact = {name: settled.get(name) or _exact(name, header) for name in expected}
    taken = {name for name in exact.values() if name}
    found = {}
    for name, same in exact.items():
        if same and same == settled.get(name):
            found[name] = Choice(name, same, AS_IN_PROFILE)
        elif same:
            found[name] = Choice(name, same, f"has this name; {columns.fact(same)}")
        elif name in special:
            found[name] = special[name](name, columns, keys, taken)
            taken |= {found[name].found or name}
    others = {name: kpis.get(name, (name,)) for name in expected if name not in found}
    found |= _by_words(others, columns, taken, {name for name in others if name in kpis})
    return [found[name] for name in expected]


def _exact(name: str, header: Sequence[str]) -> str | None:
    return next((one for one in header if one.lower() == name.strip().lower()), None)


def _by_words(
    named: Mapping[str, Sequence[str]],
    columns: Columns,
    taken: Collection[str],
    numeric: Collection[str],
) -> dict[str, Choice]:
    """Choices by the words of names and meanings: only where one column fits one name best."""
    free = [name for name in columns.table.header if name not in taken]
    scores = {
        (name, column): score
        for name, others in named.items()
        for column in free
        if (column in columns.numbers or name not in numeric)
        if (score := likeness(column, others)) >= SMALLEST_LIKENESS
    }
    found = {}
    for name in named:
        of_name = {column: score for (one, column), score in scores.items() if one == name}
        best = [column for column, score in of_name.items() if score == max(of_name.values())]
        rivals = [
            one
            for (one, column), score in scores.items()
            if len(best) == 1 and column == best[0] and one != name and score >= of_name[column]
        ]
        if len(best) == 1 and not rivals:
            fact = columns.fact(best[0])
            found[name] = Choice(name, best[0], f"the words of both names agree; {fact}")
        else:
            why = f"{'several columns have' if best else 'no column has'} a similar name"
            if rivals:
                why = f"this column is also like {', '.join(rivals)}"
            found[name] = Choice(name, None, why, best)
    return found


def _one_of(
    name: str, columns: Columns, fitting: Sequence[str], words: Collection[str], told: str
) -> Choice:
    """The one fitting column whose name says so, or else the only one that fits."""
    by_name = [column for column in fitting if says(column, words)]
    chosen = by_name if len(by_name) == 1 else fitting if not by_name else []
    if len(chosen) != 1:
        why = f"{len(by_name or fitting)} columns may be" if fitting else f"no column has {told}"
        return Choice(name, None, why, by_name or fitting)
    why = "its name says so" if by_name else f"no other column has {told}"
    return Choice(name, chosen[0], f"{why}; {columns.fact_of_key(chosen[0], words)}")


Chooser = Callable[[str, Columns, Keys, Collection[str]], Choice]


def _cell(name: str, columns: Columns, keys: Keys, taken: Collection[str]) -> Choice:
    texts = {one: set(filled) for one, filled in columns.filled.items() if one not in taken}
    shared = {one: len(found & {*keys.cells}) for one, found in texts.items()}
    same = [one for one, n in shared.items() if n and n >= SMALLEST_OVERLAP * len(texts[one])]
    if len(same) == 1:
        n, of = shared[same[0]], len(texts[same[0]])
        return Choice(name, same[0], f"{n:,} of its {of:,} names are cells of the samples")
    repeated = [
        one
        for one, found in texts.items()
        if 0 < len(found) < len(columns.filled[one])
        and not columns.forms[one]
        and (one not in columns.numbers or says(one, OF_CELL))
    ]
    return _one_of(name, columns, same or repeated, OF_CELL, "texts that repeat")


def _time(name: str, columns: Columns, keys: Keys, taken: Collection[str]) -> Choice:
    times = [
        one
        for one, texts in columns.filled.items()
        if one not in taken and columns.forms[one] and not are_dates(texts)
    ]
    return _one_of(name, columns, times, OF_TIME, "times")


def _date(name: str, columns: Columns, keys: Keys, taken: Collection[str]) -> Choice:
    dates = [one for one, texts in columns.filled.items() if one not in taken and are_dates(texts)]
    return _one_of(name, columns, dates, {"date", "day", "datum", "tag"}, "dates")


def _customer(name: str, columns: Columns, keys: Keys, taken: Collection[str]) -> Choice:
    whole = [
        one
        for one, texts in columns.filled.items()
        if one not in taken and len(set(texts)) == len(texts)
        if texts and all(re.fullmatch(WHOLE_NUMBER_PATTERN, text) for text in texts)
    ]
    return _one_of(name, columns, whole, OF_CUSTOMER, "a different whole number in each row")


def _caller(name: str, columns: Columns, keys: Keys, taken: Collection[str]) -> Choice:
    numbers = {
        (one, prefix): {int(text[prefix:]) for text in texts}
        for one, texts in columns.filled.items()
        for prefix, pattern in CUSTOMER_IDS.items()
        if one not in taken and texts and all(re.fullmatch(pattern, text) for text in texts)
    }
    shared = {one: len(found & {*keys.customers}) for one, found in numbers.items()}
    same = [one for one, n in shared.items() if n and n >= SMALLEST_OVERLAP * len(numbers[one])]
    if len(same) == 1:
        column, prefix = same[0]
        where = "from the fourth character on" if prefix else "with customer_id_prefix = 0"
        told = (
            f"{where}, {shared[same[0]]:,} of its {len(numbers[same[0]]):,} numbers are customers"
        )
        return Choice(name, column, told)
    found = dict.fromkeys(column for column, _ in same or numbers)
    return _one_of(name, columns, [*found], OF_CUSTOMER, "customer numbers")


_SPECIAL: Mapping[str, Mapping[str, Chooser]] = {
    SAMPLES: {"CellName": _cell, "Time": _time, "Date": _date},
    CUSTOMERS: {"Index": _customer, "CellTower": _cell},
    CALL_STATISTICS: {"Customer_ID": _caller},
}
