"""Quotes, delimiters and lines."""

import csv

from tests.campaign.case import Case
from tests.campaign.mutations.kinds import FEW, add_column, count_more, insert_lines, of_kind


@of_kind("quotes")
def everything_quoted(case: Case) -> None:
    _, one = case.any_input()
    one.quoting = case.source.choice((csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))


@of_kind("quotes")
def text_that_needs_quotes(case: Case) -> None:
    """Line breaks, delimiters and doubled quotes within a note."""
    notes = ("two\nlines", "a,b;c", 'so "late"', '"', "\r\n", '",', "a\n\n\nb", '""', "'", "\\")
    note = case.source.choice(notes)
    case.samples.change("Note", lambda _: note, range(case.source.choice((1, 7, 240))))


@of_kind("quotes")
def quote_within_a_field(case: Case) -> None:
    """A quote that begins no field is a character of it."""
    one = case.samples
    one.text_edits.append(lambda text: text.replace("of 2A", '5" disk', FEW))


@of_kind("quotes")
def quote_that_never_closes(case: Case) -> None:
    source, one = case.any_input()
    at = case.source.random()

    def open_quote(text: str) -> str:
        lines = text.split(one.line_end)
        number = 1 + int(at * (len(lines) - 2))
        fields = lines[number].split(one.delimiter)
        place = int(at * 97) % len(fields)
        fields[place] = f'"{fields[place]}'
        lines[number] = one.delimiter.join(fields)
        return one.line_end.join(lines)

    one.text_edits.append(open_quote)
    case.refuse()
    case.is_counted = False
    case.spoilt_rows[source] += len(one.rows) // 20
    case.spoilt_values[source] += 1


@of_kind("quotes")
def broken_quotes(case: Case) -> None:
    """Text behind a closing quote, and quotes with backslashes."""
    one = case.samples
    broken = case.source.choice(('"a"b', '"a\\"b"', '"a"b"', '"a" "b"', '""a"', '"""'))
    one.text_edits.append(lambda text: text.replace("of 2A", broken, 1))
    case.is_counted = False
    case.refuse()
    case.spoilt_rows["samples"] += len(one.rows) // 20
    case.spoilt_values["samples"] += 1


@of_kind("quotes")
def other_delimiter(case: Case) -> None:
    source, one = case.any_input()
    one.delimiter = case.source.choice((";", "\t", "|", "\x01", "^", ":"))
    if case.source.random() < 0.6:
        toml = {"\t": "\\t", "\x01": "\\u0001"}.get(one.delimiter, one.delimiter)
        case.set(source, f'delimiter = "{toml}"')
    else:
        case.refuse(must=True)


@of_kind("quotes")
def quoted_by_apostrophes(case: Case) -> None:
    one = case.samples
    for column in ("CellName", "load"):
        one.change(column, lambda text: f"'{text}'")
    case.refuse(must=True)


@of_kind("quotes")
def lines_above_the_header(case: Case) -> None:
    _, one = case.any_input()
    lines = case.source.choice(
        ("sep=,\n", "Report of 2026-03-02\n", "\n", "Report,,,,\n\n", "#x\n")
    )
    one.text_edits.append(lambda text: lines + text)
    case.refuse(must=bool(lines.strip()))


@of_kind("quotes")
def header_in_the_middle(case: Case) -> None:
    """As of files that were put behind one another; with a byte order mark of its own."""
    source, one = case.any_input()
    mark = case.source.choice(("", "\ufeff"))
    insert_lines(one, [mark + one.delimiter.join(one.header)])
    count_more(case, source, 1)


@of_kind("quotes")
def total_at_the_end(case: Case) -> None:
    source, one = case.any_input()
    lines = ("Total", "Total,,,,,", "EOF", "(2 rows)", "\x1a", ",".join(["-"] * len(one.header)))
    line = case.source.choice(lines)
    one.text_edits.append(lambda text: f"{text}{line}{one.line_end}")
    # Python reads the control character of DOS as a field, Spark as blank space.
    count_more(case, source, 1)
    case.is_counted = line != "\x1a"


@of_kind("quotes")
def last_line_cut_off(case: Case) -> None:
    source, one = case.any_input()
    one.text_edits.append(lambda text: text[: -case.source.randint(1, 9)])
    case.spoilt_rows[source] += 1
    case.spoilt_values[source] += 1


@of_kind("quotes")
def blank_lines(case: Case) -> None:
    _, one = case.any_input()
    insert_lines(one, ["", "  ", "\t"])


@of_kind("quotes")
def delimiter_at_each_end(case: Case) -> None:
    """In rows and header alike; or in rows alone, which then have a field too many."""
    _, one = case.any_input()
    if case.source.random() < 0.5:
        add_column(one, "", "")
        return
    one.text_edits.append(
        lambda text: text.replace(one.line_end, one.delimiter + one.line_end).replace(
            one.delimiter + one.line_end, one.line_end, 1
        )
    )
    case.refuse(must=len(one.names) == 1)


@of_kind("quotes")
def surplus_fields_in_few_rows(case: Case) -> None:
    source, one = case.any_input()
    for row in one.rows[:FEW]:
        row.append("7")
    case.spoilt_rows[source] += FEW


@of_kind("quotes")
def lines_that_end_otherwise(case: Case) -> None:
    _, one = case.any_input()
    one.line_end = case.source.choice(("\r\n", "\r\n", "\r"))
    if one.line_end == "\r":
        case.refuse(must=True)
