"""Why rows and values are left out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why a row or a value was left out. `rejects_row`: the whole row is, else the value alone.

    is_fault: whether it speaks of a fault of the input; else the profile, or the input itself,
    says that there is nothing to count.
    """

    code: str
    rejects_row: bool
    meaning: str
    is_fault: bool = True


REASONS = {
    reason.code: reason
    for reason in (
        Reason("missing_key", True, "the column that says what the row is about is empty"),
        Reason(
            "bad_encoding", True, "the cell name has bytes that its file's encoding does not know"
        ),
        Reason(
            "bad_customer_number",
            True,
            "the customer number is not a whole number, or it cannot be told where it begins",
        ),
        Reason("malformed_line", True, "more or fewer fields than the header has columns"),
        Reason(
            "bad_time",
            True,
            "neither HH:MM nor a date with a time, in microseconds at most, nor seconds or "
            "milliseconds since 1970; or the one of them that most samples are not",
        ),
        Reason(
            "doubled_hour",
            True,
            "a local time that is there twice, when clocks are set back, and was not sent twice",
        ),
        Reason(
            "outside_run",
            True,
            "the time of a sample is not of the day, or time, of the run",
            False,
        ),
        Reason("suspect", True, "the profile's `suspect_where` holds"),
        Reason(
            "duplicate_row",
            True,
            "says the same as an earlier row of its customer, or cell and time",
        ),
        Reason(
            "contradicting_rows", True, "another row of its customer, or cell and time, differs"
        ),
        Reason("filtered_by_profile", True, "the profile's `keep_where` does not hold", False),
        Reason(
            "beyond_row_limit",
            True,
            "the profile's `rows_per_key` was used up before this row",
            False,
        ),
        Reason(
            "missing_text", False, "a text that stands for no value, such as N/A, NULL or -", False
        ),
        Reason("spreadsheet_error", False, "an error text of a spreadsheet, such as #VALUE!"),
        Reason(
            "thousands_separator",
            False,
            "a number with marks between thousands, such as 1.234,5; write 1234,5",
        ),
        Reason("not_a_number", False, "a text that is no number"),
        Reason("not_finite", False, "NaN or infinity"),
        Reason("out_of_range", False, "outside the physical range that the profile declares"),
        Reason(
            "too_large",
            False,
            "beyond 1e12, where sums are no longer exact; use a larger unit, such as MB for bytes",
        ),
        Reason("sentinel", False, "a number that the profile declares to mean no value", False),
    )
}

FAULT_TYPE = "struct<column:string,reason:string,raw_value:string>"
