"""The reasons for which rows and values are rejected."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why a row or a value was rejected.

    rejects_row: whether the whole row is rejected, or only the value. is_fault: whether the input
    is wrong; otherwise the profile, or the input itself, says that there is no value.
    """

    code: str
    rejects_row: bool
    meaning: str
    is_fault: bool = True


REASONS = {
    reason.code: reason
    for reason in (
        Reason("missing_key", True, "the key of the row (cell name or customer number) is empty"),
        Reason(
            "bad_encoding",
            True,
            "the cell name has bytes that are invalid in the encoding of the file",
        ),
        Reason(
            "bad_customer_number",
            True,
            "the customer number is not a whole number, or it is unclear where it begins, "
            "which customer_id_prefix says for call statistics",
        ),
        Reason("malformed_line", True, "more or fewer fields than the header"),
        Reason(
            "bad_time",
            True,
            "an invalid time: not HH:MM, a date with a time (microseconds at most), or seconds or "
            "milliseconds since 1970; or, unlike most samples, with a date or without one",
        ),
        Reason(
            "doubled_hour",
            True,
            "a local time that occurs twice, because clocks were set back, but was sent only once",
        ),
        Reason(
            "outside_run",
            True,
            "the time of the sample is outside the day, or the span, of the run",
            False,
        ),
        Reason("suspect", True, "the row meets a `suspect_where` of the profile"),
        Reason(
            "duplicate_row",
            True,
            "repeats an earlier row of the same customer, or of the same cell and time",
        ),
        Reason(
            "contradicting_rows",
            True,
            "differs from another row of the same customer, or of the same cell and time",
        ),
        Reason("filtered_by_profile", True, "the row fails a `keep_where` of the profile", False),
        Reason(
            "beyond_row_limit",
            True,
            "the profile uses only the first `rows_per_key` rows of a key",
            False,
        ),
        Reason(
            "missing_text",
            False,
            "a text that means a missing value, such as N/A, NULL or -",
            False,
        ),
        Reason("spreadsheet_error", False, "a spreadsheet error, such as #VALUE!"),
        Reason(
            "thousands_separator",
            False,
            "a number with thousands separators, such as 1.234,5; write 1234,5",
        ),
        Reason("not_a_number", False, "not a number"),
        Reason("not_finite", False, "NaN or infinity"),
        Reason("out_of_range", False, "outside the physical range in the profile"),
        Reason(
            "too_large",
            False,
            "beyond 1e12, where sums are no longer exact; use a larger unit, such as MB for bytes",
        ),
        Reason("sentinel", False, "a number that means a missing value, by the profile", False),
    )
}

FAULT_TYPE = "struct<column:string,reason:string,raw_value:string>"
